"""A reverse proxy in front of one of this build's servers, and 10,000 requests
of every kind through it, each of which has to come back with its own answer."""

import collections
import os
import random
import signal
import socket
import subprocess
import tempfile
import threading
import time

from lib_http import Reader
from lib_server_under_test import Failure, Server, check, main, scaled, tool

# Debian keeps these programs where only root looks for programs.
os.environ["PATH"] += os.pathsep + "/usr/sbin"

REQUESTS = 10_000
CLIENTS = 16
BODY_MAX = 1 << 20
ALPHABET = b"abcdefghijklmnopqrstuvwxyz" * (BODY_MAX // 26 + 1)  # what /bytes/:count sends
DOWNLOADS = [0, 1, 1000, 4096, 16_384, 65_537]
UPLOADS = [0, 1, 100, 4000, 16_384, 20_000, 65_536, 200_000, 1 << 18]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Proxy:
    """Runs `command` with its configuration in a folder of its own until the block ends.

    @param configuration  text in which {name} stands for the values, for {folder} and for {port}
    @param stop_signal    tells it to finish what it has in hand and to end"""

    def __init__(self, command, configuration, stop_signal, **values):
        self.name, self.command, self.stop_signal = command[0], command, stop_signal
        self.configuration, self.values = configuration, values
        self.port = free_port()
        self.process = None

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="nen-proxy-")
        path = os.path.join(self.folder.name, "configuration")
        text = self.configuration
        for name, value in dict(self.values, folder=self.folder.name, port=self.port).items():
            text = text.replace("{%s}" % name, str(value))
        with open(path, "w") as file:
            file.write(text)
        self.log = open(os.path.join(self.folder.name, "output"), "w+")
        self.process = subprocess.Popen([tool(self.name), *self.command[1:], path],
                                        stdout=self.log, stderr=subprocess.STDOUT)
        try:
            self._wait_until_ready()
        except BaseException:
            self._end(signal.SIGKILL)
            raise
        return self

    def _wait_until_ready(self):
        deadline = time.monotonic() + 20
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise Failure(f"{self.name} does not start:\n{self.said()}")
            time.sleep(0.02)

    def said(self):
        """What it printed, and its log of errors if it has one."""
        text = ""
        for name in ["output", "error.log"]:
            path = os.path.join(self.folder.name, name)
            if os.path.exists(path):
                with open(path, errors="replace") as file:
                    text += file.read()
        return text

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), timeout=30)

    def _end(self, how):
        if self.process.poll() is None:
            self.process.send_signal(how)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def __exit__(self, kind, *_):
        self._end(self.stop_signal)
        if kind is not None:
            print(f"---- {self.name} said:\n{self.said()}----")
        self.log.close()
        self.folder.cleanup()


# ---- the requests ----


class Request:
    """@param parts  what is written, in as many writes
    @param close  the client wants the connection closed behind the answer"""

    def __init__(self, kind, method, path, status, answer, parts=None, fields="", close=False):
        self.kind, self.method, self.path, self.close = kind, method, path, close
        self.status, self.answer = status, answer
        fields += "Connection: close\r\n" if close else ""
        head = f"{method} {path} HTTP/1.1\r\nHost: test\r\n{fields}\r\n".encode()
        self.parts = [head] + (parts or [])


def upload(chance, close):
    """POST /echo, whole or in chunks, with head and body in one write or in several."""
    size = chance.choice(UPLOADS)
    body = chance.randbytes(size)
    if chance.random() < 0.5:
        request = Request("POST", "POST", "/echo", 200, body, [body] if body else None,
                          f"Content-Length: {size}\r\n", close)
    else:
        parts, at = [], 0
        while at < size:
            step = chance.randint(1, min(size - at, 40_000))
            parts.append(b"%x\r\n%b\r\n" % (step, body[at:at + step]))
            at += step
        request = Request("POST chunked", "POST", "/echo", 200, body, parts + [b"0\r\n\r\n"],
                          "Transfer-Encoding: chunked\r\n", close)
    if chance.random() < 0.5:
        request.parts = [b"".join(request.parts)]
    return request


