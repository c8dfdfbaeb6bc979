"""Clients that write 10,000 requests in one go and never read: they cost the memory that was set aside
and no more, and others do not notice them."""

import re
import select
import socket
import time

from lib_load import Attack, NormalClient, check_p99, resident_kib
from lib_server_under_test import SANITIZED, Server, check, main

REQUESTS = 10_000
ROUNDS = 5
P99_LIMIT_MS = 10
# Beside its pools a server has its code, its stacks and the C library.
REST_OF_PROGRAM_KIB = 6 * 1024


def write_and_never_read(ready, stop, address, clients, path):
    """The attack. Returns (bytes that went out, clients that were cut off)."""
    stream = memoryview(f"GET {path} HTTP/1.1\r\nHost: test\r\n\r\n".encode() * REQUESTS)
    poll, socks, written, cut_off = select.poll(), {}, {}, 0
    for _ in range(clients):
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.connect(address)
        sock.setblocking(False)
        socks[sock.fileno()], written[sock.fileno()] = sock, 0
        poll.register(sock, select.POLLOUT)
    begin = time.monotonic()
    while not stop():
        for fd, _ in poll.poll(50):
            try:
                written[fd] += socks[fd].send(stream[written[fd]:])
            except BlockingIOError:
                continue
            except OSError:
                cut_off += 1
                poll.unregister(fd)
                continue
            if written[fd] == len(stream):
                poll.modify(fd, 0)
        if time.monotonic() - begin > 0.5:
            ready()
    return sum(written.values()), cut_off


def test_abusers(program, clients, path):
    what = f"{program}, {clients} abusers, {path}"
    with Server(program, "--port", "0") as server:
        with NormalClient(server) as early:
            check_p99(f"{program}, nobody else", [early.ask_for(0.5)], P99_LIMIT_MS)
            with Attack(write_and_never_read, server.address, clients, path) as attack:
                rounds, resident = [], []
                for _ in range(ROUNDS):
                    with NormalClient(server) as late:
                        rounds.append(late.ask_for(0.6))
                    rounds.append(early.ask_for(0.4))
                    resident.append(resident_kib(server))
                written, cut_off = attack.result()
            print(f"{what}: {written} bytes went out, {cut_off} were cut off, resident "
                  f"{resident} KiB")
            check_p99(what, rounds, P99_LIMIT_MS)
            check(f"{what}: growth from round to round in KiB", resident[-1] - resident[1],
                  lambda kib: kib < 1024 or SANITIZED)
            bill = re.search(r"total +([\d,]+) bytes", server.said())
            if bill and not SANITIZED:
                most = int(bill[1].replace(",", "")) // 1024 + REST_OF_PROGRAM_KIB
                check(f"{what}: resident KiB", max(resident), lambda kib: kib < most)


def test():
    for clients in [1, 64]:
        test_abusers("demo", clients, "/plaintext")
        test_abusers("demo", clients, "/")
        test_abusers("target", clients, "/plaintext")
        test_abusers("target", clients, "/bytes/20000")


main(test)
