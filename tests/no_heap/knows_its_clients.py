"""More clients than are remembered, some of whom are not let in, and a proxy: no memory for that."""

import socket

from lib_counted_server import Client, CountedServer, check, get
from lib_http import Reader
from lib_server_under_test import main


class ClientFrom(Client):
    """One that comes from an address of its own."""

    def __init__(self, address, source):
        self.sock = socket.create_connection(address, 20, (source, 0))
        self.reader = Reader(self.sock)


def come_and_go(server):
    for i in range(300):
        client = ClientFrom(server.address, f"127.1.{i // 100}.{1 + i % 100}")
        check("status", client.ask(get("/")).status, 200)
        client.close()


def are_not_let_in(server):
    server.remember()
    for i in range(20):
        client = ClientFrom(server.address, f"127.0.8.{1 + i}")
        check("what who is denied is told", client.read_to_end(), b"")
        client.close()
    server.wait_for("connections_denied", 20)


def are_passed_on(server):
    server.remember()
    proxy = ClientFrom(server.address, "127.0.9.9")
    for i in range(200):
        check("status", proxy.ask(get("/", f"X-Forwarded-For: 192.0.2.{i}, 10.0.0.1\r\n")).status,
              200)
        check("status of who is denied",
              proxy.ask(get("/", f"X-Forwarded-For: 192.0.2.1, 203.0.113.{i}\r\n")).status, 403)
    server.wait_for("requests_denied", 200)
    proxy.close()


def test():
    with CountedServer("wait", "patient") as server:
        server.phase("clients come and go")
        come_and_go(server)
        server.phase("clients are not let in")
        are_not_let_in(server)
        server.phase("clients behind a proxy")
        are_passed_on(server)
        server.wait_until_empty()
        server.drain()
    server.judge()
    check("connections denied", server.last_counters["connections_denied"], 20)


main(test)
