"""WebSockets, with and without compression: messages of every kind, mistakes and ends, memory that
runs out; nen asks for none."""

import base64
import os
import struct
import time
import zlib

from lib_counted_server import CountedServer, check, get, SHARDS
from lib_server_under_test import main

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
OFFERS = ["", "permessage-deflate; client_max_window_bits",
          "permessage-deflate; server_max_window_bits=10"]
LINES = b"".join(b"line %d of a text that compresses\n" % i for i in range(150))


def frame(opcode, payload=b"", last=True, compressed=False, masked=True):
    first = (0x80 if last else 0) | (0x40 if compressed else 0) | opcode
    size = len(payload)
    head = bytes([first, (0x80 if masked else 0) | (size if size < 126 else 126)])
    if size >= 126:
        head += struct.pack(">H", size)
    key = os.urandom(4) if masked else b""
    return head + key + bytes(c ^ key[i % 4] for i, c in enumerate(payload)) if masked else (
        head + payload)


def zipped(payload):
    packer = zlib.compressobj(6, zlib.DEFLATED, -15)
    return (packer.compress(payload) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]


def upgrade(extensions="", target="/talk"):
    key = base64.b64encode(os.urandom(16)).decode()
    more = f"Sec-WebSocket-Extensions: {extensions}\r\n" if extensions else ""
    return get(target, "Upgrade: websocket\r\nConnection: Upgrade\r\n"
               f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n{more}")


def read_frame(client):
    """Opcode and payload of the next frame; pings are answered and passed over."""
    def take(size):
        while len(client.reader.left) < size:
            data = client.sock.recv(65536)
            if not data:
                raise RuntimeError("ended in a frame")
            client.reader.left += data
        taken, client.reader.left = client.reader.left[:size], client.reader.left[size:]
        return taken
    while True:
        first, size = take(2)
        if size == 126:
            size = struct.unpack(">H", take(2))[0]
        payload = take(size)
        if first & 0x0F == PING:
            client.send(frame(PONG, payload))
            continue
        if first & 0x40:
            payload = client.unpacker.decompress(payload + b"\0\0\xff\xff")
            if client.alone:
                client.unpacker = zlib.decompressobj(-15)
        return first & 0x0F, payload


def talk_to(server, shard, extensions="", target="/talk"):
    client = server.connect_to(shard)
    client.send(upgrade(extensions, target))
    head = client.read_until(b"\r\n\r\n")
    check("handshake", head[:12], b"HTTP/1.1 101")
    client.compresses = b"permessage-deflate" in head
    client.alone = b"server_no_context_takeover" in head
    client.unpacker = zlib.decompressobj(-15)
    return client


def echo_everything(server):
    for shard in range(SHARDS):
        for offer in OFFERS:
            client = talk_to(server, shard, offer)
            for message in (b"", b"a", b"x" * 125, b"y" * 126, b"z" * 2000, LINES):
                client.send(frame(BINARY, message))
                check("echo", read_frame(client), (BINARY, message))
                if client.compresses:
                    client.send(frame(TEXT, zipped(message), compressed=True))
                    check("echo", read_frame(client), (TEXT, message))
            client.send(frame(TEXT, b"in ", last=False) + frame(PONG, b"between")
                        + frame(0, b"parts"))
            check("echo", read_frame(client), (TEXT, b"in parts"))
            for byte in frame(PONG, b"p" * 40) + frame(TEXT, b"slowly"):
                client.send(bytes([byte]))
            check("echo", read_frame(client), (TEXT, b"slowly"))
            client.send(frame(CLOSE, struct.pack(">H", 1000) + b"bye"))
            check("close", read_frame(client), (CLOSE, struct.pack(">H", 1000)))
            check("end", client.read_to_end(), b"")
            client.close()


def echo_out_of_a_coroutine(server):
    for shard in range(SHARDS):
        client = talk_to(server, shard, target="/co/talk")
        for message in (b"", b"a", b"y" * 126, b"z" * 2000, LINES):
            client.send(frame(BINARY, message) + frame(TEXT, b"in ", last=False)
                        + frame(0, b"parts"))
            check("echo", read_frame(client), (BINARY, message))
            check("echo", read_frame(client), (TEXT, b"in parts"))
        client.send(frame(CLOSE, struct.pack(">H", 1000)))
        check("close", read_frame(client), (CLOSE, struct.pack(">H", 1000)))
        check("end", client.read_to_end(), b"")
        client.close()


def make_mistakes(server):
    mistakes = [(frame(3), 1002), (frame(TEXT, b"x", masked=False), 1002), (frame(TEXT, b"\xff"), 1007),
                (frame(BINARY, b"b" * 9000), 1009), (frame(CLOSE, b"\3"), 1002),
                (frame(0, b"nothing to go on with"), 1002), (frame(TEXT, b"throw"), 1011)]
    for shard in range(SHARDS):
        for wrong, code in mistakes:
            client = talk_to(server, shard)
            client.send(wrong)
            check(f"close code for {wrong[:12]!r}", read_frame(client),
                  (CLOSE, struct.pack(">H", code)))
            client.close()
        client = talk_to(server, shard, OFFERS[1])
        if client.compresses:
            client.send(frame(BINARY, zipped(bytes(1_000_000)), compressed=True))
            check("a bomb", read_frame(client), (CLOSE, struct.pack(">H", 1009)))
        client.close()
        for request in (get("/talk"), upgrade().replace(b"Version: 13", b"Version: 12")):
            client = server.connect_to(shard)
            check("refused", client.ask(request).status, lambda s: s in (400, 426))
            client.close()


def speak_to_all(server):
    members = [talk_to(server, i % SHARDS, OFFERS[i % 3]) for i in range(4 * SHARDS)]
    full = server.connect_to(0)
    check("one too many", full.ask(upgrade()).status, 503)
    full.close()
    for i, speaker in enumerate(members):
        for said in (b"all %d" % i, b"all " + LINES[:800]):
            speaker.send(frame(TEXT, said))
            for member in members[i % SHARDS::SHARDS]:  # of the same shard
                check("heard", read_frame(member), (TEXT, said))
            for member in members[(i + 1) % SHARDS::SHARDS]:
                check("heard from afar", read_frame(member), (TEXT, said))
    members[0].reset()
    members[1].finish_sending()
    for member in members[2:]:
        member.close()
    server.wait_until_empty()


def run_out(server):
    """Two large messages under way leave no slot for a third."""
    for shard in range(SHARDS):
        begun = [talk_to(server, shard) for _ in range(2)]
        for client in begun:
            client.send(frame(BINARY, b"b" * 100, last=False))
            client.send(frame(PING, b"?"))
            client.reader.left = b""
            client.read_until(b"\x8a\x01?")
        third = talk_to(server, shard)
        third.send(frame(TEXT, b"t", last=False))
        check("no slot", read_frame(third), (CLOSE, struct.pack(">H", 1013)))
        for client in begun + [third]:
            client.close()
        deaf = talk_to(server, shard)
        deaf.send_what_fits(frame(BINARY, b"d" * 1500) * 400)
        time.sleep(0.05)
        deaf.reset()


def ask_itself(server):
    """The server's own HTTP client, on connections that are kept and through one that is refused."""
    for shard in range(SHARDS):
        client = server.connect_to(shard)
        for _ in range(5):
            answer = client.ask(get(f"/co/fetch/{server.address[1]}"))
            check("fetched", (answer.status, answer.body),
                  (200, b'{"little":"now","much":13500,"nobody":false}'))
        client.close()


def watch_it(server):
    """The dashboard: who has no token, who gets in, and all that its page asks for."""
    token = "Authorization: Bearer open sesame\r\n"
    for shard in range(SHARDS):
        client = server.connect_to(shard)
        check("no token", client.ask(get("/_nen")).status, 401)
        check("a token in the query", client.ask(get("/_nen?token=open+sesame")).status, 303)
        check("a cookie", client.ask(get("/_nen", "Cookie: nen_dashboard=b3BlbiBzZXNhbWU=\r\n"))
              .status, 200)
        client.send(upgrade(target="/_nen/live").replace(b"\r\n\r\n",
                                                         f"\r\n{token}\r\n".encode()))
        check("handshake", client.read_until(b"\r\n\r\n")[:12], b"HTTP/1.1 101")
        for asked, last in [(b"n", b"route_names"), (b"s", b"end"), (b"h 1", b"histogram")] * 3:
            client.send(frame(TEXT, asked))
            kind = b""
            while kind != last:
                kind = read_frame(client)[1].split(b'"')[3]
        client.close()


def test():
    with CountedServer("wait", "patient") as server:
        server.phase("echo")
        echo_everything(server)
        echo_out_of_a_coroutine(server)
        server.phase("fetches")
        ask_itself(server)
        server.phase("a dashboard")
        watch_it(server)
        server.phase("mistakes")
        make_mistakes(server)
        server.phase("broadcasts")
        speak_to_all(server)
        server.phase("slots run out")
        run_out(server)
        waiting = [talk_to(server, shard) for shard in range(SHARDS)]
        server.drain()
        for client in waiting:
            check("going away", read_frame(client), (CLOSE, struct.pack(">H", 1001)))
            client.send(frame(CLOSE, struct.pack(">H", 1001)))
    server.judge()
    counters = server.last_counters
    check("opened and closed", counters["websockets_opened"], counters["websockets_closed"])
    check("slots ran out", counters["ws_message_slots_empty"], lambda n: n >= SHARDS)


main(test)
