"""Python's sockets and the echo over raw TCP and Unix sockets: bytes, ends, many at once."""

import os
import socket
import tempfile
import threading
import time

from lib_server_under_test import Failure, Server, check, main, scaled


def read_to_end(sock):
    parts = []
    while data := sock.recv(1 << 16):
        parts.append(data)
    return b"".join(parts)


def echo(sock, data):
    """Sends all and the end of it, and reads meanwhile; the server then closes."""
    def send():
        sock.sendall(data)
        sock.shutdown(socket.SHUT_WR)

    sender = threading.Thread(target=send)
    sender.start()
    check("an echo", read_to_end(sock) == data, True)
    sender.join()
    sock.close()


def connect_to(server):
    if server.unix is None:
        return server.connect()
    sock = socket.socket(socket.AF_UNIX)
    sock.settimeout(20)
    sock.connect(server.unix)
    return sock


def talk(server):
    echo(connect_to(server), b"")
    echo(connect_to(server), b"x")
    echo(connect_to(server), os.urandom(scaled(30_000_000)))
    many = [connect_to(server) for _ in range(100)]
    for number, sock in enumerate(many):
        sock.sendall(b"I am number %d" % number)
    for number, sock in enumerate(many):
        check("an answer", sock.recv(100), b"I am number %d" % number)
    for sock in many:
        sock.close()


def does_not_read(server):
    """The server takes in a bounded amount of what a client sends who never reads."""
    greedy = connect_to(server)
    greedy.setblocking(False)
    sent, last = 0, time.monotonic()
    while time.monotonic() - last < 0.3:
        try:
            sent += greedy.send(b"f" * 65536)
            last = time.monotonic()
        except BlockingIOError:
            time.sleep(0.01)
        if sent > 200_000_000:
            raise Failure("it takes in everything")
    echo(connect_to(server), os.urandom(100_000))
    greedy.close()


def stop(server):
    """Who is still connected sees the end in order."""
    kept = connect_to(server)
    kept.sendall(b"here")
    check("an echo", kept.recv(100), b"here")
    server.interrupt()
    check("the end", kept.recv(100), b"")
    kept.close()
    check("it ends at once", server.wait_for_end() < 5, True)


def test():
    with Server("04_tcp_echo", "--port", "0") as server:
        talk(server)
        does_not_read(server)
        stop(server)
    with Server("04_tcp_echo", "--host", "::1", "--port", "0") as server:
        talk(server)
    with tempfile.TemporaryDirectory() as folder:
        with Server("04_tcp_echo", "--unix", os.path.join(folder, "echo")) as server:
            talk(server)
            for _ in range(200):  # the end comes along with the bytes
                echo(connect_to(server), b"x")
            does_not_read(server)


main(test)
