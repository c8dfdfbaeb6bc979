"""Members of a room who do not read miss messages; the others hear everything, as quickly as if
they were not there. When they read on, they hear what waited for them, in order, and what is said
from then on."""

import time

from lib_load import Latencies, check_p99, resident_kib
from lib_server_under_test import Failure, SANITIZED, Server, check, main
from lib_websocket import CLOSE, RawClient, TEXT

SLOW, FAST = 10, 3
ROUNDS, ROUND_MESSAGES = 5, 600
FILLING = "x" * 4000
P99_LIMIT_MS = 10
MAX_LIMIT_MS = 1000


class Room:
    def __init__(self, server):
        self.said = 0
        self.fast = [RawClient(server, "/ws/room") for _ in range(FAST)]

    def say(self):
        """One message. Returns the milliseconds until all who read have heard it."""
        message = f"{self.said} {FILLING}".encode()
        self.said += 1
        begin = time.perf_counter()
        self.fast[0].send(TEXT, message)
        for member in self.fast:
            member.expect("who reads", TEXT, message)
        return (time.perf_counter() - begin) * 1000

    def say_many(self, count):
        return Latencies([self.say() for _ in range(count)])


def hear_the_rest(room, member):
    """What a slow member heard, by number, up to something that was said while he read."""
    now, heard = room.said, []
    room.say()
    while not heard or heard[-1] < now:
        opcode, payload = member.receive()
        check("opcode", opcode, TEXT)
        number, filling = payload.decode().split(" ", 1)
        check("what was said", filling == FILLING, True)
        heard.append(int(number))
        if len(heard) % 100 == 0:
            now = room.said  # he may have missed the one before
            room.say()
    return heard


def test():
    messages = ROUND_MESSAGES // (5 if SANITIZED else 1)
    with Server("target", "--port", "0") as server:
        room = Room(server)
        check_p99("nobody is slow", [room.say_many(messages)], P99_LIMIT_MS, MAX_LIMIT_MS)
        slow = [RawClient(server, "/ws/room", receive_bytes=4096) for _ in range(SLOW)]
        first = room.said
        check_p99(f"{SLOW} are slow", [room.say_many(messages) for _ in range(ROUNDS)],
                  P99_LIMIT_MS, MAX_LIMIT_MS)
        last = room.said
        print(f"resident {resident_kib(server)} KiB")
        for member in slow:
            heard = hear_the_rest(room, member)
            if heard != sorted(set(heard)) or heard[0] != first:
                raise Failure(f"a slow member heard these: {heard[:50]}")
            before = sum(number < last for number in heard)
            check("messages that waited for a slow member", before, lambda n: n >= 10)
            if not SANITIZED:
                check("a slow member missed some", before, lambda n: n < last - first)
            member.send(CLOSE, b"\x03\xe8")
        room.say_many(10)


main(test)
