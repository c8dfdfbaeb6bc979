"""A server is replaced ten times under a hundred thousand requests, and none is lost: not on kept
connections, not on new ones, not in the middle of a body, and without any client trying twice.

Once by the example's own supervisor, whose servers overlap; and as systemd restarts a service: the
old one ends before the new one starts, and who comes meanwhile waits in the backlog."""

import os
import re
import signal
import socket
import subprocess
import time

from lib_restart import Tally, check_nothing_lost, crowd, stop
from lib_server_under_test import SANITIZED, Failure, Server, check, main, program, scaled

RESTARTS = 10
SERVING = re.compile(r"^serving (\d+)$", re.M)
ENDED = re.compile(r"^ended (\d+)$", re.M)


def wait_for(what, condition, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise Failure(f"{what} did not happen within {seconds} s")
        time.sleep(0.005)


def wait_for_requests(tally, wanted):
    """Kept connections are counted when they end, so that this is a lower limit."""
    deadline = time.monotonic() + 60
    while tally.answered < wanted and not tally.problems and time.monotonic() < deadline:
        time.sleep(0.01)


def check_supervised():
    """The new server is ready before the old one is told to stop."""
    wanted = scaled(100_000)
    tally = Tally()
    with Server("10_restart", "--mode", "supervise", "--port", "0") as server:
        clients = crowd(server.connect, tally)
        wait_for("the first server", lambda: len(SERVING.findall(server.said())) == 1)
        for client in clients:
            client.start()
        for round in range(1, RESTARTS + 1):
            wait_for_requests(tally, wanted * (round - 1) // (RESTARTS + 2))
            server.process.send_signal(signal.SIGHUP)
            wait_for("a new server", lambda: len(SERVING.findall(server.said())) == round + 1)
            wait_for("the old server's end", lambda: len(ENDED.findall(server.said())) == round)
        wait_for_requests(tally, wanted)
        stop(clients)
        check("servers that failed", re.findall(r"^failed.*$", server.said(), re.M), [])
    check_nothing_lost(tally, wanted, servers=RESTARTS + 1)


def start_by_systemd(listener):
    """Starts a server as systemd does: the listener is descriptor 3, LISTEN_PID is its own."""
    ready, theirs = os.pipe()
    script = 'exec 3<&"$0"; LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=web exec "$1" >&"$2"'
    started = subprocess.Popen(
        ["bash", "-c", script, str(listener.fileno()), program("10_restart"), str(theirs)],
        pass_fds=(listener.fileno(), theirs))
    os.close(theirs)
    with os.fdopen(ready) as said:
        check("what it says", said.readline(), lambda s: s.startswith("listening on 127.0.0.1:"))
    return started


def check_one_after_the_other(restarts=3):
    tally = Tally()
    with socket.create_server(("127.0.0.1", 0), backlog=4096) as listener:
        clients = crowd(lambda: socket.create_connection(listener.getsockname(), 20), tally)
        server = start_by_systemd(listener)
        try:
            for client in clients:
                client.start()
            for _ in range(restarts):
                time.sleep(0.5)
                server.send_signal(signal.SIGTERM)
                check("exit code", server.wait(15), 0)
                server = start_by_systemd(listener)
            time.sleep(0.5)
            stop(clients)
            server.send_signal(signal.SIGTERM)
            check("exit code", server.wait(15), 0)
        finally:
            if server.poll() is None:
                server.kill()
    check_nothing_lost(tally, scaled(1_000), servers=restarts + 1)


def check_failed_start():
    """A server that can't start leaves the one that serves alone."""
    with Server("10_restart", "--mode", "supervise", "--port", "0") as server:
        wait_for("the first server", lambda: len(SERVING.findall(server.said())) == 1)
        first = int(SERVING.search(server.said())[1])
        limit = "/proc/%d/limits" % server.process.pid
        check("limits are there", os.path.exists(limit), True)
        subprocess.run(["prlimit", f"--pid={server.process.pid}", "--nofile=16:16"], check=True)
        server.process.send_signal(signal.SIGHUP)
        wait_for("its failure", lambda: re.search(r"^failed \d+$", server.said(), re.M))
        with server.connect() as sock:
            sock.sendall(b"GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n")
            check("who answers", sock.recv(1000), lambda answer: b'"pid":%d' % first in answer)


def test():
    check_supervised()
    check_one_after_the_other()
    if not SANITIZED:  # which need descriptors of their own
        check_failed_start()


main(test, needs=["bash", "prlimit"])
