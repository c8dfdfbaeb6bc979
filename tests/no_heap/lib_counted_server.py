"""A server that counts who asks for memory, clients for it, and what is judged of the counts.

    with CountedServer("wait", "patient") as server:
        server.phase("routes")
        ...
    server.judge()
"""

import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "clients"))
from lib_http import Reader  # noqa: E402
from lib_server_under_test import Failure, SKIPPED, Skip, check, program  # noqa: E402

SHARDS = 2
# Phases that are not judged: what a server does before it listens and when run() has returned.
OUTSIDE = ("before it listens", "after its end")
LAST = "drains and ends"
# What ends a shard: liburing unmaps its ring (three pieces at most), and glibc frees what the
# thread does not have.
AT_THE_END = {"munmap": 3 * SHARDS, "free(nullptr)": 4 * SHARDS}


class Client:
    """One connection. Every read gives up after 20 seconds."""

    def __init__(self, address, receive_buffer=0):
        self.sock = socket.socket()
        if receive_buffer:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock.settimeout(20)
        self.sock.connect(address)
        self.reader = Reader(self.sock)

    def send(self, data):
        self.sock.sendall(data)

    def send_what_fits(self, data):
        """For a server that does not read on."""
        self.sock.setblocking(False)
        try:
            self.sock.send(data)
        except (BlockingIOError, ConnectionError):
            pass
        self.sock.settimeout(20)

    def ask(self, request, method="GET"):
        self.send(request)
        answer = self.reader.response(method)
        if answer is None:
            raise Failure(f"closed instead of answering {request[:80]!r}")
        return answer

    def read_until(self, words):
        """All that comes up to the end of these words."""
        while words not in self.reader.left:
            data = self.sock.recv(65536)
            if not data:
                raise Failure(f"ended without {words!r}: {self.reader.left[-200:]!r}")
            self.reader.left += data
        at = self.reader.left.index(words) + len(words)
        seen, self.reader.left = self.reader.left[:at], self.reader.left[at:]
        return seen

    def read_to_end(self):
        """All that comes until the server closes; a reset counts as an end."""
        parts = [self.reader.left]
        self.reader.left = b""
        try:
            while data := self.sock.recv(1 << 20):
                parts.append(data)
        except ConnectionError:
            pass
        return b"".join(parts)

    def finish_sending(self):
        self.sock.shutdown(socket.SHUT_WR)

    def close(self):
        self.sock.close()

    def reset(self):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()


def get(target, more="", method="GET", version="1.1"):
    return f"{method} {target} HTTP/{version}\r\nHost: h\r\n{more}\r\n".encode()


def post(target, body, more="", method="POST"):
    return get(target, f"Content-Length: {len(body)}\r\n{more}", method) + body


def chunked(target, *parts, more=""):
    body = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts)
    return get(target, f"Transfer-Encoding: chunked\r\n{more}", "POST") + body + b"0\r\n\r\n"


