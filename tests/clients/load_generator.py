"""The load generator of benchmarks/load against a right server, and against wrong ones."""

import os
import tempfile

from lib_load_generator import HELLO, Told, check_failures, load
from lib_server_under_test import Server, check


def right_answers(server):
    url = server.url

    def right(what, *arguments, requests=200):
        found = load("--requests", str(requests), *arguments)
        check(f"{what}: answers", found["latency"]["count"], requests)
        check(f"{what}: failures", sum(found["failures"].values()), 0)
        latency = found["latency"]
        order = [latency[name] for name in ("p50", "p90", "p99", "p99.9", "p99.99", "max")]
        check(f"{what}: percentiles rise", order, sorted(order))
        check(f"{what}: a latency is not nothing", latency["p50"], lambda us: us > 1)
        return found

    check("length", right("GET", url("/plaintext"))["body_bytes"], 13)
    right("pipelined", "--pipeline", "16", "--expect-bytes", "13", url("/plaintext"))
    right("threads", "--threads", "2", "--pipeline", "3", url("/plaintext"))
    right("POST", "--method", "POST", "--body-bytes", "70000", "--expect-bytes", "70000",
          url("/echo"))
    right("HEAD", "--method", "HEAD", "--expect-bytes", "0", url("/plaintext"))
    right("chunked", "--expect-bytes", "100000", "--pipeline", "2", url("/stream/100000"))
    right("long", "--expect-bytes", "1048576", url("/bytes/1048576"))
    right("status", "--expect-status", "404", url("/nowhere"))
    check("one request on each", right("close", "--requests-per-connection", "1",
                                       url("/plaintext"))["opened"], lambda n: 200 <= n <= 204)
    check("three requests on each", right("three", "--requests-per-connection", "3", "--pipeline",
                                          "2", url("/plaintext"))["opened"],
          lambda n: 67 <= n <= 75)
    ws = url("/ws/plain").replace("http:", "ws:")
    right("binary", "--pipeline", "16", ws)
    right("text", "--text", "--message-bytes", "1000", ws)
    right("nothing in it", "--message-bytes", "0", ws)
    right("long messages", "--message-bytes", "70000", "--pipeline", "2", ws)
    found = load("--rate", "2000", "--duration", "0.5", "--pipeline", "4", url("/plaintext"))
    check("open loop: all that is due", found["latency"]["count"], lambda n: 999 <= n <= 1001)
    own = load("--requests", "2000", "--server-pid", str(server.process.pid), url("/plaintext"))
    check("CPU time of the server in us", own["server_cpu"], lambda us: 0.1 < us < 10_000)


def cycled(server):
    with tempfile.NamedTemporaryFile("w", suffix=".http") as file:
        file.write("GET /plaintext\n\n###\nPOST /echo\n\nseven b\n###\nGET /users/17\n")
        file.flush()
        found = load("--requests", "300", "--pipeline", "5", "--file", file.name, server.url())
    # Each of the three lengths is a third of all.
    mean = found["body_bytes_per_second"] * found["seconds"] / found["answers"]
    check("mean length of three answers", mean, lambda n: abs(n - (13 + 7 + 9) / 3) < 0.5)


def unix_socket():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "socket")
        with Server("target", "--unix", path):
            check("over a Unix socket", load("--requests", "100", "--unix", path,
                                             "http://any/plaintext")["latency"]["count"], 100)


def wrong_answers():
    def wrong(what, answer, *arguments, **failures):
        with Told(answer) as server:
            found = load("--requests", "70", *arguments, f"http://{server.authority}/",
                         exit_code=1)
            check_failures(what, found, **failures)

    def seventh(answer):
        return lambda number, _: answer if number % 7 == 0 else HELLO

    wrong("another status", seventh(HELLO.replace(b"200 OK", b"500 No")), status=10)
    wrong("another length", seventh(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhell"), length=10)
    wrong("not the length that was asked for", lambda *_: HELLO, "--expect-bytes", "6", length=70)
    wrong("not the status that was asked for", lambda *_: HELLO, "--expect-status", "204",
          status=70)
    wrong("no HTTP", seventh(b"hello\r\n\r\n"), malformed=10)
    wrong("two answers for one request", seventh(HELLO + HELLO), unasked=None)
    wrong("closed in an answer", lambda number, _: None if number % 7 == 0 else HELLO, closed=10)
    wrong("half an answer and silence", lambda number, _: HELLO[:-2] if number == 7 else HELLO,
          "--timeout", "0.3", timed_out=1)

    def frames(number, head):
        if b"Upgrade: websocket" in head:
            return (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                    b"Connection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
                    b"\r\n\r\n\x82\x05hello")
        return None

    with Told(frames) as server:
        found = load("--requests", "4", "--connections", "1", "--timeout", "0.3",
                     f"ws://{server.authority}/", exit_code=1)
        check("a WebSocket with bytes that nobody asked for", found["failures"]["unasked"],
              lambda n: n >= 1)
    with Told(lambda *_: HELLO) as server:
        said = load("--requests", "4", f"ws://{server.authority}/", exit_code=1)
        check("no WebSocket", said, lambda text: "no WebSocket: HTTP/1.1 200 OK" in text)

    with Told(lambda number, head: head[:-1] + (b"?" if number % 7 == 0 else head[-1:]) + b"z",
              end=b"z") as server:
        # 26 bytes end in z.
        found = load("--requests", "70", "--message-bytes", "26", f"tcp://{server.authority}",
                     exit_code=1)
        check_failures("another byte", found, content=10)


def each_is_asked_once():
    with Told(lambda *_: HELLO) as server:
        found = load("--requests", "500", "--pipeline", "7", f"http://{server.authority}/")
        check("requests that came", server.requests, 500)
        check("answers", found["latency"]["count"], 500)


def command_lines():
    for arguments in (["http://nowhere.example/"], ["--connections", "0", "http://127.0.0.1/"],
                      ["--color", "red", "http://127.0.0.1/"], [], ["--file", "/nowhere",
                                                                    "http://127.0.0.1/"]):
        said = load(*arguments, exit_code=2)
        check(f"a sentence for {arguments}", said, lambda text: text.startswith("load: "))
    load("http://127.0.0.1:1/", exit_code=1)  # nobody listens


def test():
    with Server("target", "--port", "0") as server:
        right_answers(server)
        cycled(server)
    unix_socket()
    wrong_answers()
    each_is_asked_once()
    command_lines()


if __name__ == "__main__":
    from lib_server_under_test import main

    main(test)
