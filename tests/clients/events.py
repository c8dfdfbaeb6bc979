"""Server-sent events as curl and Node read them: numbered, one a second, resumed where a client
that reconnects left off, many at once, and ended properly when the server stops."""

import json
import socket
import struct
import subprocess
import time

from lib_server_under_test import Server, check, main, run_tool, scaled, tool

# Reads events as the standard says, leaves after two, and reconnects with the last id it has seen.
NODE = r"""
const take = async (url, count, lastId) => {
  const left = new AbortController();
  const headers = lastId ? { "last-event-id": lastId } : {};
  const response = await fetch(url, { headers, signal: left.signal });
  const type = response.headers.get("content-type");
  const cached = response.headers.get("cache-control");
  const events = [];
  let text = "", event = { data: [] };
  for await (const part of response.body.pipeThrough(new TextDecoderStream())) {
    text += part;
    for (let end; (end = text.indexOf("\n")) >= 0; text = text.slice(end + 1)) {
      const line = text.slice(0, end);
      if (line === "") { events.push(event); event = { data: [] }; continue; }
      const [, name, value] = /^([^:]*): ?(.*)$/.exec(line);
      name === "data" ? event.data.push(value) : (event[name] = value);
    }
    if (events.length >= count) break;
  }
  left.abort();
  return { status: response.status, type, cached, events };
};
const first = await take(process.argv[1], 2);
const second = await take(process.argv[1], 2, first.events[1].id);
console.log(JSON.stringify([first, second]));
"""


def ticks(first, count):
    return [{"id": str(first + i), "data": ["tick"]} for i in range(count)]


def test_node(server):
    output = run_tool("node", "--input-type=module", "-e", NODE, server.url("/events"), seconds=30)
    for answer, first in zip(json.loads(output), [1, 3]):
        check("status", answer["status"], 200)
        check("type", answer["type"], "text/event-stream")
        check("cached", answer["cached"], "no-store")
        check("events", [{k: e.get(k) for k in ("id", "data")} for e in answer["events"]],
              ticks(first, 2))


def test_curl(server):
    """Each event comes when it happens, not when a buffer is full."""
    begin = time.monotonic()
    with subprocess.Popen([tool("curl"), "-sN", "-H", "Last-Event-ID: 41", server.url("/events")],
                          stdout=subprocess.PIPE, text=True) as curl:
        lines, times = [], []
        for _ in range(3 * 3):
            lines.append(curl.stdout.readline())
            times.append(time.monotonic() - begin)
        curl.terminate()
    check("lines", "".join(lines), "".join(f"id: {i}\ndata: tick\n\n" for i in [42, 43, 44]))
    for i, at in enumerate(times[::3]):
        check(f"event {i} after {at:.2f} s", i - 0.1 <= at <= i + 0.9, True)


def open_stream(server):
    sock = server.connect()
    sock.sendall(b"GET /events HTTP/1.1\r\nHost: test\r\n\r\n")
    return sock


def read_until(sock, wanted, got=b""):
    while wanted not in got:
        data = sock.recv(65536)
        check(f"more before {wanted!r} than {got!r}", data != b"", True)
        got += data
    return got


def test_many(server):
    """Many listen, half of them vanish, the others hear on and new ones find a place."""
    count = scaled(800)
    socks = [open_stream(server) for _ in range(count)]
    texts = [read_until(sock, b"id: 1\n") for sock in socks]
    for sock in socks[::2]:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.close()
    for sock, text in zip(socks[1::2], texts[1::2]):
        read_until(sock, b"id: 2\n", text)
    more = [open_stream(server) for _ in range(count // 2)]
    for sock in more:
        read_until(sock, b"id: 1\n")
        sock.close()
    for sock in socks[1::2]:
        sock.close()


def test_stop():
    with Server("target", "--port", "0") as server:
        with open_stream(server) as sock:
            read_until(sock, b"id: 1\n")
            server.interrupt()
            text = b""
            while data := sock.recv(65536):
                text += data
            check("the last chunk", text.endswith(b"\r\n0\r\n\r\n") or text == b"0\r\n\r\n", True)
        check("seconds to stop", server.wait_for_end(), lambda seconds: seconds < 3)


def test():
    for shards in ["1", "2"]:
        with Server("target", "--port", "0", "--shards", shards) as server:
            test_node(server)
            test_curl(server)
            test_many(server)
            check("it still answers", run_tool("curl", "-s", server.url("/plaintext")),
                  "Hello, World!")
    test_stop()


main(test, needs=["node", "curl"])
