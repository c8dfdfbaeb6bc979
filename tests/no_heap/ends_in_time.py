"""Every timeout passes, connections are shed, and the last ones are cut off: no memory for that."""

from lib_counted_server import CountedServer, check, get, SHARDS
from lib_server_under_test import main

# Counter, what is sent, how the answer begins.
TIMEOUTS = [
    ("timeouts_idle", b"", b""),
    ("timeouts_idle", get("/"), b"HTTP/1.1 200 "),
    ("timeouts_head", b"GET / HT", b"HTTP/1.1 408 "),
    ("timeouts_head", b"GET / HTTP/1.1\r\nHost: h\r\n", b"HTTP/1.1 408 "),
    ("timeouts_body", get("/echo", "Content-Length: 9\r\n", "POST") + b"1", b"HTTP/1.1 408 "),
    ("timeouts_body", get("/sum", "Content-Length: 9\r\n", "POST") + b"1", b"HTTP/1.1 408 "),
    ("timeouts_handler", get("/park/1"), b"HTTP/1.1 503 "),
    ("timeouts_write", get("/huge"), b"HTTP/1.1 200 "),
    ("timeouts_linger", b"nonsense\r\n\r\n", b"HTTP/1.1 400 "),
]


def let_time_pass(server):
    for shard in range(SHARDS):
        for first in range(0, len(TIMEOUTS), 3):  # no more than there are slots for heads
            server.remember()
            rows = TIMEOUTS[first:first + 3]
            clients = []
            for name, request, _ in rows:
                clients.append(server.connect_to(shard, 4096 if name == "timeouts_write" else 0))
                clients[-1].send(request)
            for name in {name for name, _, _ in rows}:
                server.wait_for(name)
            for client, (_, request, wanted) in zip(clients, rows):
                check(f"answer to {request[:40]!r}", client.read_to_end()[:13], wanted)
                client.close()
            server.wait_until_empty()


def come_all_at_once(server):
    server.remember()
    crowd = [server.connect() for _ in range(SHARDS * 24 + 40)]
    for client in crowd:
        client.send_what_fits(get("/"))
    server.wait_for("connections_shed", 5)
    answers = [client.read_to_end()[:13] for client in crowd]
    check("answers", set(answers), lambda seen: seen >= {b"HTTP/1.1 503 "})
    for client in crowd:
        client.close()
    server.wait_until_empty()


def be_cut_off(server):
    clients = []
    for shard in range(SHARDS):
        clients.append(server.connect_to(shard, 4096))
        clients[-1].send(get("/huge"))
        clients.append(server.connect_to(shard))
        clients[-1].send(get("/endless"))
    for client in clients:
        client.sock.recv(64)
    server.drain()
    for client in clients[1::2]:  # in the middle of a chunk
        check("a stream's end", client.read_to_end(), lambda seen: b"\r\n0\r\n" not in seen)


def test():
    with CountedServer("shed", "hasty") as server:
        server.phase("timeouts")
        let_time_pass(server)
        server.phase("connections are shed")
        come_all_at_once(server)
        server.phase("cut off")
        be_cut_off(server)
    server.judge()
    check("cut off", server.last_counters["drain_aborts"], lambda n: n >= SHARDS)
    check("stale completions", server.last_counters["stale_completions"], 0)


main(test)