def make_request(chance, i, slow):
    close = chance.random() < 0.05
    dice = chance.random()
    if dice < 0.2:
        return Request("GET small", "GET", f"/plaintext?{i}", 200, b"Hello, World!", close=close)
    if dice < 0.4:
        answer = f'{{"id":{i}}}'.encode()
        return Request("GET /users/:id", "GET", f"/users/{i}", 200, answer, close=close)
    if dice < 0.55:
        size = chance.choice(DOWNLOADS)
        return Request("GET large", "GET", f"/bytes/{size}", 200, ALPHABET[:size], close=close)
    if dice < 0.57:
        size = BODY_MAX - chance.choice([0, 1, chance.randrange(BODY_MAX)])
        return Request("GET up to 1 MiB", "GET", f"/bytes/{size}", 200, ALPHABET[:size],
                       close=close)
    if dice < 0.65:
        size = chance.choice(DOWNLOADS)
        return Request("HEAD", "HEAD", f"/bytes/{size}", 200, size, close=close)
    if dice < 0.73:
        path = chance.choice(["/nothing", "/users/abc", "/users/4294967296", "/bytes/1048577"])
        return Request("404", "GET", path, 404, b"Not Found", close=close)
    if dice < 0.75:
        return Request("405", "DELETE", "/json", 405, b"Method Not Allowed", close=close)
    if slow and dice < 0.77:
        return Request("GET /slow/:ms", "GET", f"/slow/{chance.randint(1, 50)}", 200, None,
                       close=close)
    return upload(chance, close)


class Client(threading.Thread):
    """One client of the proxy, with a connection at a time."""

    def __init__(self, proxy, seed, count, slow):
        super().__init__(daemon=True)
        self.proxy, self.seed, self.count, self.slow = proxy, seed, count, slow
        self.answered = collections.Counter()
        self.connections = 0
        self.problem = None

    def run(self):
        try:
            self.talk()
        except BaseException as problem:  # noqa: B902 - handed to the test's thread
            self.problem = problem

    def talk(self):
        chance = random.Random(self.seed)
        sock = None
        for i in range(self.count):
            request = make_request(chance, i, self.slow)
            if sock is None:
                sock = self.proxy.connect()
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                reader = Reader(sock, 1 << 18)
                self.connections += 1
            for part in request.parts:
                sock.sendall(part)
            if self.check_answer(f"seed {self.seed}, request {i} ({request.method} {request.path})",
                                 request, reader):
                sock.close()
                sock = None
        if sock is not None:
            sock.close()

    def check_answer(self, what, request, reader):
        """Returns whether the connection ends here."""
        answer = reader.response(request.method)
        check(f"{what}: answered", answer is not None, True)
        check(f"{what}: status", answer.status, request.status)
        if request.method == "HEAD":
            check(f"{what}: length", int(answer.fields["content-length"]), request.answer)
        elif request.answer is not None:
            check(f"{what}: length of the body", len(answer.body), len(request.answer))
            check(f"{what}: body fits", answer.body == request.answer, True)
        self.answered[request.kind] += 1
        if not request.close:
            return answer.fields.get("connection") == "close"
        check(f"{what}: nothing behind the last answer", reader.at_end(), True)
        return True


def has_path(server, path):
    with server.connect() as sock:
        sock.sendall(f"GET {path} HTTP/1.1\r\nHost: test\r\n\r\n".encode())
        return Reader(sock).response().status == 200


def sockets_to(server):
    """All of this machine, closed ones too as long as the kernel remembers them (a minute)."""
    port = f"{server.address[1]:04X}"
    with open("/proc/net/tcp") as file:
        rows = [line.split() for line in list(file)[1:]]
    return sum(port in (row[1].split(":")[1], row[2].split(":")[1]) for row in rows)


def run_requests(server, proxy, what, connections):
    count = scaled(REQUESTS)
    slow = has_path(server, "/slow/1")
    begin = time.monotonic()
    clients = [Client(proxy, 1000 + i, count // CLIENTS, slow) for i in range(CLIENTS)]
    for client in clients:
        client.start()
    for client in clients:
        client.join(100)
        if client.is_alive():
            raise Failure(f"{what}: a client hangs after {client.answered}")
    for client in clients:
        if client.problem is not None:
            raise Failure(f"{what}: {client.problem!r}") from client.problem
    answered = sum((client.answered for client in clients), collections.Counter())
    print(f"{what}: {sum(answered.values())} requests over "
          f"{sum(client.connections for client in clients)} connections in "
          f"{time.monotonic() - begin:.1f} s: "
          + ", ".join(f"{number} {kind}" for kind, number in sorted(answered.items())))
    check(f"{what}: answers", sum(answered.values()), count // CLIENTS * CLIENTS)
    # A proxy that made a connection for each request would not have tested keep-alive.
    made = connections(proxy, server)
    print(f"{what}: {made} connections from proxy to server")
    check(f"{what}: connections from proxy to server", made, lambda n: 0 < n < count // 10)


def test_behind(command, configurations, stop_signal, connections):
    """@param configurations  (what, text) of each way that the proxy is to be run
    @param connections  connections(proxy, server): how many the proxy has made to the server"""
    def test():
        for what, configuration in configurations:
            with Server("target", "--port", "0", "--shards", "2") as server:
                with Proxy(command, configuration, stop_signal,
                           server_port=server.address[1]) as proxy:
                    run_requests(server, proxy, what, connections)

    main(test, needs=[command[0]])
