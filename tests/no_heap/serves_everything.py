"""Every kind of route, of mistake and of end: from listening to draining nen asks for no memory."""

import time

from lib_counted_server import CountedServer, check, chunked, get, post, SHARDS
from lib_server_under_test import main

FORM = "Content-Type: application/x-www-form-urlencoded\r\n"
ANN = "YW5uOnNlY3JldA=="
TRACE = "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n"
BODY = bytes(range(97, 123)) * 70  # 1820 bytes
# Request, method, status, body (None: any).
ROUTES = [
    (get("/"), "GET", 200, b"hello"),
    (get("/", method="HEAD"), "HEAD", 200, b""),
    (get("/", method="OPTIONS"), "OPTIONS", 204, None),
    (get("/", "Connection: keep-alive\r\n", version="1.0"), "GET", 200, b"hello"),
    (get("http://h/view"), "GET", 200, None),
    (get("*", method="OPTIONS"), "OPTIONS", 204, None),
    (get("/json/-7"), "GET", 200, None),
    (get("/users/7/a%20b"), "GET", 200, b"a b seven"),
    (get("/users/70000000000/x"), "GET", 404, None),
    (get("/files/a/b%2fc"), "GET", 200, None),
    (get("/nowhere"), "GET", 404, None),
    (get("/view", method="DELETE"), "DELETE", 405, None),
    (get("/copy"), "GET", 200, None),
    (get("/moved"), "GET", 302, b""),
    (get("/query?page=3&word=a%20b+c"), "GET", 200, None),
    (get("/query?word=longer-than-the-room-for-it&page=x"), "GET", 200, None),
    (post("/form", b"n=-12&m=%41", FORM), "POST", 200, b"-12"),
    (post("/form", b"n=-12"), "POST", 415, None),
    (get("/cookies", "Cookie: a=b; seen=once\r\nCookie: c=d\r\n"), "GET", 200, b"once"),
    (get("/tagged"), "GET", 200, b"version 17"),
    (get("/tagged", 'If-Match: "0000000000000012"\r\n'), "GET", 412, None),
    (post("/echo", b""), "POST", 200, b""),
    (post("/echo", b"at once"), "POST", 200, b"at once"),
    (post("/echo", BODY), "POST", 200, BODY),
    (chunked("/echo", b"a", b"bc", BODY), "POST", 200, b"abc" + BODY),
    (post("/sum", b""), "POST", 200, b"0"),
    (post("/sum", b"12345"), "POST", 200, b"5"),
    (post("/sum", BODY * 20), "POST", 200, b"36400"),
    (chunked("/sum", BODY, BODY, b"x"), "POST", 200, b"3641"),
    (get("/late/1"), "GET", 200, b"/late/1 "),
    (post("/late/5", b"kept"), "POST", 200, b"/late/5 kept"),
    (post("/late/5", BODY[:1000]), "POST", 200, b"/late/5 " + BODY[:1000]),
    (get("/co/now"), "GET", 200, b"now"),
    (get("/co/late/2"), "GET", 200, b"/co/late/2 "),
    (post("/co/late/0", b"kept"), "POST", 200, b"/co/late/0 kept"),
    (get("/co/late/1", method="HEAD"), "HEAD", 200, b""),
    (post("/co/sum", b""), "POST", 200, b"0"),
    (post("/co/sum", BODY * 20), "POST", 200, b"36400"),
    (chunked("/co/sum", BODY, BODY, b"x"), "POST", 200, b"3641"),
    (get("/co/all"), "GET", 200, b'{"shards":2,"spawned":true,"connected":false}'),
    (get("/livez"), "GET", 200, None),
    (get("/readyz"), "GET", 200, None),
    (get("/public/ann"), "GET", 401, None),
    (get("/public/ann", "Authorization: Basic !\r\n"), "GET", 400, None),
    (get("/public/ann", f"Authorization: Basic {ANN}\r\nX-Request-Id: mine\r\n{TRACE}"), "GET", 200,
     b"ann mine 4bf92f3577b34da6a3ce929d0e0e4736"),
    (get("/public/ann", f"Origin: http://app.example\r\nAuthorization: Basic {ANN}\r\n"), "GET", 200,
     None),
    (get("/public/ann", "Origin: http://app.example\r\nAccess-Control-Request-Method: GET\r\n",
         "OPTIONS"), "OPTIONS", 204, None),
    (post("/public/echo", BODY[:100]), "POST", 200, BODY[:100]),
]
# Request, status; the connection is closed behind each.
MISTAKES = [
    (b"nonsense\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\n\r\n", 400),
    (get("/", "Host: twice\r\n"), 400),
    (get("/", "A : b\r\n"), 400),
    (get("/", "A: b\r\n folded\r\n"), 400),
    (get("/", "A: \0\r\n"), 400),
    (get("/", method="BREW"), 501),
    (get("/", version="2.0"), 505),
    (get("/" + "x" * 300), 414),
    (get("/" + "x" * 3000), 414),
    (get("/", "A: b\r\n" * 20), 431),
    (get("/", f"A: {'x' * 2000}\r\n"), 431),
    (get("/echo", "Content-Length: 9999999999\r\n", "POST"), 413),
    (get("/echo", "Content-Length: 1\r\nContent-Length: 2\r\n", "POST"), 400),
    (get("/echo", "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n", "POST"), 400),
    (get("/echo", "Transfer-Encoding: gzip, chunked\r\n", "POST"), 501),
    (get("/echo", "Transfer-Encoding: chunked\r\n", "POST") + b"xyz\r\n", 400),
    (get("/echo", "Transfer-Encoding: chunked\r\n", "POST") + b"fff\r\n" + b"y" * 4095, 413),
    (get("/echo", "Transfer-Encoding: chunked\r\n", "POST") + b"1;" + b"e" * 3000, 431),
    (post("/public/echo", BODY[:101]), 413),
    (get("/too-long"), 500),
    (get("/bad-field"), 500),
    (post("/refuse", b"not looked at", method="PUT"), 403),
]
THROWS = ["int", "own", "half", "late"]


