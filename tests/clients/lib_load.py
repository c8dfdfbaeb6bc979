"""What the tests of bad clients share: processes to attack from, and a normal client whose waiting
is measured meanwhile. Attackers are processes of their own: Python's lock is not measured."""

import multiprocessing
import resource
import socket
import statistics
import time

from lib_http import Reader
from lib_server_under_test import Failure, SANITIZED, Skip, check

HELLO = b"Hello, World!"
ALPHABET = b"abcdefghijklmnopqrstuvwxyz" * 40331  # what /bytes/:count sends, up to 1 MiB


def allow_many_files(count):
    """Raises the soft limit. The servers that are started later inherit it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < count:
        raise Skip(f"this test opens {count} files, the hard limit is {hard}")
    if soft != resource.RLIM_INFINITY and soft < count:
        resource.setrlimit(resource.RLIMIT_NOFILE, (count, hard))


def resident_kib(server):
    with open(f"/proc/{server.process.pid}/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS:"))


class Attack:
    """Runs attack(ready, stop, *arguments) in a process: it calls ready() when it is under way and
    ends when stop() is true. What it returns is result()."""

    def __init__(self, attack, *arguments):
        context = multiprocessing.get_context("fork")
        self._ready, self._stop = context.Event(), context.Event()
        self._pipe, theirs = context.Pipe(duplex=False)

        def run():
            theirs.send(attack(self._ready.set, self._stop.is_set, *arguments))

        self._process = context.Process(target=run, daemon=True)

    def __enter__(self):
        self._process.start()
        deadline = time.monotonic() + 60
        while not self._ready.wait(0.05):
            if not self._process.is_alive() or time.monotonic() > deadline:
                self._process.kill()
                raise Failure("the attack did not get under way")
        return self

    def result(self, seconds=60):
        self._stop.set()
        if not self._pipe.poll(seconds):
            raise Failure("the attack has no result")
        try:
            found = self._pipe.recv()
        except EOFError:
            raise Failure("the attack broke off") from None
        self._process.join(10)
        return found

    def __exit__(self, *_):
        if self._process.is_alive():
            self._process.kill()
        self._process.join()


class Latencies:
    """Of requests, in milliseconds."""

    def __init__(self, values):
        self.values = sorted(values)

    def at(self, share):
        return self.values[min(len(self.values) - 1, int(len(self.values) * share))]

    @property
    def max(self):
        return self.values[-1]

    def __str__(self):
        return (f"{len(self.values)} requests, p50 {self.at(0.5):.2f} ms, "
                f"p99 {self.at(0.99):.2f} ms, max {self.max:.2f} ms")


class NormalClient:
    """Asks for `path` again and again over one connection."""

    def __init__(self, server, path="/plaintext", body=HELLO, seconds=60):
        self.server, self.body, self.seconds = server, body, seconds
        self.request = f"GET {path} HTTP/1.1\r\nHost: test\r\n\r\n".encode()
        self.sock = self.reader = None

    def __enter__(self):
        self.sock = self.server.connect(self.seconds)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.reader = Reader(self.sock, 1 << 20)
        return self

    def __exit__(self, *_):
        self.sock.close()

    def ask(self):
        """One request. Returns the milliseconds until its answer was there, and whole."""
        begin = time.perf_counter()
        self.sock.sendall(self.request)
        answer = self.reader.response()
        took = (time.perf_counter() - begin) * 1000
        if answer is None:
            raise Failure("a normal client's connection was closed")
        check("a normal client's answer", (answer.status, answer.body == self.body), (200, True))
        return took

    def ask_for(self, seconds, pause=0.001):
        """Asks every `pause` seconds. Returns the latencies."""
        found, end = [], time.perf_counter() + seconds
        while time.perf_counter() < end:
            found.append(self.ask())
            time.sleep(pause)
        return Latencies(found)


def check_p99(what, rounds, p99_limit_ms, max_limit_ms):
    """The median of the rounds' 99th percentiles, because others may need the machine in one; and
    that nobody was made to wait in any."""
    factor = 10 if SANITIZED else 1
    for latencies in rounds:
        print(f"{what}: {latencies}")
    p99 = statistics.median(latencies.at(0.99) for latencies in rounds)
    longest = max(latencies.max for latencies in rounds)
    print(f"{what}: median p99 {p99:.2f} ms, max {longest:.2f} ms")
    check(f"{what}: median p99 in ms", p99, lambda ms: ms < p99_limit_ms * factor)
    check(f"{what}: longest in ms", longest, lambda ms: ms < max_limit_ms * factor)