class CountedServer:
    def __init__(self, when_full, patience, *more):
        self.command = [program("no_heap_server"), when_full, patience, *more]
        self.errors = tempfile.TemporaryFile("w+")
        self.counts = {}  # phase -> (side, call) -> number, in the order of the phases
        self.callers = []

    # ---- while it runs ----

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=self.errors, text=True)
        line = self.process.stdout.readline()
        match = re.fullmatch(r"([\d.]+):(\d+)\n", line)
        if match is None:
            code = self.process.wait(10)
            if code == SKIPPED:
                raise Skip(self.said())
            raise Failure(f"it ended at once with {code}: {self.said()}")
        self.address = (match[1], int(match[2]))
        return self

    def said(self):
        return os.pread(self.errors.fileno(), 1 << 20, 0).decode(errors="replace")

    def tell(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise Failure(f"the server ended by itself with {self.process.wait(10)}: {self.said()}")
        return answer.rstrip("\n")

    def phase(self, name):
        check("answer to a command", self.tell(f"phase {name}"), "ok")

    @staticmethod
    def counters_in(text):
        return {name: int(value) for name, value in (pair.split("=") for pair in text.split())}

    def counters(self):
        return self.counters_in(self.tell("counters"))

    def wait_for(self, name, more=1, since=None, seconds=15):
        """Waits until this counter has grown by so much, since it was asked for."""
        begin = (since or self.before)[name]
        deadline = time.monotonic() + seconds
        while (now := self.counters()[name]) < begin + more:
            if time.monotonic() > deadline:
                raise Failure(f"{name} is {now}, wanted {begin + more}")
            time.sleep(0.005)

    def remember(self):
        """Counters are compared with what they are now."""
        self.before = self.counters()

    def wait_until_empty(self):
        deadline = time.monotonic() + 15
        while True:
            now = self.counters()
            if now["connections_accepted"] == now["connections_closed"]:
                return
            if time.monotonic() > deadline:
                raise Failure(f"somebody is still connected: {now}")
            time.sleep(0.005)

    def connect(self, receive_buffer=0):
        return Client(self.address, receive_buffer)

    def connect_to(self, shard, receive_buffer=0):
        """The kernel chooses the shard, so this asks until it is the wanted one."""
        for _ in range(200):
            client = self.connect(receive_buffer)
            if client.ask(get("/shard")).body == b"%d" % shard:
                return client
            client.close()
        raise Failure(f"no connection reaches shard {shard}")

    # ---- its end ----

    def drain(self):
        """Begins its end; what clients still wait for has to come."""
        self.phase(LAST)
        self.process.send_signal(signal.SIGINT)

    def __exit__(self, kind, problem, trace):
        if kind is not None:
            self.process.kill()
            self.process.wait()
            print(f"---- the server said:\n{self.said()}----")
            return
        try:
            output, _ = self.process.communicate(timeout=15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise Failure("it does not end") from None
        check("exit code", self.process.returncode, 0)
        for line in output.splitlines():
            self.take(line.split("\t"))

    def take(self, words):
        if words[0] == "phase":
            self.counts[words[1]] = {}
        elif words[0] == "count":
            self.counts[words[1]][words[2], words[3]] = int(words[4])
        elif words[0] == "caller":
            self.callers.append((words[1], words[2], []))
        elif words[0] == "frame":
            self.callers[-1][2].append((words[1], words[2]))
        else:  # the last line
            self.last_counters = self.counters_in(words[0])

    # ---- what is judged ----

    def asked(self, phase, side="others"):
        return {call: n for (who, call), n in self.counts[phase].items() if who == side}

    def objections(self):
        """What there is in a phase that must not be there."""
        for phase in self.counts:
            if phase in OUTSIDE:
                continue
            allowed = AT_THE_END if phase == LAST else {}
            for call, n in self.asked(phase).items():
                if n > allowed.get(call, 0):
                    yield phase, call, n

    def print_table(self):
        def row(*cells):
            print(f"{cells[0]:<28}{cells[1]:>10}{cells[2]:>14}  {cells[3]}")

        row("phase", "nen's side", "exceptions", "calls")
        for phase in self.counts:
            mine, thrown = self.asked(phase), self.asked(phase, "exceptions")
            details = ", ".join(f"{call} {n}" for call, n in mine.items())
            row(phase, sum(mine.values()), sum(thrown.values()),
                f"({details})" if phase in (*OUTSIDE, LAST) and details else details)

    def print_callers(self):
        """From where memory was asked for the first times."""
        for phase, call, frames in self.callers[:4]:
            print(f'{call} in "{phase}", called by:')
            for file, offset in frames:
                print(f"  {place(file, offset)}")

    def judge(self):
        """Fails unless nobody asked for memory."""
        self.print_table()
        found = "; ".join(f'"{phase}": {call} {n} times' for phase, call, n in self.objections())
        if found:
            self.print_callers()
            raise Failure(found)


def place(file, offset):
    """Where an address is, as short as it can be said: a name here is as long as the routes."""
    if shutil.which("addr2line") is None:
        return f"{file} {offset}"
    # A return address is behind its call.
    lines = subprocess.run(["addr2line", "-Cfe", file, hex(int(offset, 16) - 1)],
                           stdout=subprocess.PIPE, text=True).stdout.splitlines()
    return f"{lines[1]} {lines[0][:80]}" if len(lines) == 2 else f"{file} {offset}"
