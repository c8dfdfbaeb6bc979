"""SIGINT while requests are on their way: the server ends in time and with code 0, and every answer
that it has given has arrived whole."""

import random
import re
import socket
import subprocess
import threading
import time

from lib_http import Reader
from lib_server_under_test import Failure, Server, check, main, tool

DRAIN_SECONDS = 10  # listen_options::drain_timeout


class Client(threading.Thread):
    """Writes batches of requests and counts whole answers until the server closes."""

    BATCH = 8

    def __init__(self, server, seed):
        super().__init__(daemon=True)
        self.sock = server.connect()
        self.chance = random.Random(seed)
        self.answers = 0
        self.problem = None

    def run(self):
        try:
            with self.sock:
                self.talk()
        except (Failure, OSError, ValueError) as problem:
            self.problem = problem

    def talk(self):
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        reader = Reader(self.sock)
        while True:
            numbers = [self.chance.randrange(1 << 32) for _ in range(self.BATCH)]
            self.send(b"".join(b"GET /users/%d HTTP/1.1\r\nHost: test\r\n\r\n" % number
                               for number in numbers))
            for number in numbers:
                answer = self.next_answer(reader)
                if answer is None:
                    return
                check("status", answer.status, 200)
                check("an answer in its place", b'"id":%d,' % number in answer.body, True)
                self.answers += 1
                if answer.fields.get("connection") == "close":
                    check("nothing behind the last answer", reader.at_end(), True)
                    return

    def send(self, batch):
        """In two pieces, so that the server is often stopped in the middle of a batch."""
        cut = self.chance.randrange(len(batch))
        try:
            self.sock.sendall(batch[:cut])
            self.sock.sendall(batch[cut:])
        except (ConnectionResetError, BrokenPipeError):
            pass  # it closed between two requests; what it answered before can still be read

    @staticmethod
    def next_answer(reader):
        try:
            return reader.response()
        except ConnectionResetError:
            if reader.left:
                raise Failure("a reset cut an answer off") from None
            return None


def check_every_answer_arrives(seed):
    with Server("demo", "--port", "0") as server:
        clients = [Client(server, seed * 1000 + i) for i in range(32)]
        for client in clients:
            client.start()
        time.sleep(0.2 + random.Random(seed).random() / 5)
        seconds = server.stop()
        for client in clients:
            client.join(10)
            check("a client has ended", client.is_alive(), False)
            if client.problem is not None:
                raise client.problem
        said = re.search(r"stopped: ([\d,]+) requests answered", server.said())[1]
        answered, arrived = int(said.replace(",", "")), sum(client.answers for client in clients)
        print(f"seed {seed}: {answered} answered, {arrived} arrived, stopped in {seconds:.3f} s")
        check("answers that arrived", arrived, answered)
        check("work was done", answered > 32, True)
        check("seconds to stop", seconds, lambda s: s < DRAIN_SECONDS)


def check_stop_under_wrk():
    for shards in ["1", "2"]:
        with Server("target", "--port", "0", "--shards", shards) as server:
            wrk = subprocess.Popen([tool("wrk"), "-t2", "-c256", "-d30s", server.url("/json")],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                time.sleep(1)
                seconds = server.stop()
            finally:
                wrk.terminate()
                wrk.wait()
            print(f"wrk on {shards} shards: stopped in {seconds:.3f} s")
            check("seconds to stop", seconds, lambda s: s < DRAIN_SECONDS)


HALF = b"POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: 10\r\n\r\n01234"


def check_request_in_hand():
    """Who has sent half a request may finish it; idle connections end at once; none comes in."""
    with Server("target", "--port", "0") as server:
        with server.connect() as idle, server.connect() as busy:
            busy.sendall(HALF)
            time.sleep(0.3)
            server.interrupt()
            check("the idle connection ends", idle.recv(1), b"")
            with socket.socket() as late:
                check("a late one is refused", late.connect_ex(server.address) != 0, True)
            check("it waits", server.process.poll(), None)
            busy.sendall(b"56789")
            reader = Reader(busy)
            answer = reader.response()
            check("the answer", (answer.status, answer.body), (200, b"0123456789"))
            check("says so", answer.fields.get("connection"), "close")
            check("nothing behind the last answer", reader.at_end(), True)
        check("seconds to stop", server.wait_for_end(), lambda s: s < 5)


def check_request_never_finished(signals):
    """Who never finishes is cut off when the drain time is over, or at once by a second SIGINT."""
    with Server("target", "--port", "0", stop_seconds=DRAIN_SECONDS + 5) as server:
        with server.connect() as stuck:
            stuck.sendall(HALF)
            time.sleep(0.3)
            server.interrupt()
            time.sleep(0.3)
            check("it waits", server.process.poll(), None)
            if signals == 2:
                server.interrupt()
            seconds = server.wait_for_end()
            if signals == 2:
                check("seconds to stop", seconds, lambda s: s < 3)
            else:
                check("seconds to stop", seconds,
                      lambda s: DRAIN_SECONDS - 2 < s < DRAIN_SECONDS + 3)


def test():
    for seed in range(6):
        check_every_answer_arrives(seed)
    check_stop_under_wrk()
    check_request_in_hand()
    check_request_never_finished(signals=2)
    check_request_never_finished(signals=1)


main(test, needs=["wrk"])
