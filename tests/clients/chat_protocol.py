"""The chat example without its page: who may talk, what is heard by whom, and what is shown to
those who come later."""

import http.client
import json
import time

from lib_server_under_test import Server, check, main
from lib_websocket import BINARY, CLOSE, RawClient, TEXT, check_origins

NAME_CHARACTERS_MAX = 32
LINE_BYTES_MAX = 1024
HISTORY = 100


class Person(RawClient):
    """Somebody with a page of the chat."""

    def __init__(self, server, name):
        super().__init__(server, "/chat")
        self.name = name
        self.say(name)

    def say(self, text):
        self.send(TEXT, text if isinstance(text, bytes) else text.encode())

    def hear(self):
        opcode, payload = self.receive()
        check("opcode", opcode, TEXT)
        return json.loads(payload)

    def hear_news(self, kind, name, here):
        check("news", self.hear(), {"kind": kind, "name": name, "here": here})

    def hear_line(self, name, text):
        line = self.hear()
        check("a line", (line["kind"], line["name"], line["text"]), ("line", name, text))
        check("when it was said", abs(line["at"] - time.time()) < 60, True)
        return line["number"]

    def hear_end(self, code, reason=b""):
        self.expect("a close", CLOSE, code.to_bytes(2, "big") + reason)

    def leave(self):
        self.send(CLOSE, b"\x03\xe9")
        self.hear_end(1001)
        self.sock.close()


def check_page(server):
    connection = http.client.HTTPConnection(*server.address, timeout=20)
    connection.request("GET", "/")
    answer = connection.getresponse()
    check("the page", (answer.status, answer.getheader("Content-Type")),
          (200, "text/html; charset=utf-8"))
    check("only its own", answer.getheader("Content-Security-Policy"),
          lambda policy: policy.startswith("default-src 'none';"))
    check("it is a page", answer.read()[:15], b"<!doctype html>")
    connection.close()


def check_talk(server):
    ann = Person(server, "Ann")
    ann.hear_news("joined", "Ann", 1)
    bob = Person(server, "  Bob\t")
    for person in [ann, bob]:
        person.hear_news("joined", "Bob", 2)
    numbers = []
    lines = ["hello", "\"quoted\" \\ back/slash", "h\u00e9llo \u20ac \U0001f600",
             "</script><b>&amp;", "x" * LINE_BYTES_MAX, "\u2028\u2029", "\\" * LINE_BYTES_MAX]
    for i, line in enumerate(lines):
        speaker = [ann, bob][i % 2]
        speaker.say(line)
        numbers += {person.hear_line(speaker.name.strip(), line) for person in [ann, bob]}
    check("one number for a line, and they rise by one", numbers,
          list(range(numbers[0], numbers[0] + len(lines))))

    # White space is no line; within one, control characters are spaces.
    for nothing in ["", " ", "\n\t\r"]:
        ann.say(nothing)
    ann.say("\x00a\tb\x1f\x7fc\n")
    for person in [ann, bob]:
        person.hear_line("Ann", "a b  c")

    # Who comes later is shown what was said, and then that he came.
    eve = Person(server, "\"Eve\\")
    for i, line in enumerate(lines):
        eve.hear_line(["Ann", "Bob"][i % 2], line)
    eve.hear_line("Ann", "a b  c")
    for person in [ann, bob, eve]:
        person.hear_news("joined", "\"Eve\\", 3)

    bob.leave()
    for person in [ann, eve]:
        person.hear_news("left", "Bob", 2)
    eve.sock.close()  # as a phone that is switched off
    ann.hear_news("left", "\"Eve\\", 1)
    ann.leave()


def check_history(server):
    """Long lines, so that what is shown to a newcomer has to wait for him to read."""
    lines = [f"{i:03} " + "\\" * (LINE_BYTES_MAX - 4) for i in range(HISTORY + 20)]
    ann = Person(server, "Ann")
    while ann.hear()["kind"] != "joined":
        pass
    for line in lines:
        ann.say(line)
        ann.hear_line("Ann", line)
    late = [Person(server, f"late {i}") for i in range(3)]
    for person in late:
        for line in lines[-HISTORY:]:
            person.hear_line("Ann", line)
        check("who has seen all is in", person.hear()["kind"], "joined")
    for person in [*late, ann]:
        person.sock.close()


def check_refusals(server):
    reason = b"A name has 1 to 32 characters."
    for name in ["", "   ", "\t\n", "x" * (NAME_CHARACTERS_MAX + 1), "\u00e9" * 33, "x" * 1024]:
        Person(server, name).hear_end(1008, reason)
    for name in ["x" * NAME_CHARACTERS_MAX, "\U0001f600" * NAME_CHARACTERS_MAX]:
        with Person(server, name) as person:
            person.say("x" * (LINE_BYTES_MAX + 1))
            while person.receive()[0] != CLOSE:
                pass
    for what, opcode, payload, code, reason in [
            ("a name too long to look at", TEXT, b"x" * (LINE_BYTES_MAX + 1), 1009, b""),
            ("no text", BINARY, b"Ann", 1003, b"text only"),
            ("no UTF-8", TEXT, b"\xff", 1007, b"")]:
        with RawClient(server, "/chat") as person:
            person.send(opcode, payload)
            person.expect(what, CLOSE, code.to_bytes(2, "big") + reason)


def test():
    with Server("03_chat", "--port", "0") as server:
        check_page(server)
        check_origins(server, "/chat")
        check_talk(server)
        check_history(server)
        check_refusals(server)


main(test)
