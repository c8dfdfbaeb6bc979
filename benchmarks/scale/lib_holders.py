"""Processes that hold connections: several, because one may not have all descriptors; and each with
some addresses of 127.0.0.0/8 of its own. One address has no more than 28,000 ports by default, and
when half of them are taken the kernel looks for a free one for milliseconds."""

import multiprocessing
import os
import socket
import struct

IP_BIND_ADDRESS_NO_PORT = 24  # ip(7): the port is chosen when it connects, by both addresses
REQUEST = b"GET /plaintext HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: scale\r\n\r\n"
BODY = b"Hello, World!"
AT_ONCE = 32  # requests of one process under way
SOURCES = 6  # addresses of one process
PATIENCE = struct.pack("ll", 30, 0)  # seconds, and microseconds, until a connection is given up


class Holder:
    """What runs in the process: does what it is told, and says when it is done."""

    def __init__(self, pipe, network, port, cpus):
        self.pipe, self.network, self.port = pipe, network, port
        self.held = []
        os.sched_setaffinity(0, cpus)

    def serve(self):
        while True:
            what, *values = self.pipe.recv()
            try:
                done = getattr(self, what)(*values)
            except (OSError, RuntimeError) as problem:
                done = f"{self.network}.0/24, holding {len(self.held)}: {problem}"
            self.pipe.send(done)

    def open(self, count, asks):
        for _ in range(count):
            made = socket.socket()
            made.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
            for option in (socket.SO_SNDTIMEO, socket.SO_RCVTIMEO):  # connecting is sending
                made.setsockopt(socket.SOL_SOCKET, option, PATIENCE)
            made.bind((f"{self.network}.{2 + len(self.held) % SOURCES}", 0))
            made.connect(("127.0.0.1", self.port))
            self.held.append(made)
        if asks:
            self.ask(self.held[-count:] if count else [])

    @staticmethod
    def ask(chosen):
        """Makes a request on each."""
        for begin in range(0, len(chosen), AT_ONCE):
            some = chosen[begin:begin + AT_ONCE]
            for one in some:
                one.sendall(REQUEST)
            for one in some:
                got = b""
                while not got.endswith(BODY):
                    more = one.recv(4096)
                    if not more:
                        raise RuntimeError("the server closed a connection that it was to answer")
                    got += more
                if not got.startswith(b"HTTP/1.1 200 "):
                    raise RuntimeError(f"a wrong answer: {got[:200]!r}")

    def ask_all(self):
        self.ask(self.held)

    def drop(self, count, resets):
        """Closes the connections that it opened last. A reset leaves nothing of them in the kernel,
        an orderly end leaves the closed end's last minute there."""
        for _ in range(count):
            one = self.held.pop()
            if resets:
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            one.close()


def run(pipe, *arguments):
    try:
        Holder(pipe, *arguments).serve()
    except (EOFError, KeyboardInterrupt):
        os._exit(0)  # whoever held it together is gone


class Holders:
    """with Holders([how many each may hold, ...], port, cpus, network) as holders: ..."""

    def __init__(self, capacities, port, cpus, network):
        self.capacities, self.counts = capacities, [0] * len(capacities)
        self.workers = []
        context = multiprocessing.get_context("fork")
        for i in range(len(capacities)):
            ours, theirs = context.Pipe()
            process = context.Process(target=run, daemon=True,
                                      args=(theirs, f"127.{network}.{i}", port, cpus))
            process.start()
            theirs.close()
            self.workers.append((process, ours))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process, pipe in self.workers:
            pipe.close()
            process.terminate()
        for process, _ in self.workers:
            process.join()

    def __len__(self):
        return sum(self.counts)

    def pids(self):
        return [process.pid for process, _ in self.workers]

    def begin(self, orders):
        for (_, pipe), order in zip(self.workers, orders):
            pipe.send(order)

    def is_busy(self):
        return not all(pipe.poll() for _, pipe in self.workers)

    def end(self):
        """Waits for all of them."""
        for done in [pipe.recv() for _, pipe in self.workers]:
            if done is not None:
                raise SystemExit(f"a process that holds connections, {done}")

    def begin_growing(self, total, asks):
        """Has them open connections until they hold `total` together."""
        whole = sum(self.capacities)
        wanted = [total * capacity // whole for capacity in self.capacities]
        for i in range(total - sum(wanted)):
            wanted[i] += 1
        self.begin([("open", new - old, asks) for old, new in zip(self.counts, wanted)])
        self.counts = wanted

    def drop(self, count, resets):
        left = [(len(self) - count) * held // max(1, len(self)) for held in self.counts]
        for i in range(len(self) - count - sum(left)):
            left[i] += 1
        self.begin([("drop", old - new, resets) for old, new in zip(self.counts, left)])
        self.counts = left
        self.end()
