"""The dashboard without its page: what its WebSocket is told by a server that works, who may ask, and
that a browser may run the script and the style that are there."""

import base64
import hashlib
import http.client
import json
import re

from lib_server_under_test import Failure, Server, check, main
from lib_websocket import CLOSE, RawClient, TEXT, check_origins

ANSWERS = 300


def digest(text):
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def ask(connection, path):
    connection.request("GET", path)
    answer = connection.getresponse()
    return answer, answer.read().decode()


def check_page(connection):
    """A browser runs only what the policy names: whoever changed the page has to change that too."""
    answer, page = ask(connection, "/_nen")
    check("the page", (answer.status, answer.getheader("Content-Type")),
          (200, "text/html; charset=utf-8"))
    policy = answer.getheader("Content-Security-Policy")
    check("only its own", policy, lambda p: p.startswith("default-src 'none';"))
    for tag, directive in [("script", "script-src"), ("style", "style-src")]:
        inside = re.search(f"<{tag}>(.*?)</{tag}>", page, re.DOTALL)[1]
        named = re.search(f"{directive} ([^;]*)", policy)[1]
        check(f"{directive} in include/nen/server/dashboard_page.hpp", named, digest(inside))
    check("nothing from elsewhere", re.findall(r"(?:src|href)=[\"']?(?![\"']?data:)\S+", page), [])


class Page(RawClient):
    """What the page knows: the latest lists by their kind, histograms by their route too."""

    def __init__(self, server):
        super().__init__(server, "/_nen/live")
        self.lists = {}

    def ask(self, what, last):
        self.send(TEXT, what.encode())
        while True:
            opcode, payload = self.receive()
            check("opcode", opcode, TEXT)
            message = json.loads(payload)
            check("members", list(message), ["kind", "of", "first", "rows"])
            kind, of = message["kind"], message["of"]
            rows = self.lists.setdefault((kind, of), [])
            del rows[message["first"]:]
            check(f"items of {kind} before", len(rows), message["first"])
            rows += message["rows"]
            if (kind, of) == last:
                return

    def names(self):
        self.ask("n", ("route_names", 0))

    def totals(self):
        self.ask("s", ("end", 0))

    def __getitem__(self, kind):
        return self.lists[kind, 0]

    def counter(self, name, pool="", kind=""):
        return self["counters"][self["counter_names"].index([name, pool, kind])]

    def route(self, path):
        return self["route_names"].index(["GET", path])


def check_numbers(server, connection):
    with Page(server) as page:
        page.names()
        page.totals()
        for one, other in [("counters", "counter_names"), ("pools", "pool_names"),
                           ("routes", "route_names")]:
            check(f"as many {one} as there are {other}", len(page[one]), len(page[other]))
        users = page.route("/users/:id")
        age, state, user, kernel, resident = page["process"]
        check("neither overloaded nor draining", state, 0)
        check("it is young", age, lambda ms: 0 <= ms < 600_000)
        check("resident", resident, lambda b: 1 << 20 < b < 1 << 30)
        before = page.counter("nen_received_bytes_total")

        for number in range(ANSWERS):
            check("an answer", ask(connection, f"/users/{number}")[0].status, 200)
        check("no number", ask(connection, "/users/abc")[0].status, 404)
        check("no route", ask(connection, "/nowhere")[0].status, 404)
        page.totals()
        row = page["routes"][users]
        check("answers by class", row[:5], [0, ANSWERS, 0, 1, 0])
        check("time in the handler, and of how many", row[5:],
              lambda t: t[0] > 0 and ANSWERS <= t[1] < ANSWERS + 16)
        check("answers without a route", page["routes"][0][3], 1)
        check("bytes", page.counter("nen_received_bytes_total") - before,
              lambda n: n > ANSWERS * 30)
        check("CPU", page["process"][2] + page["process"][3], lambda us: us > user + kernel)
        check("the loop", sum(count for _, count in page["busy"]), lambda n: n > ANSWERS)
        check("latencies of all", sum(count for _, count in page["latency"]),
              lambda n: n >= ANSWERS + 2)
        for name, (in_use, most), (_, size) in zip(
                [name for name, _ in page["pool_names"]], page["pools"], page["pool_names"]):
            check(f"{name}: in use, most, size", (in_use, most, size),
                  lambda p: p[0] <= p[1] <= p[2])

        page.ask(f"h {users}", ("histogram", users))
        histogram = page.lists["histogram", users]
        check("buckets in order", [i for i, _ in histogram], lambda b: b == sorted(set(b)))
        check("latencies of a route", sum(count for _, count in histogram), ANSWERS + 1)
        page.send(TEXT, b"what?")
        check("what it does not know", page.receive()[0], CLOSE)


def test():
    with Server("demo", "--port", "0") as server:
        if "/_nen" not in server.said():
            raise Failure("the demo does not say where it is watched")
        connection = http.client.HTTPConnection(*server.address, timeout=20)
        check_page(connection)
        check_numbers(server, connection)
        check_origins(server, "/_nen/live")
        connection.close()


main(test)
