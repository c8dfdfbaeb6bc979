"""What the servers are asked, and what the floor is told to do for it."""

import dataclasses

HELLO, JSON, ITEM, ECHO, BYTES = "hello", "json", "item", "echo", "bytes"
WS, ROOM, TCP = "ws", "room", "tcp"

# What a browser sends with every request, about 600 bytes, as 20 fields (Host is the load's).
BROWSER_FIELDS = [
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/124.0 Safari/537.36",
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
    "Accept-Language: en-US,en;q=0.9",
    "Accept-Encoding: gzip, deflate, br",
    "Cache-Control: no-cache",
    "Pragma: no-cache",
    "Connection: keep-alive",
    "DNT: 1",
    "Origin: http://127.0.0.1",
    "Referer: http://127.0.0.1/",
    'Sec-CH-UA: "Chromium";v="124"',
    "Sec-CH-UA-Mobile: ?0",
    'Sec-CH-UA-Platform: "Linux"',
    "Sec-Fetch-Dest: document",
    "Sec-Fetch-Mode: navigate",
    "Sec-Fetch-Site: same-origin",
    "Sec-Fetch-User: ?1",
    "Upgrade-Insecure-Requests: 1",
    "Cookie: session=d41d8cd98f00b204e9800998",
]


@dataclasses.dataclass(frozen=True)
class Workload:
    name: str
    title: str
    needs: str
    path: str = "/plaintext"
    load: tuple = ()            # arguments of the load
    floor: tuple = ()           # arguments of the floor
    floor_message_bytes: int = 0  # WebSocket: how long the client's frame is
    is_half: bool = False       # open loop, at half of what the server can do


def _connections(count, *more):
    return ("--connections", str(count), *more)


def _fields():
    return tuple(word for line in BROWSER_FIELDS for word in ("--field", line))


def _ws(name, title, size, *more):
    head = 2 + (0 if size <= 125 else 2 if size < 65536 else 8) + 4
    floor = ("--echo",) if size < 4096 else ("--echo", "--receive-bytes", str(2 * size))
    return Workload(name, title, WS, "/ws/plain",
                    _connections(64, "--message-bytes", str(size), *more), floor, size + head)


WORKLOADS = [
    Workload("hello_16", "hello, 16 connections", HELLO, load=_connections(16)),
    Workload("hello_64", "hello, 64 connections", HELLO, load=_connections(64)),
    Workload("hello_512", "hello, 512 connections", HELLO, load=_connections(512)),
    Workload("pipelined", "hello, 64 connections, 16 pipelined", HELLO,
             load=_connections(64, "--pipeline", "16")),
    Workload("json", "JSON", JSON, "/json", _connections(64), ("--answer-body", "27")),
    Workload("parameter", "a path parameter, 100 routes", ITEM, "/api/resource_57/123456",
             _connections(64), ("--answer-body", "6")),
    Workload("fields", "hello, 20 fields (600 bytes)", HELLO, load=_connections(64, *_fields())),
    Workload("post_1k", "POST echo, 1 KiB", ECHO, "/echo",
             _connections(64, "--method", "POST", "--body-bytes", "1024"),
             ("--request-body", "1024", "--answer-body", "1024")),
    Workload("post_64k", "POST echo, 64 KiB", ECHO, "/echo",
             _connections(64, "--method", "POST", "--body-bytes", "65536"),
             ("--request-body", "65536", "--answer-body", "65536", "--receive-bytes", "131072")),
    Workload("one_each", "a connection for each request", HELLO,
             load=_connections(64, "--requests-per-connection", "1"),
             floor=("--answers-per-connection", "1")),
    Workload("ten_each", "10 requests on a connection", HELLO,
             load=_connections(64, "--requests-per-connection", "10"),
             floor=("--answers-per-connection", "10")),
    Workload("bytes_64k", "a body of 64 KiB", BYTES, "/bytes/65536", _connections(64),
             ("--answer-body", "65536")),
    Workload("bytes_1m", "a body of 1 MiB", BYTES, "/bytes/1048576", _connections(64),
             ("--answer-body", "1048576")),
    _ws("ws_20", "WebSocket echo, 20 bytes", 20),
    _ws("ws_1k", "WebSocket echo, 1 KiB", 1024),
    _ws("ws_64k", "WebSocket echo, 64 KiB", 65536),
    _ws("ws_pipelined", "WebSocket echo, 20 bytes, 16 pipelined", 20, "--pipeline", "16"),
    Workload("ws_broadcast", "WebSocket broadcast, 20 bytes to 64 members", ROOM, "/ws/room",
             _connections(64, "--message-bytes", "20", "--broadcast", "--threads", "1")),
    Workload("tcp", "raw TCP echo, 26 bytes", TCP,
             load=_connections(64, "--message-bytes", "26"), floor=("--echo",)),
    Workload("half", "hello, open loop at half its maximum", HELLO, load=_connections(64),
             is_half=True),
]
