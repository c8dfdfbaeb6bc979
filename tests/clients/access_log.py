"""The access log of a real server under load: exactly one line for each request, every line whole,
also while the file is rotated and while two shards write; and a pipe that nobody reads holds nobody
up."""

import json
import os
import re
import signal
import tempfile
import threading
import time

from lib_server_under_test import Server, check, main, run_tool, scaled

COMBINED = re.compile(
    r'(?P<client>\S+) - - \[(?P<time>\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d \+0000)\] '
    r'"(?:(?P<method>[A-Z]+) (?P<target>(?:[^"\\]|\\x[0-9A-F]{2})*) HTTP/(?P<version>1\.[01])|-)" '
    r'(?P<status>\d{3}|-) (?P<bytes>\d+) '
    r'"(?P<referer>(?:[^"\\]|\\x[0-9A-F]{2})*)" "(?P<user_agent>(?:[^"\\]|\\x[0-9A-F]{2})*)" '
    r'(?P<seconds>\d+\.\d{6}) (?P<request_id>\S+) (?P<trace_id>[0-9a-f]{32}|-)')
ORDINARY, PIPELINED = 4000, 16
MEMBERS = ["time", "client", "method", "target", "version", "status", "bytes", "seconds", "referer",
           "user_agent", "request_id", "trace_id"]


def parse(line, form):
    """The members of a line, all of them as text."""
    if form == "json":
        members = json.loads(line)
        check("members", list(members), MEMBERS)
        return {name: str(value) for name, value in members.items()}
    match = COMBINED.fullmatch(line)
    check(f"a line of the combined format: {line!r}", match is not None, True)
    return match.groupdict()


def lines_of(path):
    with open(path, encoding="utf-8", errors="strict") as file:
        text = file.read()
    check(f"{path} ends with a line's end", text == "" or text.endswith("\n"), True)
    return text.split("\n")[:-1]


def figures(server):
    """(requests, lines, dropped lines) that the server says it had."""
    server.stop()
    said = re.search(r"stopped: (\d+) requests answered, (\d+) lines, (\d+) dropped", server.said())
    return tuple(int(number) for number in said.groups())


def load(server, path, seconds):
    out = run_tool("wrk", "-t2", "-c64", f"-d{seconds}s", server.url(path))
    check("trouble", re.findall(r"(?:Socket errors|Non-2xx).*", out), [])
    return int(re.search(r"(\d+) requests in", out)[1])


def rotate(server, path, stop):
    """As logrotate does: renames, and tells the server. Returns the files there were."""
    files = [path]
    while not stop.wait(0.2):
        files.append(f"{path}.{len(files)}")
        os.rename(path, files[-1])
        server.process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + 5
        while not os.path.exists(path) and time.monotonic() < deadline:
            time.sleep(0.01)
        check("the log was opened anew", os.path.exists(path), True)
    return files


