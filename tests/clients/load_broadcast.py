"""The load generator's --broadcast: against the room of the benchmark target, and against rooms
that leave somebody out, or say something else."""

import socket
import time

from lib_load_generator import Threaded, check_failures, load
from lib_server_under_test import Failure, Server, check, main

ACCEPT = (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
          b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n")
SIZE = 20
MEMBERS = 4
PAYLOAD = b"abcdefghijklmnopqrst"
FRAME = bytes([0x82, SIZE]) + PAYLOAD


class Room(Threaded):
    """It says each message to all members, in the order in which they came, by deliver(message's
    number, member's number, socket); both are counted from 0. Without the function, or where it
    returns None, it says it as it should."""

    def __init__(self, deliver=lambda *_: None):
        super().__init__()
        self.deliver, self.members, self.speakers = deliver, {}, []
        self.is_held, self.early = False, 0  # before some member's turn; messages that come then
        self.url = f"ws://{self.authority}/"

    def serve(self, peer, number):
        waiting = b""
        while b"\r\n\r\n" not in waiting:
            more = peer.recv(65536)
            if not more:
                return
            waiting += more
        waiting = waiting.partition(b"\r\n\r\n")[2]
        with self.lock:
            self.members[number] = peer
        with peer:
            try:
                peer.sendall(ACCEPT)
                while more := peer.recv(65536):
                    waiting += more
                    while len(waiting) >= 6 + SIZE:
                        frame, waiting = waiting[:6 + SIZE], waiting[6 + SIZE:]
                        self._say(number, frame)
            except OSError:
                pass  # this member left, or was thrown out
            finally:
                with self.lock:
                    self.members.pop(number, None)

    def _say(self, speaker, frame):
        payload = bytes(byte ^ frame[2 + i % 4] for i, byte in enumerate(frame[6:]))
        if frame[:2] != bytes([0x82, 0x80 | SIZE]) or payload != PAYLOAD:
            raise Failure(f"the load sent {frame!r}")
        if self.is_held:
            self.early += 1
        with self.lock:
            message = len(self.speakers)
            self.speakers.append(speaker)
            for number, member in sorted(self.members.items()):
                if self.deliver(message, number, member) is None:
                    member.sendall(FRAME)


def run(room, *arguments, messages=8, exit_code=0):
    return load("--broadcast", "--requests", str(messages), *arguments, room.url,
                exit_code=exit_code)


def everybody_hears_everything(shards):
    with Server("target", "--port", "0", "--shards", shards) as server:
        url = server.url("/ws/room").replace("http:", "ws:")
        # The room's letters to other shards have 4 KiB.
        longest = "70000" if shards == "1" else "4096"
        for arguments in ([], ["--text"], ["--message-bytes", "0"], ["--message-bytes", "3000"],
                          ["--message-bytes", longest], ["--connections", "1"],
                          ["--connections", "300"]):
            what = f"{shards} shards, {' '.join(arguments)}"
            found = load("--broadcast", "--requests", "20", *arguments, url)
            check(f"{what}: failures", sum(found["failures"].values()), 0)
            check(f"{what}: each member joined once", found["opened"], found["connections"])
            # The last message's answers may come when its measuring is over; its latencies count.
            check(f"{what}: deliveries", found["latency"]["count"], 20 * found["connections"])
        found = load("--broadcast", "--duration", "0.3", "--server-pid", str(server.process.pid),
                     url)
        check("by time: deliveries", found["answers"], lambda count: count > 20)
        check("CPU time of a delivery in us", found["server_cpu"], lambda us: 0.01 < us < 10_000)


def one_speaks_at_a_time():
    def hold_the_last(message, member, _):
        if member == MEMBERS - 1 and message < 4:
            room.is_held = True
            time.sleep(0.05)
            room.is_held = False

    with Room(hold_the_last) as room:
        found = run(room)
    check("deliveries", found["latency"]["count"], 8 * MEMBERS)
    check("each speaks in turn", room.speakers[4:], room.speakers[:4])
    check("who spoke", sorted(room.speakers[:4]), list(range(MEMBERS)))
    check("messages that did not wait for the slowest member", room.early, 0)
    check("the slowest of all in us", found["latency"]["max"], lambda us: us > 50_000)
    # One in eight deliveries was late: it counts from when its message was sent.
    check("half of them in us", found["latency"]["p50"], lambda us: us < 50_000)


def wrong_rooms():
    def wrong(what, deliver, *arguments, connections=MEMBERS + 1, missing=1, **failures):
        def third_to_second(message, member, peer):
            return deliver(peer) if (message, member) == (2, 1) else None

        with Room(third_to_second) as room:
            found = run(room, *arguments, exit_code=1)
        check_failures(what, found, **failures)
        check(f"{what}: connections, with the one that comes again", found["opened"], connections)
        check(f"{what}: deliveries", found["latency"]["count"], 8 * MEMBERS - missing)
        check(f"{what}: messages", len(room.speakers), 8)

    wrong("one is left out", lambda _: "", "--timeout", "1", timed_out=1)
    wrong("one hears half of it", lambda peer: peer.sendall(FRAME[:-1]) or "", "--timeout", "1",
          timed_out=1)
    wrong("one is thrown out", lambda peer: peer.shutdown(socket.SHUT_RDWR) or "", closed=1)
    wrong("one hears something else", lambda peer: peer.sendall(FRAME[:-1] + b"!") or "",
          connections=MEMBERS, missing=0, content=1)
    wrong("one hears less", lambda peer: peer.sendall(bytes([0x82, 3]) + b"abc") or "",
          connections=MEMBERS, missing=0, length=1)
    wrong("one hears it twice", lambda peer: peer.sendall(2 * FRAME) or "", missing=0, unasked=1)
    wrong("one hears text", lambda peer: peer.sendall(b"\x81" + FRAME[1:]) or "", malformed=1)

    with Room(lambda message, member, _: "" if (message, member) == (5, 1) else None) as room:
        found = load("--broadcast", "--duration", "30", "--timeout", "1", "--requests", "6",
                     room.url, exit_code=1)
    check_failures("somebody misses the last message", found, timed_out=1)


def a_room_of_another_server():
    """Who only echoes is no room: the others hear nothing."""
    with Server("target", "--port", "0") as server:
        found = load("--broadcast", "--requests", "1", "--timeout", "1",
                     server.url("/ws/plain").replace("http:", "ws:"), exit_code=1)
    check_failures("an echo", found, timed_out=MEMBERS - 1)


def command_lines():
    ws = "ws://127.0.0.1:1/"
    for arguments in ([ws, "--threads", "2"], [ws, "--pipeline", "2"], [ws, "--rate", "5"],
                      [ws, "--requests-per-connection", "2"], ["http://127.0.0.1:1/"],
                      ["tcp://127.0.0.1:1"]):
        said = load("--broadcast", *arguments, exit_code=2)
        check(f"a sentence for {arguments}", said, lambda text: text.startswith("load: --"))


def test():
    for shards in ("1", "2"):
        everybody_hears_everything(shards)
    one_speaks_at_a_time()
    wrong_rooms()
    a_room_of_another_server()
    command_lines()


main(test)
