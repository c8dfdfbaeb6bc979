"""5,000 sockets that send a request's head at one byte a second, against a server of 1,024
connections and 64 slots for heads that are not complete.

What the server promises: whoever is connected is served as always, because a head that comes in one
piece needs no slot. An incomplete head beyond the 64th costs the oldest one its slot: that one is
answered 408 and closed. Who comes new waits in the kernel's backlog behind the attackers that came
before him; all of these are through with the server after the header timeout at the latest, so that
a new client waits, but not for ever."""

import select
import socket
import time

from lib_load import Attack, Latencies, NormalClient, allow_many_files, check_p99
from lib_server_under_test import SANITIZED, Server, check, main

SOCKETS = 5000
HEAD = b"GET / HTTP/1.1\r\nHost: test\r\nX-Padding: "
P99_LIMIT_MS = 10
MAX_LIMIT_MS = 500
WAIT_LIMIT_MS = 10_000  # listen_options::header_timeout


class Loris:
    """Keeps SOCKETS sockets open; a new one takes the place of each that has ended.

    @param stubborn  they go on after the answer 408, until they are cut off"""

    def __init__(self, address, stubborn):
        self.address, self.stubborn = address, stubborn
        self.epoll, self.socks, self.sent = select.epoll(), {}, {}
        self.turn_of, self.bytes, self.ended, self.answers = [], 0, 0, {}
        for _ in range(SOCKETS):
            self.open_one()

    def open_one(self):
        sock = socket.socket()
        sock.setblocking(False)
        sock.connect_ex(self.address)
        self.socks[sock.fileno()], self.sent[sock.fileno()] = sock, 0
        self.epoll.register(sock, select.EPOLLIN)

    def end(self, fd):
        self.epoll.unregister(fd)
        self.socks.pop(fd).close()
        self.ended += 1
        self.open_one()

    def read(self):
        for fd, _ in self.epoll.poll(0.005):
            try:
                data = self.socks[fd].recv(4096)
            except BlockingIOError:
                continue
            except OSError:
                self.end(fd)
                continue
            if data:
                status = int(data.split()[1])
                self.answers[status] = self.answers.get(status, 0) + 1
            elif self.stubborn:
                self.epoll.modify(fd, 0)  # only a reset is still told
            else:
                self.end(fd)

    def send_to_next(self):
        if not self.turn_of:
            self.turn_of = list(self.socks)
        fd = self.turn_of.pop()
        if fd not in self.socks:
            return
        at = self.sent[fd]
        try:
            self.socks[fd].send(HEAD[at:at + 1] or b"x")
        except BlockingIOError:
            return  # it is not connected yet
        except OSError:
            return self.end(fd)
        self.sent[fd] += 1
        self.bytes += 1


def run_loris(ready, stop, address, stubborn):
    """The attack. Returns (bytes sent, sockets that ended, number of answers of each status)."""
    loris, begin, turns = Loris(address, stubborn), time.monotonic(), 0
    while not stop():
        loris.read()
        seconds = time.monotonic() - begin
        due = int(seconds * SOCKETS)
        for _ in range(min(due - turns, SOCKETS)):
            loris.send_to_next()
        turns = due
        if seconds > 3:
            ready()
    return loris.bytes, loris.ended, loris.answers


def wait_of_new_client(server):
    """Milliseconds from connecting to the first answer; behind it, he is served as the others."""
    begin = time.perf_counter()
    with NormalClient(server) as late:
        late.ask()
        waited = (time.perf_counter() - begin) * 1000
        served = late.ask_for(1)
    return waited, served


def test_loris(stubborn):
    what = "stubborn loris" if stubborn else "loris"
    with Server("demo", "--port", "0") as server:
        with NormalClient(server) as early:
            early.ask_for(0.2)
            with Attack(run_loris, server.address, stubborn) as attack:
                rounds = [early.ask_for(1) for _ in range(5)]
                waits, later = [], []
                for _ in range(1 if SANITIZED else 3):
                    waited, served = wait_of_new_client(server)
                    waits.append(waited)
                    later.append(served)
                rounds.append(early.ask_for(1))
                sent, ended, answers = attack.result()
    print(f"{what}: {sent} bytes sent, {ended} sockets ended, answers {answers}")
    print(f"{what}, new clients until their first answer: {Latencies(waits)}")
    check("only one answer is given to a head that does not end", list(answers), [408])
    check("somebody has paid for the memory", ended, lambda n: n > 64)
    check_p99(f"{what}, clients that are connected", rounds, P99_LIMIT_MS, MAX_LIMIT_MS)
    check_p99(f"{what}, new clients behind their first answer", later, P99_LIMIT_MS, MAX_LIMIT_MS)
    check(f"{what}: a new client's wait in ms", max(waits),
          lambda ms: ms < WAIT_LIMIT_MS * (5 if SANITIZED else 1))


def test():
    allow_many_files(2 * SOCKETS)
    test_loris(stubborn=False)
    test_loris(stubborn=True)


main(test)
