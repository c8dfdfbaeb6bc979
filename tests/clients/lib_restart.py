"""Clients that never try twice, for tests that replace the server under them."""

import random
import socket
import threading
import time

from lib_http import Reader
from lib_server_under_test import Failure, check


class Tally:
    """What all clients of a test have seen."""

    def __init__(self):
        self.lock = threading.Lock()
        self.answered = 0     # requests
        self.said_last = 0    # of them with Connection: close
        self.closed_idle = 0  # on a kept connection that ended before the answer's first byte
        self.problems = []
        self.servers = {}     # answers by the process that gave them

    def add(self, answered, said_last, servers):
        with self.lock:
            self.answered += answered
            self.said_last += said_last
            for pid, count in servers.items():
                self.servers[pid] = self.servers.get(pid, 0) + count

    def count_closed_idle(self):
        with self.lock:
            self.closed_idle += 1

    def fail(self, what):
        with self.lock:
            self.problems.append(what)


class Client(threading.Thread):
    """Asks until it is told to stop.

    Every request has to be answered where it was sent. RFC 9110 9.2.2 would let a client send a GET
    again that met the end of a kept connection; this one only counts that apart.
    """

    def __init__(self, connect, tally, seed, think=0.0, requests_per_connection=1 << 30,
                 path="/", body=b""):
        super().__init__(daemon=True)
        self.open_connection, self.tally, self.think = connect, tally, think
        self.requests_per_connection = requests_per_connection
        self.chance = random.Random(seed)
        self.body = body
        method = "POST" if body else "GET"
        self.head = (f"{method} {path} HTTP/1.1\r\nHost: test\r\n"
                     + (f"Content-Length: {len(body)}\r\n" if body else "") + "\r\n").encode()
        self.stops = threading.Event()

    def run(self):
        while not self.stops.is_set():
            answered, last, servers = 0, 0, {}
            try:
                with self.open_connection() as sock:
                    sock.settimeout(20)
                    if sock.family != socket.AF_UNIX:
                        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    reader = Reader(sock)
                    while answered < self.requests_per_connection and not self.stops.is_set():
                        response = self.ask(sock, reader, is_first=answered == 0)
                        if response is None:
                            break
                        answered += 1
                        pid = response.body if not self.body else b"?"
                        servers[pid] = servers.get(pid, 0) + 1
                        if response.fields.get("connection") == "close":
                            last += 1
                            break
                        if self.think:
                            time.sleep(self.chance.uniform(0, self.think))
            except (Failure, OSError, ValueError, KeyError) as problem:
                self.tally.fail(f"{self.name}: after {answered} answers: {problem!r}")
            self.tally.add(answered, last, servers)

    def ask(self, sock, reader, is_first):
        try:
            if self.body:  # in two pieces, so that the stop can come in between
                sock.sendall(self.head + self.body[:1])
                time.sleep(0.002)
                sock.sendall(self.body[1:])
            else:
                sock.sendall(self.head)
            response = reader.response()
        except ConnectionError:
            if is_first or reader.left:
                raise
            response = None
        if response is None:
            if is_first:
                raise Failure("a new connection was closed without an answer")
            self.tally.count_closed_idle()
            return None
        check("status", response.status, 200)
        if self.body:
            check("body", response.body, self.body)
        return response


def crowd(connect, tally):
    """Clients of every kind, one on each thread."""
    kinds = ([{}] * 3                                       # on one connection, without a pause
             + [{"requests_per_connection": 1}] * 2         # a connection for each request
             + [{"requests_per_connection": 3}]
             + [{"think": 0.02}, {"think": 0.2}, {"think": 0.3}, {"think": 0.4}]
             + [{"path": "/slow/30"}, {"path": "/slow/300"}]
             + [{"body": b"x" * 3000}, {"body": b"y" * 300, "requests_per_connection": 1}])
    return [Client(connect, tally, seed, **kind) for seed, kind in enumerate(kinds)]


def stop(clients):
    for client in clients:
        client.stops.set()
    for client in clients:
        client.join(30)
        check("the client has ended", client.is_alive(), False)


def check_nothing_lost(tally, requests, servers):
    """@param servers  how many processes have answered"""
    print(f"{tally.answered} requests answered by {len(tally.servers) - (b'?' in tally.servers)} "
          f"servers, {tally.said_last} as the last ones; {tally.closed_idle} met the end of a kept "
          f"connection; {len(tally.problems)} failed")
    check("requests that failed", tally.problems, [])
    check("requests that met the end of a kept connection", tally.closed_idle, 0)
    check("requests", tally.answered, lambda n: n >= requests)
    check("servers", len(tally.servers) - (b"?" in tally.servers), servers)
