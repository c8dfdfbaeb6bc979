"""Requests of every kind written one behind the other on raw sockets, cut anywhere: each is
answered, in order, and with its own answer."""

import random
import socket
import threading

from lib_http import Reader
from lib_server_under_test import Failure, Server, check, main, scaled

ALPHABET = b"abcdefghijklmnopqrstuvwxyz" * 40331


def get(path, size_check):
    return (f"GET {path} HTTP/1.1\r\nHost: test\r\n\r\n".encode(), "GET", 200, size_check)


def make_request(chance, i):
    """(bytes, method, status, body) of request number i."""
    body = chance.randbytes(chance.choice([0, 1, 10, 100, 5000, 20000]))
    kind = chance.randrange(8)
    if kind == 0:
        return get("/plaintext", b"Hello, World!")
    if kind == 1:
        return get(f"/users/{i}", f'{{"id":{i}}}'.encode())
    if kind == 2:
        head = f"POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: {len(body)}\r\n\r\n"
        return head.encode() + body, "POST", 200, body
    if kind == 3:
        chunks, at = b"", 0
        while at < len(body):
            size = chance.randint(1, len(body) - at)
            chunks += b"%x\r\n%b\r\n" % (size, body[at:at + size])
            at += size
        head = b"PUT /echo HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n"
        return head + chunks + b"0\r\n\r\n", "PUT", 200, body
    if kind == 4:
        return b"HEAD /json HTTP/1.1\r\nHost: test\r\n\r\n", "HEAD", 200, b""
    if kind == 5:
        padding = "x" * chance.choice([1, 1000, 7000])
        head = f"GET /nowhere/{i} HTTP/1.1\r\nHost: test\r\nX-Padding: {padding}\r\n\r\n"
        return head.encode(), "GET", 404, b"Not Found"
    if kind == 6:
        return b"DELETE /json HTTP/1.1\r\nHost: test\r\n\r\n", "DELETE", 405, b"Method Not Allowed"
    size = chance.choice([0, 1, 3000, 100_000])
    return get(f"/bytes/{size}", ALPHABET[:size])


def converse(server, seed, count, largest_piece, read_bytes=65536):
    """Writes `count` requests in pieces while another thread reads and checks the answers."""
    chance = random.Random(seed)
    requests = [make_request(chance, i) for i in range(count)]
    last = b"GET /plaintext HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n"
    requests.append((last, "GET", 200, b"Hello, World!"))
    stream = b"".join(request[0] for request in requests)
    with server.connect() as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        def write():
            at = 0
            while at < len(stream):
                size = chance.randint(1, largest_piece)
                sock.sendall(stream[at:at + size])
                at += size

        writer = threading.Thread(target=write, daemon=True)
        writer.start()
        reader = Reader(sock, read_bytes)
        for i, (_, method, status, body) in enumerate(requests):
            what = f"seed {seed}, request {i} of {count} ({method})"
            answer = reader.response(method)
            check(f"{what}: answered", answer is not None, True)
            check(f"{what}: status", answer.status, status)
            check(f"{what}: body fits", answer.body == body, True)
            closes = answer.fields.get("connection") == "close"
            check(f"{what}: says close", closes, i == count)
        check(f"seed {seed}: nothing behind the last answer", reader.at_end(), True)
        writer.join()


def test_one_write(server):
    """Pipelined requests in one segment are answered in one, too: that is what makes them quick."""
    with server.connect() as sock:
        sock.sendall(b"GET /plaintext HTTP/1.1\r\nHost: test\r\n\r\n" * 16)
        reader = Reader(sock)
        for _ in range(16):
            check("body", reader.response().body, b"Hello, World!")


def test_nobody_reads(server):
    """A client that asks and does not read must not stop others, nor lose anything."""
    with server.connect() as slow:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        count = 40
        slow.sendall(b"GET /bytes/1048576 HTTP/1.1\r\nHost: test\r\n\r\n" * count)
        for seed in range(3):
            converse(server, 900 + seed, 50, 4096)
        reader = Reader(slow)
        for i in range(count):
            check(f"late answer {i} fits", reader.response().body == ALPHABET[:1 << 20], True)


def in_parallel(tasks):
    problems = []

    def guarded(task):
        try:
            task()
        except BaseException as problem:  # noqa: B902 - handed to the test's thread
            problems.append(problem)

    threads = [threading.Thread(target=guarded, args=(task,), daemon=True) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(100)
        if thread.is_alive():
            raise Failure("a conversation hangs")
    if problems:
        raise problems[0]


def test():
    with Server("target", "--port", "0") as server:
        test_one_write(server)
        converse(server, 1, scaled(100), 1)
        for seed, largest_piece in [(2, 7), (3, 100), (4, 3000), (5, 100_000), (6, 10_000_000)]:
            converse(server, seed, scaled(400), largest_piece)
        converse(server, 7, scaled(200), 5000, read_bytes=100)
        test_nobody_reads(server)
        in_parallel([lambda seed=seed: converse(server, seed, scaled(300), 20_000)
                     for seed in range(100, 116)])


main(test)