def logs_every_request(folder, form):
    path = os.path.join(folder, f"{form}.log")
    files = []
    with Server("11_access_log", "--port", "0", "--log", path, "--format", form) as server:
        stop = threading.Event()
        rotating = threading.Thread(target=lambda: files.extend(rotate(server, path, stop)))
        rotating.start()
        try:
            requests = load(server, "/", 2)
        finally:
            stop.set()
            rotating.join()
        load(server, "/count", 1)
        answered, lines, dropped = figures(server)
    found = [line for file in files for line in lines_of(file)]
    print(f"{form}: {answered} requests, {len(found)} lines in {len(files)} files, "
          f"{dropped} dropped")
    check("requests of wrk", answered, lambda n: n >= requests > scaled(1000))
    check("lines and dropped ones", lines + dropped, answered)
    # wrk makes lines faster than a busy disk may take them; then they are lost, but never unseen.
    check("lines dropped", dropped, lambda n: n <= answered // 4)
    check("lines in the files", len(found), lines)
    check("files that were rotated away", len(files), lambda n: n >= 4)
    ids, cut = set(), 0
    for line in found:
        members = parse(line, form)
        check("client, method, status", (members["client"], members["method"], members["status"]),
              ("127.0.0.1", "GET", "200"))
        cut += (members["target"], members["bytes"]) not in (("/", "13"), ("/count", "15"))
        ids.add(members["request_id"])
    check("ids", len(ids), len(found))
    check("answers that were cut off, because wrk left", cut, lambda n: n <= 64)


def survives_hostile_clients(folder, form):
    path = os.path.join(folder, f"hostile.{form}.log")
    trace = "0af7651916cd43dd8448eb211c80319c"
    hostile = [
        b"GET /\"\\'<b> HTTP/1.1\r\nHost: h\r\n",
        b"GET / HTTP/1.1\r\nHost: h\r\nUser-Agent: a\"b\\c\x80\xff\xc3\xa9\r\n",
        b"GET / HTTP/1.1\r\nHost: h\r\nReferer: " + b"\x80" * 3000 + b"\r\n",
        b"GET /" + b"a" * 3500 + b" HTTP/1.1\r\nHost: h\r\n",
        b"GET /who HTTP/1.1\r\nHost: h\r\nX-Request-Id: a b\r\ntraceparent: 00-" + trace.encode() +
        b"-b7ad6b7169203331-01\r\n",
        b"GET /who HTTP/1.1\r\nHost: h\r\nX-Request-Id: mine\r\n",
        b"GET / HTTP/1.1\r\nHost: h\r\nBad Field: x\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00",
    ]
    with Server("11_access_log", "--port", "0", "--log", path, "--format", form) as server:
        for head in hostile:
            with server.connect() as client:
                client.sendall(head + b"Connection: close\r\n\r\n")
                while client.recv(65536):
                    pass
        with server.connect() as client:
            for _ in range(ORDINARY // PIPELINED):
                client.sendall(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n" * PIPELINED)
                got = b""
                while got.count(b"Hello, World!") < PIPELINED:
                    got += client.recv(65536)
        answered, lines, dropped = figures(server)
    found = [parse(line, form) for line in lines_of(path)]
    check("lines", (len(found), lines, dropped), (len(hostile) + ORDINARY,) * 2 + (0,))
    check("the targets", sum(of["target"] is not None and of["target"].endswith("...")
                             for of in found), 1)
    # Two shards write, and each gathers its lines for a while: theirs is no common order.
    traced, named = sorted((of for of in found if of["target"] == "/who"),
                           key=lambda of: of["request_id"] == "mine")
    check("trace", traced["trace_id"], trace)
    check("an id that is not taken", len(traced["request_id"]), 32)
    check("an id that is", named["request_id"], "mine")
    check("what is refused", sum(of["status"] == "400" for of in found), 3)
    agent = r"a\x22b\x5Cc\x80\xFF\xC3\xA9" if form == "combined" else 'a"b\\c\ufffd\ufffd\u00e9'
    check("a user agent", agent in [of["user_agent"] for of in found], True)
    print(f"{form}: {len(found)} requests, some hostile, on as many lines")


def waits_for_no_reader(folder):
    path = os.path.join(folder, "pipe")
    os.mkfifo(path)
    with Server("11_access_log", "--port", "0", "--log", path) as server:
        load(server, "/", 1)
        begin = time.monotonic()
        with open(path, encoding="ascii") as pipe:
            # The server holds the pipe open for reading as well, so that it does not end.
            lines = [pipe.readline() for _ in range(1000)]
            server.interrupt()
            taken = threading.Thread(target=lambda: lines.extend(pipe), daemon=True)
            taken.start()
            server.wait_for_end(begin)
            taken.join(5)
        said = re.search(r"(\d+) requests answered, (\d+) lines, (\d+) dropped", server.said())
        answered, made, dropped = (int(number) for number in said.groups())
    check("lines and dropped ones", made + dropped, lambda n: n >= answered)
    check("lines dropped", dropped, lambda n: n > 0)
    for line in lines:
        parse(line.rstrip("\n"), "combined")
    print(f"pipe: {answered} requests, {dropped} lines dropped, {len(lines)} read")


def test():
    with tempfile.TemporaryDirectory() as folder:
        for form in ["combined", "json"]:
            logs_every_request(folder, form)
            survives_hostile_clients(folder, form)
        waits_for_no_reader(folder)


main(test, needs=["wrk"])
