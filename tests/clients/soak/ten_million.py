"""Ten million requests over 512 connections, 16 on the way on each: none fails. Takes a while."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from lib_h2load import h2load  # noqa: E402
from lib_server_under_test import Server, check, main  # noqa: E402

REQUESTS = 10_000_000


def status_kib(pid, name):
    with open(f"/proc/{pid}/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(name + ":"))


def test():
    with Server("target", "--port", "0") as server:
        # A pool's pages are touched when they are first used: memory is compared after a warm-up.
        h2load(server.url("/plaintext"), 100_000, 512, 16, 13)
        before = status_kib(server.process.pid, "VmRSS")
        took = h2load(server.url("/plaintext"), REQUESTS, 512, 16, 13, seconds=3600)
        after = status_kib(server.process.pid, "VmRSS")
        print(f"{REQUESTS:,} requests, 0 failed, {took:.1f} s, {REQUESTS / took:,.0f} a second; "
              f"resident memory {before:,} KiB before, {after:,} KiB behind")
        check("growth of resident memory in KiB", after - before, lambda kib: kib < 4096)


main(test, needs=["h2load"])
