"""Answers that are put off: hundreds wait at once and cost no more time than one, whoever comes
when there is no room for more is told so, and leaving or stopping in the middle does no harm."""

import json
import random
import socket
import struct
import time

from lib_http import Reader
from lib_server_under_test import SANITIZED, Failure, Server, check, main, run_tool

HEAD_SLOTS = 256  # of the target, per shard

NODE = r"""
import http from "node:http";
const [url, count] = [process.argv[1], Number(process.argv[2])];
const agent = new http.Agent({ keepAlive: true, maxSockets: 64 });
const ask = (ms) => new Promise((resolve, reject) => {
  http.get(`${url}/slow/${ms}`, { agent }, (response) => {
    let text = "";
    response.on("data", (part) => (text += part));
    response.on("end", () => resolve([ms, response.statusCode, JSON.parse(text).slept_ms]));
  }).on("error", reject);
});
const answers = await Promise.all(Array.from({ length: count }, (_, i) => ask(i * 7 % 50)));
agent.destroy();
console.log(JSON.stringify(answers));
"""


def ask(sock, milliseconds):
    sock.sendall(f"GET /slow/{milliseconds} HTTP/1.1\r\nHost: test\r\n\r\n".encode())


def check_answer(sock, milliseconds):
    answer = Reader(sock).response()
    check("status", answer.status, 200)
    check("body", json.loads(answer.body), {"slept_ms": milliseconds})


def leave(sock, resets):
    if resets:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def test_parallel(server):
    """All wait at the same time, over and over on the same connections."""
    socks = [server.connect() for _ in range(HEAD_SLOTS)]
    for _ in range(3):
        begin = time.monotonic()
        for sock in socks:
            ask(sock, 400)
        for sock in socks:
            check_answer(sock, 400)
        seconds = time.monotonic() - begin
        check(f"{seconds:.2f} s for all", 0.39 <= seconds < (4 if SANITIZED else 1.5), True)
    for sock in socks:
        sock.close()


def test_order(server):
    """They come back when each is due, not in the order in which they were asked."""
    chance = random.Random(7)
    waits = [chance.randrange(20) * 25 for _ in range(100)]
    socks = [server.connect() for _ in waits]
    begin = time.monotonic()
    for sock, wait in zip(socks, waits):
        ask(sock, wait)
    for wait, sock in sorted(zip(waits, socks), key=lambda pair: pair[0]):
        check_answer(sock, wait)
        seconds = time.monotonic() - begin
        check(f"{wait} ms took {seconds:.3f} s", seconds >= wait / 1000 - 0.005, True)
        sock.close()


def test_pipelined(server):
    with server.connect() as sock:
        waits = [30, 0, 20, 1, 10]
        for wait in waits:
            ask(sock, wait)
        reader = Reader(sock)
        for wait in waits:
            check("order", json.loads(reader.response().body), {"slept_ms": wait})


def test_too_many(server):
    """What finds no room is refused at once, and told to come back; the others are answered."""
    socks = [server.connect() for _ in range(HEAD_SLOTS + 100)]
    for sock in socks:
        ask(sock, 1500)
    refused = 0
    for sock in socks:
        answer = Reader(sock).response()
        if answer.status == 503:
            refused += 1
            check("Retry-After", answer.fields.get("retry-after"), "1")
        else:
            check("body", json.loads(answer.body), {"slept_ms": 1500})
        sock.close()
    check("refused", refused, 100)


def test_leaving(server):
    """Whoever leaves gives up his place: all are free again at once."""
    for round_number in range(3):
        socks = [server.connect() for _ in range(HEAD_SLOTS)]
        for sock in socks:
            ask(sock, 20_000)
        time.sleep(0.2)
        for i, sock in enumerate(socks):
            leave(sock, (i + round_number) % 2 == 0)
        time.sleep(0.2)
        socks = [server.connect() for _ in range(HEAD_SLOTS)]
        for sock in socks:
            ask(sock, 100)
        for sock in socks:
            check_answer(sock, 100)
            sock.close()


def test_stop():
    with Server("target", "--port", "0") as server:
        with server.connect() as sock:
            ask(sock, 700)
            time.sleep(0.2)
            server.interrupt()
            reader = Reader(sock)
            answer = reader.response()
            check("body", json.loads(answer.body), {"slept_ms": 700})
            check("says close", answer.fields.get("connection"), "close")
            check("closes", reader.at_end(), True)
        check("seconds to stop", server.wait_for_end(), lambda seconds: seconds < 3)


def test():
    with Server("target", "--port", "0") as server:
        test_parallel(server)
        test_order(server)
        test_pipelined(server)
        test_too_many(server)
        output = run_tool("node", "--input-type=module", "-e", NODE, server.url(""), "2000")
        for wanted, status, slept in json.loads(output):
            if (status, slept) != (200, wanted):
                raise Failure(f"/slow/{wanted} was answered {status} {slept}")
        test_leaving(server)
    test_stop()


main(test, needs=["node"])