def ask_for_everything(server):
    for shard in range(SHARDS):
        client = server.connect_to(shard)
        for request, method, status, body in ROUTES:
            answer = client.ask(request, method)
            check(f"status of {request[:80]!r}", answer.status, status)
            check(f"body of {request[:80]!r}", answer.body, lambda b: body is None or b == body)
        client.send(get("/tagged", 'If-None-Match: "0000000000000011"\r\n'))
        client.read_until(b"HTTP/1.1 304 Not Modified\r\n")
        client.read_until(b"\r\n\r\n")
        # All that need no waiting at once, and read as they come.
        slow = (b"POST /late", b"GET /late", b"POST /sum", b"GET /co", b"POST /co", b"HEAD /co")
        row = [r for r in ROUTES if not r[0].startswith(slow)]
        client.send(b"".join(r[0] for r in row))
        for request, method, status, _ in row:
            answer = client.reader.response(method)
            check(f"pipelined {request[:80]!r}", answer.status, status)
        client.close()


def make_every_mistake(server):
    for shard in range(SHARDS):
        for request, status in MISTAKES:
            client = server.connect_to(shard)
            check(f"status of {request[:80]!r}", client.ask(request).status, status)
            check(f"end of {request[:80]!r}", client.read_to_end(), b"")
            client.close()


def have_every_handler_throw(server):
    for shard in range(SHARDS):
        client = server.connect_to(shard)
        for what in THROWS:
            answer = client.ask(get(f"/throws/{what}"))
            check(f"status after {what}", answer.status, 500)
        client.send(get("/throws/stream"))
        check("a stream that throws", client.read_to_end(), lambda b: b"half of it" in b)
        client.close()


def send_in_pieces(server):
    """Every byte by itself, so that heads and bodies are kept."""
    requests = [get("/users/7/me", "A: b\r\nC: d\r\n"), post("/echo", b"0123456789" * 3),
                chunked("/echo", b"ab", b"cde"), post("/sum", b"0123456789"), get("/late/3"),
                post("/late/3", b"0123456789"), b"GET / HTTP/9.9\r\nHost: h\r\n\r\n"]
    for shard in range(SHARDS):
        client = server.connect_to(shard)
        for request in requests:
            for i in range(len(request) - 1):
                client.send(request[i:i + 1])
                if i % 8 == 0:
                    time.sleep(0.001)
            status = client.ask(request[-1:]).status
            check(f"status of {request!r}", status, 505 if b"9.9" in request else 200)
        client.close()
        client = server.connect_to(shard)
        for target in ("/echo", "/sum"):
            client.send(get(target, "Content-Length: 3\r\nExpect: 100-continue\r\n", "POST"))
            if target == "/echo":
                client.read_until(b"HTTP/1.1 100 Continue\r\n\r\n")
            client.send(b"abc")
            while (answer := client.reader.response()).status == 100:
                pass
            check("status after 100", answer.status, 200)
        client.close()


