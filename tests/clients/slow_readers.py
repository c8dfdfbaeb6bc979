"""200 clients that take a 1 MiB answer at a few KB a second: others are served as if they were not
there, and when they read on at last, every byte is what it should be."""

import random
import select
import socket
import time

from lib_load import (ALPHABET, HELLO, Attack, NormalClient, allow_many_files, check_p99,
                      resident_kib)
from lib_server_under_test import Server, check, main

READERS = 200
BYTES_A_SECOND = 4000
ANSWER_BYTES = 1 << 20
ROUNDS = 5
P99_LIMIT_MS = 10
MAX_LIMIT_MS = 1000


class SlowReader:
    def __init__(self, address, receive_bytes):
        self.sock = socket.socket()
        if receive_bytes:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        self.sock.connect(address)
        self.sock.sendall(b"GET /bytes/%d HTTP/1.1\r\nHost: test\r\n\r\n" % ANSWER_BYTES)
        self.sock.settimeout(30)
        self.head, self.bytes, self.problem = b"", 0, None

    def read(self, most):
        try:
            data = self.sock.recv(most)
        except OSError as problem:
            data, self.problem = b"", f"{problem!r} after {self.bytes} bytes"
        if not data and not self.done():
            self.problem = self.problem or f"the end after {self.bytes} bytes"
        if b"\r\n\r\n" not in self.head:
            self.head += data
            if b"\r\n\r\n" not in self.head:
                return
            self.head, data = self.head.split(b"\r\n\r\n", 1)
            self.head += b"\r\n\r\n"
        if self.problem is None and ALPHABET[self.bytes:self.bytes + len(data)] != data:
            self.problem = f"wrong bytes behind {self.bytes}"
        self.bytes += len(data)

    def done(self):
        return self.problem is not None or self.bytes >= ANSWER_BYTES


def read_slowly(ready, stop, address, count):
    """The attack. Returns (bytes read slowly, what went wrong)."""
    chance = random.Random(7)
    readers = [SlowReader(address, 4096 if i % 2 else 0) for i in range(count)]
    begin, step, taken = time.monotonic(), 0, 0
    while not stop():
        # Each second everyone takes his share, in pieces and at a moment of his own.
        for reader in readers[step % 50::50]:
            if not reader.done() and select.select([reader.sock], [], [], 0)[0]:
                reader.read(min(BYTES_A_SECOND, ANSWER_BYTES - reader.bytes))
        step += 1
        time.sleep(max(0.0, begin + step / 50 - time.monotonic()))
        if step == 25:
            ready()
    slowly = sum(reader.bytes for reader in readers)
    for reader in readers:
        while not reader.done():
            reader.read(chance.randint(1, 65536))
        reader.sock.close()
    return slowly, [reader.problem for reader in readers if reader.problem is not None]


def test_readers(program, shards):
    what = f"{shards} shards, {READERS} slow readers"
    with Server(program, "--port", "0", "--shards", str(shards)) as server:
        with NormalClient(server) as early:
            early.ask_for(0.2)
            check_p99(f"{shards} shards, nobody else", [early.ask_for(0.5)], P99_LIMIT_MS,
                      MAX_LIMIT_MS)
            with Attack(read_slowly, server.address, READERS) as attack:
                small, large = [], []
                for _ in range(ROUNDS):
                    small.append(early.ask_for(0.6))
                    with NormalClient(server, "/plaintext", HELLO) as late:
                        small.append(late.ask_for(0.6))
                    with NormalClient(server, "/bytes/100000", ALPHABET[:100_000]) as late:
                        large.append(late.ask_for(0.6))
                resident = resident_kib(server)
                slowly, problems = attack.result()
            print(f"{what}: they read {slowly} bytes slowly, resident {resident} KiB")
            check("what went wrong with slow readers", problems, [])
            check("they were slow", slowly, lambda n: 0 < n < READERS * ANSWER_BYTES // 2)
            check_p99(f"{what}, others' small answers", small, P99_LIMIT_MS, MAX_LIMIT_MS)
            check_p99(f"{what}, others' 100 kB answers", large, P99_LIMIT_MS, MAX_LIMIT_MS)


def test():
    allow_many_files(4096)
    for shards in [1, 2]:
        test_readers("target", shards)


main(test)
