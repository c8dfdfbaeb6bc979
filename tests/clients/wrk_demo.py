"""wrk with 256 connections against the demo: no error, no answer other than 2xx, all counted."""

import re

from lib_server_under_test import Server, check, main, run_tool, scaled

SECONDS = 3


def test():
    with Server("demo", "--port", "0") as server:
        total = 0
        for path in ["/", "/plaintext", "/json", "/users/4294967295"]:
            out = run_tool("wrk", "-t2", "-c256", f"-d{SECONDS}s", "--latency", server.url(path))
            # wrk has a line for each kind of trouble, and only where there was some.
            check(f"{path}: trouble", re.findall(r"(?:Socket errors|Non-2xx).*", out), [])
            requests = int(re.search(r"(\d+) requests in", out)[1])
            check(f"{path}: requests", requests, lambda n: n > scaled(1000) * SECONDS)
            print(f"{path}: {requests} requests in {SECONDS} s")
            total += requests
        server.stop()
        answered = int(re.search(r"stopped: ([\d,]+) requests answered", server.said())[1]
                       .replace(",", ""))
        # wrk leaves with a request on each connection.
        check("requests answered", answered, lambda n: total <= n <= total + 4 * 256)


main(test, needs=["wrk"])