def stream_both_ways(server):
    for shard in range(SHARDS):
        client = server.connect_to(shard)
        for target in ("/chunks/1/5", "/chunks/1500/40", "/drip/3/4", "/events/3", "/co/chunks/20"):
            client.send(get(target))
            client.read_until(b"\r\n0\r\n")
            client.read_until(b"\r\n" if not target.startswith("/chunks") else b"X-Sum: 0\r\n\r\n")
            client.send(get(target, method="HEAD"))
            client.read_until(b"\r\n\r\n")
        for accept in ("", "Accept: application/openmetrics-text\r\n"):
            client.send(get("/metrics", accept))
            text = client.read_until(b"\r\n0\r\n\r\n")
            check("metrics", text, lambda t: b'route="/co/all"' in t)
        client.send(get("/endless"))
        client.sock.recv(4096)
        client.reset()
        old = server.connect_to(shard)
        old.send(get("/chunks/1500/4", version="1.0"))
        check("HTTP/1.0", len(old.read_to_end()), lambda n: n > 6000)
        old.close()
        waiting = server.connect_to(shard)
        waiting.send(get("/channel/1"))
        waiting.read_until(b"begun")
        other = server.connect_to(shard)
        check("wake", other.ask(get("/wake/1")).body, b"true")
        waiting.read_until(b"0\r\n\r\n")
        check("wake nobody", other.ask(get("/wake/1")).body, b"false")
        other.close()
        waiting.close()


def answer_later(server):
    for shard in range(SHARDS):
        for request in (get("/park/2"), post("/park/2", BODY)):
            server.remember()
            parked, other = server.connect_to(shard), server.connect_to(shard)
            parked.send(request)
            server.wait_for("requests_deferred")
            check("completed", other.ask(get("/complete/2")).body, b"answered")
            check("late", parked.reader.response().body, lambda b: b.startswith(b"/park/2"))
            check("twice", other.ask(get("/complete/2")).body, b"not answered")
            parked.send(request)
            server.wait_for("requests_deferred", 2)
            parked.reset()
            server.wait_for("connections_closed")
            check("gone", other.ask(get("/complete/2")).body, b"not answered")
            other.close()
            server.wait_until_empty()


def leave_in_every_way(server):
    stages = [b"", b"GET / HT", get("/echo", "Content-Length: 9\r\n", "POST") + b"1",
              get("/huge"), get("/endless"), get("/park/3"), get("/channel/3"), get("/drip/5/99"),
              get("/huge") * 3, get("/co/late/999"), get("/co/chunks/9999"),
              get("/co/sum", "Content-Length: 99999\r\n", "POST") + b"2" * 3000, get("/sum", "Content-Length: 99999\r\n", "POST") + b"2" * 3000]
    for shard in range(SHARDS):
        for request in stages:
            for leave in ("close", "reset", "finish_sending"):
                server.remember()
                client = server.connect_to(shard, 4096)
                client.send(request)
                time.sleep(0.005)
                getattr(client, leave)()
                if leave == "finish_sending":
                    time.sleep(0.005)
                    client.reset()
                server.wait_until_empty()


def leave_some_behind(server):
    """What still runs when the server is told to end, and does end."""
    kept = []
    for shard in range(SHARDS):
        for request in (get("/late/300"), post("/late/300", b"kept"), get("/drip/20/8"),
                        get("/channel/4")):
            client = server.connect_to(shard)
            client.send(request)
            kept.append(client)
        kept.append(server.connect_to(shard))
    server.drain()
    for number, client in enumerate(kept):
        wanted = b"" if number % 5 == 4 else b"HTTP/1.1 200 OK"
        check(f"the last answer of {number}", client.read_to_end(),
              lambda answer: answer.startswith(wanted) and (wanted != b"" or answer == b""))


def test():
    with CountedServer("wait", "patient") as server:
        for name, act in (("routes", ask_for_everything), ("mistakes", make_every_mistake),
                          ("exceptions", have_every_handler_throw), ("pieces", send_in_pieces),
                          ("streams", stream_both_ways), ("answers that come later", answer_later),
                          ("clients that leave", leave_in_every_way)):
            server.phase(name)
            act(server)
            server.wait_until_empty()
        leave_some_behind(server)
    server.judge()
    # The language's own, once for each throw; nobody else's.
    thrown = SHARDS * (len(THROWS) + 1)
    check("exceptions", server.last_counters["handler_exceptions"], thrown)
    check("memory of exceptions", server.asked("exceptions", "exceptions"),
          {"malloc": thrown, "free": thrown})
    for name in ("receive_errors", "responses_replaced", "requests_rejected", "requests_deferred"):
        check(f"{name} happened", server.last_counters[name], lambda n: n > 0)
    check("stale completions", server.last_counters["stale_completions"], 0)


main(test)
