"""Clients that write 10,000 requests in one go and never read, and come again when they are cut
off: they cost the memory that was set aside and no more, and others do not wait for them."""

import re
import select
import socket
import time

from lib_load import Attack, NormalClient, allow_many_files, check_p99, resident_kib
from lib_server_under_test import Failure, SANITIZED, Server, check, main

REQUESTS = 10_000
ROUNDS = 5
P99_LIMIT_MS = 10
MAX_LIMIT_MS = 500
# Beside its pools a server has its code, its stacks and the C library.
REST_OF_PROGRAM_KIB = 4 * 1024


class Abusers:
    def __init__(self, address, count, path):
        self.address = address
        self.stream = memoryview(f"GET {path} HTTP/1.1\r\nHost: test\r\n\r\n".encode() * REQUESTS)
        self.poll, self.socks, self.left = select.poll(), {}, {}
        self.written = self.cut_off = 0
        for _ in range(count):
            self.open_one()

    def open_one(self):
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.connect(self.address)
        sock.setblocking(False)
        self.socks[sock.fileno()], self.left[sock.fileno()] = sock, self.stream
        self.poll.register(sock, select.POLLOUT)

    def turn(self):
        for fd, events in self.poll.poll(50):
            if events & (select.POLLERR | select.POLLHUP) or not self.write(fd):
                self.cut_off += 1
                self.poll.unregister(fd)
                self.socks.pop(fd).close()
                self.open_one()

    def write(self, fd):
        try:
            size = self.socks[fd].send(self.left[fd])
        except BlockingIOError:
            return True
        except OSError:
            return False
        self.written += size
        self.left[fd] = self.left[fd][size:]
        if not self.left[fd]:
            self.poll.modify(fd, 0)  # that it was cut off is still told
        return True


def write_and_never_read(ready, stop, address, count, path):
    """The attack. Returns (bytes that went out, how often someone was cut off)."""
    abusers, begin = Abusers(address, count, path), time.monotonic()
    while not stop():
        abusers.turn()
        if time.monotonic() - begin > 0.3:
            ready()
    return abusers.written, abusers.cut_off


def test_abusers(program, count, path):
    what = f"{program}, {count} who ask for {path} and never read"
    rounds, resident = [], []
    with Server(program, "--port", "0") as server:
        with NormalClient(server) as early:
            early.ask_for(0.2)
            with Attack(write_and_never_read, server.address, count, path) as attack:
                for _ in range(ROUNDS):
                    with NormalClient(server) as late:
                        rounds.append(late.ask_for(0.6))
                    rounds.append(early.ask_for(0.4))
                    resident.append(resident_kib(server))
                written, cut_off = attack.result()
        print(f"{what}: {written} bytes went out, {cut_off} cut off, resident {resident} KiB")
        check_p99(what, rounds, P99_LIMIT_MS, MAX_LIMIT_MS)
        check(f"{what}: growth from round to round in KiB", resident[-1] - resident[1],
              lambda kib: kib < 1024 or SANITIZED)
        bill = re.search(r"total +([\d,]+) bytes", server.said())
        if bill and not SANITIZED:
            most = int(bill[1].replace(",", "")) // 1024 + REST_OF_PROGRAM_KIB
            check(f"{what}: resident KiB", max(resident), lambda kib: kib < most)


def test():
    allow_many_files(1024)
    problems = []
    for count in [1, 64]:
        for program, path in [("demo", "/plaintext"), ("demo", "/"), ("target", "/plaintext"),
                              ("target", "/bytes/20000")]:
            try:
                test_abusers(program, count, path)
            except Failure as problem:
                problems.append(str(problem))
    check("what went wrong", problems, [])


main(test)
