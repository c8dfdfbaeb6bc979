"""h2load speaking HTTP/1.1: so many requests, all answered with the right number of bytes."""

import re

from lib_server_under_test import check, run_tool


def h2load(url, requests, connections, pipelined, body_bytes, seconds=100, threads=1):
    """Returns the seconds that it took."""
    out = run_tool("h2load", "--h1", f"--requests={requests}", f"--clients={connections}",
                   f"--max-concurrent-streams={pipelined}", f"--threads={threads}", url,
                   seconds=seconds)
    line = re.search(r"requests: (\d+) total, (\d+) started, (\d+) done, (\d+) succeeded, "
                     r"(\d+) failed, (\d+) errored, (\d+) timeout", out)
    check(url, [int(number) for number in line.groups()], [requests] * 4 + [0] * 3)
    codes = re.search(r"status codes: (\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx", out)
    check(f"{url}: status codes", [int(n) for n in codes.groups()], [requests, 0, 0, 0])
    data = re.search(r"\((\d+)\) data", out)
    check(f"{url}: bytes of bodies", int(data[1]), requests * body_bytes)
    took, unit = re.search(r"finished in ([\d.]+)(us|ms|s|m)?,", out).groups()
    return float(took) * {"us": 1e-6, "ms": 1e-3, "s": 1, "m": 60}[unit]
