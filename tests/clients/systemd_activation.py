"""systemd's own tool starts the example with listeners, as a .socket unit does; the test plays the
service manager that wants to be told. The example's units are what systemd reads them as."""

import contextlib
import os
import signal
import socket
import subprocess
import tempfile
import time

from lib_http import Reader
from lib_restart import Tally, check_nothing_lost, crowd, stop
from lib_server_under_test import Failure, check, main, program, tool

EXAMPLE = os.path.join(os.environ.get("NEN_SOURCE_DIR") or
                       os.path.join(os.path.dirname(__file__), "..", ".."), "examples", "10_restart")


class Manager:
    """Hears what a service says."""

    def __init__(self, where):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sock.bind(where if where[0] != "@" else "\0" + where[1:])
        self.where = where
        self.sock.settimeout(10)

    def hear(self):
        """The next message but for the watchdog's, and how many of those were before it."""
        pings = 0
        while (message := self.sock.recv(4096).decode()) == "WATCHDOG=1":
            pings += 1
        return message, pings


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


@contextlib.contextmanager
def activated(manager, *listeners, name="web", watchdog_ms=None):
    """systemd-socket-activate with the example behind it, which it starts for the first client."""
    command = [tool("systemd-socket-activate")]
    for listener in listeners:
        command += ["-l", listener]
    command += ["--fdname=" + ":".join([name] * len(listeners)), "-E",
                f"NOTIFY_SOCKET={manager.where}"]
    if watchdog_ms is not None:
        command += ["-E", f"WATCHDOG_USEC={watchdog_ms * 1000}"]
    with tempfile.TemporaryFile("w+") as log:
        started = subprocess.Popen([*command, program("10_restart")], stdout=log,
                                   stderr=subprocess.STDOUT)
        try:
            yield started
            started.send_signal(signal.SIGTERM)
            check("exit code", started.wait(15), 0)
        except BaseException:
            started.kill()
            started.wait()
            log.seek(0)
            print(log.read())
            raise


def connect(address):
    """The tool listens a moment after it was started."""
    family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
    deadline = time.monotonic() + 10
    while True:
        sock = socket.socket(family)
        sock.settimeout(10)
        try:
            sock.connect(address)
            return sock
        except OSError as problem:
            sock.close()
            if time.monotonic() > deadline:
                raise Failure(f"nobody listens at {address}: {problem}") from None
            time.sleep(0.01)


def ask(address):
    with connect(address) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n")
        response = Reader(sock).response()
        check("status", response.status, 200)
        return response.body


def check_tcp(manager):
    address = ("127.0.0.1", free_port())
    with activated(manager, f"{address[0]}:{address[1]}", watchdog_ms=200) as server:
        body = ask(address)
        check("who answers", body, b'{"pid":%d}' % server.pid)
        message, _ = manager.hear()
        check("at first", message, f"READY=1\nSTATUS=Listening on 127.0.0.1:{address[1]}")
        time.sleep(0.6)
        server.send_signal(signal.SIGTERM)
        message, pings = manager.hear()
        check("at the end", message, lambda m: m.startswith("STOPPING=1\nSTATUS="))
        check("pings of the watchdog", pings, lambda n: n >= 6)
        check("exit code", server.wait(15), 0)


def check_unix(manager, folder):
    path = os.path.join(folder, "listener")
    with activated(manager, path):
        for _ in range(3):
            ask(path)
        check("at first", manager.hear()[0], f"READY=1\nSTATUS=Listening on unix:{path}")
    check("at the end", manager.hear()[0], lambda m: m.startswith("STOPPING=1"))
    check("its file is systemd's", os.path.exists(path), True)


def check_two(manager):
    """Two listeners and two shards: each is accepted from."""
    addresses = [("127.0.0.1", free_port()), ("127.0.0.1", free_port())]
    tally = Tally()
    with activated(manager, *[f"{host}:{port}" for host, port in addresses]):
        ask(addresses[0])
        clients = [c for a in addresses for c in crowd(lambda a=a: connect(a), tally)]
        for client in clients:
            client.start()
        time.sleep(1)
        stop(clients)
        manager.hear()
    manager.hear()
    check_nothing_lost(tally, 100, servers=1)


def check_units():
    """No warning about the units, but for the program that is not installed."""
    with tempfile.TemporaryDirectory() as folder:
        for name in ("nen-restart.socket", "nen-restart.service"):
            with open(os.path.join(EXAMPLE, name)) as unit:
                text = unit.read().replace("/usr/local/bin/10_restart", program("10_restart"))
            with open(os.path.join(folder, name), "w") as copy:
                copy.write(text)
        done = subprocess.run(["systemd-analyze", "verify", f"{folder}/nen-restart.service",
                               f"{folder}/nen-restart.socket"],
                              capture_output=True, text=True, timeout=60)
        said = [line for line in (done.stdout + done.stderr).splitlines() if "nen-restart" in line]
        check("what systemd says of the units", said, [])
        check("exit code of systemd-analyze", done.returncode, 0)


def test():
    with tempfile.TemporaryDirectory() as folder:
        check_tcp(Manager(os.path.join(folder, "notify")))
        check_unix(Manager("@nen-notify-%d" % os.getpid()), folder)
        check_two(Manager(os.path.join(folder, "notify-of-two")))
    check_units()


main(test, needs=["systemd-socket-activate", "systemd-analyze"])
