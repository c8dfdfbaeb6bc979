"""A server that stalls once for 100 ms: open loop finds it in the latencies of all requests that were
due meanwhile, which closed loop, that did not ask, cannot know (coordinated omission)."""

import threading
import time

from lib_load_generator import HELLO, Told, load
from lib_server_under_test import check, main

STALL = 0.1
RATE = 500
SECONDS = 2


class Stalling:
    """Answers at once, but in the middle of the run nobody for 100 ms."""

    def __init__(self):
        self.lock, self.begin, self.done = threading.Lock(), None, False

    def __call__(self, number, head):
        with self.lock:
            if self.begin is None:
                self.begin = time.monotonic()
            if not self.done and time.monotonic() > self.begin + SECONDS / 2:
                self.done = True
                time.sleep(STALL)
        return HELLO


def run(*arguments):
    with Told(Stalling()) as server:
        return load("--duration", str(SECONDS), "--connections", "8", *arguments,
                    f"http://{server.authority}/")


def milliseconds(found):
    return {name: us / 1000 for name, us in found["latency"].items() if name != "count"}


def test():
    found = run("--rate", str(RATE))
    latency = milliseconds(found)
    print("open loop, ms:", latency, "waited", found["waited"])
    check("requests in the open loop", found["latency"]["count"],
          lambda n: RATE * SECONDS - 1 <= n <= RATE * SECONDS + 1)
    # 50 of 1,000 requests were due while it stalled and waited for 100, 98, ... 2 ms. So 1 % waited
    # for more than 80 ms, whatever the others met.
    check("open loop: p99 in ms", latency["p99"], lambda ms: 75 < ms < 130)
    check("open loop: the longest in ms", latency["max"], lambda ms: 95 < ms < 160)
    check("open loop: p50 in ms", latency["p50"], lambda ms: ms < 20)
    # There are 8 connections, so most of those requests could only be sent later.
    check("requests that waited for a connection", found["waited"], lambda n: 30 <= n <= 60)
    found = run()
    latency = milliseconds(found)
    print("closed loop, ms:", latency)
    check("closed loop: p99 in ms", latency["p99"], lambda ms: ms < 50)
    check("closed loop: the longest in ms", latency["max"], lambda ms: 95 < ms < 160)


main(test)
