"""curl and the example of a public server: fields on every answer, preflights, passwords and tokens,
limits, and what a load balancer is told while the server stops."""

import threading
import time

from lib_curl import Curl
from lib_server_under_test import Failure, Server, check, main

ORIGIN = ("--header", "Origin: https://app.example")


def check_strict(what, answer):
    check(f"{what}: nosniff", answer.field("X-Content-Type-Options"), "nosniff")
    check(f"{what}: policy", answer.field("Content-Security-Policy"),
          lambda policy: policy.startswith("default-src 'self'"))
    check(f"{what}: frames", answer.field("X-Frame-Options"), "SAMEORIGIN")


def check_fields(curl):
    for path, method, status in [("/", None, 200), ("/", "HEAD", 200), ("/nowhere", None, 404),
                                 ("/", "DELETE", 405), ("/livez", None, 200),
                                 ("/api/staff", None, 401), ("/client", None, 200)]:
        check_strict(path, curl(path, method=method, status=status))
    check_strict("malformed", curl("/", "--header", "Host: a b", status=400))
    check_strict("too long", curl("/", "--header", "X: " + "x" * 9000, status=431))


def check_cors(curl):
    answer = curl("/api/notes", *ORIGIN)
    check("origin", answer.field("Access-Control-Allow-Origin"), "https://app.example")
    check("credentials", answer.field("Access-Control-Allow-Credentials"), "true")
    check("exposed", answer.field("Access-Control-Expose-Headers"), "X-Total")
    check("vary", answer.field("Vary"), "Origin")
    answer = curl("/api/notes", "--header", "Origin: https://evil.example")
    check("another origin", answer.field("Access-Control-Allow-Origin"), None)
    check("vary", answer.field("Vary"), "Origin")
    asks = ("--header", "Access-Control-Request-Method: PUT", "--header",
            "Access-Control-Request-Headers: x-note")
    answer = curl("/api/notes/1", *ORIGIN, *asks, method="OPTIONS", status=204)
    check("methods", answer.field("Access-Control-Allow-Methods"), "PUT, OPTIONS")
    check("headers", answer.field("Access-Control-Allow-Headers"),
          "Content-Type, Authorization, X-Note")
    check("age", answer.field("Access-Control-Max-Age"), "600")
    refused = curl("/api/notes/1", *ORIGIN, body=b"x" * 201, method="PUT", status=413)
    check("a refusal can be read", refused.field("Access-Control-Allow-Origin"),
          "https://app.example")


def check_authentication(curl):
    check("who", curl("/api/staff", "--basic", "--user", "anna:open sesame").body, b"anna")
    answer = curl("/api/staff", "--basic", "--user", "anna:wrong", status=401)
    check("challenge", answer.field("WWW-Authenticate"),
          'Basic realm="the staff", charset="UTF-8"')
    # It answers the challenge by itself.
    check("asked for", curl("/api/staff", "--anyauth", "--user", "anna:open sesame").body, b"anna")
    curl("/api/keys/notes", method="DELETE", status=401)
    curl("/api/keys/notes", "--oauth2-bearer", "let-me-in", method="DELETE", status=204)
    answer = curl("/api/keys/notes", "--oauth2-bearer", "let-me-out", method="DELETE", status=401)
    check("challenge", answer.field("WWW-Authenticate"),
          'Bearer realm="keys", error="invalid_token"')


def check_limit(curl):
    for options in [(), ("--header", "Transfer-Encoding: chunked")]:
        curl("/api/notes/1", *options, method="PUT", body=b"n" * 200, status=204)
        curl("/api/notes/1", *options, method="PUT", body=b"n" * 201, status=413)
    refused = curl("/api/notes/1", "--header", "Expect: 100-continue", method="PUT",
                   body=b"n" * (1 << 20), status=413)
    check("the body was not asked for", (refused.interim, refused.facts["size_upload"]), ([], 0))


def check_stop(delay_ms):
    """A load balancer that asks every 20 ms, and a client who asks only while it is told to."""
    with Server("09_public", "--port", "0", "--delay", str(delay_ms)) as server:
        curl = Curl(server)
        check("ready", curl("/readyz").body, b"ready\n")
        begin = time.monotonic()
        stopper = threading.Timer(0.1, server.interrupt)
        stopper.start()
        while True:
            with server.connect() as probe:
                probe.sendall(b"GET /readyz HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
                answer = probe.makefile("rb").read()
            if answer.startswith(b"HTTP/1.1 503 "):
                break
            check("an answer", answer, lambda got: got.startswith(b"HTTP/1.1 200 "))
            if time.monotonic() > begin + 10:
                raise Failure("it never said that it drains")
            time.sleep(0.02)
        check("why", answer, lambda got: got.endswith(b"\r\n\r\ndraining\n"))
        check("others are still served", curl("/livez").body, b"alive\n")
        check("on new connections, too", curl("/api/notes").status, 200)
        server.wait_for_end()
        took = time.monotonic() - begin
        check("the delay", took, lambda s: s >= 0.1 + delay_ms / 1000 - 0.02)
        stopper.join()


def test():
    with Server("09_public", "--port", "0") as server:
        curl = Curl(server)
        check_fields(curl)
        check_cors(curl)
        check_authentication(curl)
        check_limit(curl)
    check_stop(1500)


main(test, needs=["curl"])
