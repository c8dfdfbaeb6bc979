"""Runs this build's load generator, and servers in Python that answer as they are told to."""

import json
import os
import shutil
import socket
import subprocess
import threading

from lib_server_under_test import Failure, check, program

HELLO = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


def load(*arguments, exit_code=0):
    """What it found. Short runs, unless the arguments say otherwise."""
    command = [program("load"), "--json", "--warmup", "0", "--connections", "4", *arguments]
    if "thread" in os.environ.get("NEN_SANITIZE", "") and shutil.which("setarch"):
        command = ["setarch", "--addr-no-randomize", *command]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=60, check=False)
    if done.returncode != exit_code:
        raise Failure(f"{' '.join(command)} ended with {done.returncode}, not {exit_code}:\n"
                      f"{done.stdout}{done.stderr}")
    return json.loads(done.stdout) if done.stdout else done.stderr


class Threaded:
    """A server on its own thread, with one for each connection: serve(peer, number), of which
    `number` counts them from 0."""

    def __init__(self):
        self.accepted = 0
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.authority = f"127.0.0.1:{self.listener.getsockname()[1]}"

    def __enter__(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.listener.close()

    def _accept(self):
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self.serve, args=(peer, self.accepted), daemon=True).start()
            self.accepted += 1


class Told(Threaded):
    """answer(number, connection) returns the bytes for a request, of which `number` counts all so
    far from 1, or None to close."""

    def __init__(self, answer, end=b"\r\n\r\n"):
        super().__init__()
        self.answer, self.end, self.requests = answer, end, 0

    def serve(self, peer, _):
        waiting = b""
        with peer:
            while True:
                head, found, rest = waiting.partition(self.end)
                if not found:
                    try:
                        more = peer.recv(65536)
                    except OSError:
                        return
                    if not more:
                        return
                    waiting += more
                    continue
                waiting = rest
                with self.lock:
                    self.requests += 1
                    number = self.requests
                answer = self.answer(number, head)
                if answer is None:
                    return
                try:
                    peer.sendall(answer)
                except OSError:
                    return
                if b"Connection: close" in head:
                    return


def check_failures(what, found, **wanted):
    """Just these failures; a count may be None for any."""
    there = {name: count for name, count in found["failures"].items() if count}
    check(f"{what}: kinds of failures", sorted(there), sorted(wanted))
    for name, count in wanted.items():
        if count is not None:
            check(f"{what}: {name}", there[name], count)
    check(f"{what}: it says the first", found["first_failure"], lambda text: text != "")
