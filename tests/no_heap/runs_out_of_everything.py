"""Every pool is taken to its last slot, on each shard: nen asks for no memory instead."""

import time

from lib_counted_server import CountedServer, check, get, post, SHARDS
from lib_server_under_test import main

UPLOAD = get("/echo", "Content-Length: 10\r\n", "POST")


def stalled(server, shard, more=b""):
    """A client that asked for much and does not read it: it holds send slots."""
    client = server.connect_to(shard, 4096)
    client.send(get("/huge") + more)
    client.sock.recv(64)
    return client


def steady_still_served(server, shard):
    client = server.connect_to(shard)
    check("somebody else", client.ask(get("/")).body, b"hello")
    client.close()


def receive_buffers(server, shard):
    crowd = [server.connect_to(shard) for _ in range(10)]
    request = get("/", "X-Padding: 012345678901234567890123\r\n")
    check("bytes of a request", len(request), 64)  # none is cut by a buffer's end
    for _ in range(3):
        for client in crowd:
            client.send(request * 50)
        for client in crowd:
            for _ in range(50):
                check("pipelined", client.reader.response().body, b"hello")
    server.wait_for("receive_buffers_empty")
    for client in crowd:
        client.close()


def receive_buffers_held(server, shard):
    greedy = [stalled(server, shard) for _ in range(5)]
    for client in greedy:
        client.send_what_fits(get("/") * 500)
    waiting = server.connect()
    waiting.send(get("/"))
    server.wait_for("receive_buffers_evicted")
    check("who waited", waiting.reader.response().body, b"hello")
    for client in (*greedy, waiting):
        client.reset()


def send_slots(server, shard):
    late = [server.connect_to(shard) for _ in range(3)]
    deferred = server.connect_to(shard)
    deferred.send(get("/late/300"))  # its answer is due while there is no room for it
    holders = [stalled(server, shard, get("/copy")), stalled(server, shard)]
    for client in late:
        client.send(get("/"))
    server.wait_for("send_slots_empty", 3)
    server.wait_for("send_slots_evicted")  # after a second, the one that was stuck for longest
    for client in late:
        check("who waited", client.reader.response().body, b"hello")
    check("whose answer was late", deferred.reader.response().body, b"/late/300 ")
    for client in (*holders, *late, deferred):
        client.reset()


def head_slots(server, shard):
    slow = [server.connect_to(shard) for _ in range(8)]
    steady = server.connect_to(shard)
    for client in slow:
        client.send(b"GET / HT")
        check("meanwhile", steady.ask(get("/")).status, 200)
    server.wait_for("head_slots_evicted", 5)
    for number, client in enumerate(slow):
        if number < 5:
            check(f"head {number}", client.reader.response().status, 408)
        else:
            check(f"head {number}", client.ask(b"TP/1.1\r\nHost: h\r\n\r\n").status, 200)
    for client in (*slow, steady):
        client.close()


def head_slots_of_others(server, shard):
    """Two are in a body and one waits for its answer: nobody is to be evicted."""
    busy = [server.connect_to(shard) for _ in range(3)]
    other, refused = server.connect_to(shard), server.connect_to(shard)
    for client, request in zip(busy, (UPLOAD + b"1", UPLOAD + b"1", get("/park/5"))):
        client.send(request)
        check("meanwhile", other.ask(get("/")).status, 200)
    refused.send(b"GET / HT")
    server.wait_for("head_slots_empty")
    check("no head slot", refused.reader.response().status, 503)
    for client in busy[:2]:
        check("bodies go on", client.ask(b"234567890").status, 200)
    check("answered at last", other.ask(get("/complete/5")).body, b"answered")
    check("who waited", busy[2].reader.response().status, 200)
    for client in (*busy, other, refused):
        client.close()


def body_slots(server, shard):
    uploads = [server.connect_to(shard) for _ in range(2)]
    other, refused = server.connect_to(shard), server.connect_to(shard)
    for client in uploads:
        client.send(UPLOAD + b"12345")
        check("at once", other.ask(post("/echo", b"x")).body, b"x")
    check("no body slot", refused.ask(UPLOAD + b"1").status, 503)
    server.wait_for("body_slots_empty")
    for client in uploads:
        check("an upload", client.ask(b"67890").body, b"1234567890")
    for client in (*uploads, other, refused):
        client.close()


def streams(server, shard):
    listening = [server.connect_to(shard) for _ in range(2)]
    refused = server.connect_to(shard)
    for number, client in enumerate(listening):
        client.send(get(f"/channel/{number}"))
        client.read_until(b"begun")
    check("no stream", refused.ask(get("/chunks/1/1")).status, 503)
    server.wait_for("streams_empty")
    for client in (*listening, refused):
        client.close()


def connections(server, _):
    """More than all shards have slots for: those that say nothing make room."""
    crowd = [server.connect() for _ in range(SHARDS * 16 + 40)]
    server.wait_for("accept_pauses")
    server.wait_for("connections_evicted", 10)
    client = server.connect()
    check("the last in the queue", client.ask(get("/")).body, b"hello")
    for one in (*crowd, client):
        one.close()


def sends_that_break(server, shard):
    """Who has asked for more than may be answered yet is not read from: only the send is told."""
    client = stalled(server, shard, get("/copy") + get("/") * 3)
    time.sleep(0.1)
    client.reset()
    server.wait_for("send_errors")


def drain_under_load(server):
    kept = [stalled(server, shard) for shard in range(SHARDS)]
    for shard in range(SHARDS):
        kept.append(server.connect_to(shard))
        kept[-1].send(UPLOAD + b"1")
    server.drain()
    time.sleep(0.1)
    for client in kept[SHARDS:]:
        check("an upload", client.ask(b"234567890").status, 200)
    for client in kept:
        client.reset()


def test():
    with CountedServer("wait", "patient") as server:
        for act in (receive_buffers, receive_buffers_held, send_slots, head_slots,
                    head_slots_of_others, body_slots, streams, connections, sends_that_break):
            server.phase(act.__name__.replace("_", " "))
            for shard in range(SHARDS):
                server.remember()
                act(server, shard)
                server.wait_until_empty()
                steady_still_served(server, shard)
        drain_under_load(server)
    server.judge()
    check("stale completions", server.last_counters["stale_completions"], 0)


main(test)
