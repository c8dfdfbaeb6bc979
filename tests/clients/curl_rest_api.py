"""curl and every route, verb and error of the REST example; uploads go to the benchmark target."""

import os
import tempfile

from lib_curl import Curl
from lib_server_under_test import Server, check, main

TOKEN = ("--header", "Authorization: Bearer let-me-in")
API = "/api/sensors"


def check_life_of_a_sensor(curl):
    check("the list at first", curl(API).json(), [])
    made = curl(API, body=b"kitchen", status=201)
    check("Location", made.field("Location"), f"{API}/1")
    check("what was made", made.json(), {"id": 1, "name": "kitchen", "celsius": 0})
    check("what Location names", curl(f"{API}/1").json(), made.json())
    check("HEAD has its length", curl(f"{API}/1", method="HEAD").field("Content-Length"),
          made.field("Content-Length"))

    for text, value in [(b"21.5", 21.5), (b"-3", -3), (b"1e2", 100)]:
        check("after PUT", curl(f"{API}/1", method="PUT", body=text).json()["celsius"], value)
    check("PUT is kept", curl(f"{API}/1").json()["celsius"], 100)

    curl(API, body=b"attic", status=201)
    names = [sensor["name"] for sensor in curl(API).json()]
    check("the list of two", names, ["kitchen", "attic"])
    check("a page", [s["id"] for s in curl(f"{API}?skip=1&limit=5").json()], [2])
    check("an empty page", curl(f"{API}?limit=0").json(), [])

    check("204 has no body", curl(f"{API}/1", method="DELETE", status=204).body, b"")
    check("it is gone", curl(f"{API}/1", status=404).json(), {"error": "no sensor has this id"})
    curl(f"{API}/1", method="DELETE", status=404)
    curl(f"{API}/1", method="PUT", body=b"1", status=404)
    check("ids are not used again", curl(API, body=b"kitchen", status=201).field("Location"),
          f"{API}/3")
    pages = [[s["id"] for s in curl(f"{API}?limit=1&skip={skip}").json()] for skip in range(3)]
    check("pages of one", pages, [[3], [2], []])


def check_refusals(curl):
    for body in [b"", b"two words", b"a/b", b"line\nbreak", b"\0", b"\xff", b"n" * 33]:
        check(f"the name {body!r}", curl(API, body=body, status=400).json()["error"],
              lambda sentence: "name" in sentence)
    for body in [b"", b"warm", b"1 2", b"nan", b"inf", b"1e999"]:
        check(f"the temperature {body!r}",
              curl(f"{API}/2", method="PUT", body=body, status=400).json()["error"],
              lambda sentence: "number" in sentence)
    check("a name that exists", curl(API, body=b"attic", status=409).json(),
          {"error": "a sensor of this name exists"})
    for query in ["limit=x", "limit=", "limit", "limit=-1", "limit=4294967296", "limit=%zz",
                  "other=1"]:
        check(f"the query {query!r}", curl(f"{API}?{query}", status=400).json(),
              {"error": "Bad Request"})
    for path in ["/abc", "/4294967296", "/-1", "/1/more", "/"]:
        check(f"the path {path}", curl(API + path, status=404).json()["path"], API + path)


def check_methods(curl):
    for path, method, allow in [(API, "DELETE", "GET, HEAD, POST, OPTIONS"),
                                (API, "PATCH", "GET, HEAD, POST, OPTIONS"),
                                (f"{API}/2", "POST", "GET, HEAD, PUT, DELETE, OPTIONS"),
                                ("/", "PUT", "GET, HEAD, OPTIONS")]:
        answer = curl(path, method=method, status=405)
        check(f"{method} {path}: Allow", answer.field("Allow"), allow)
        check(f"{method} {path}", answer.json(), {"error": "Method Not Allowed"})
        check(f"OPTIONS {path}: Allow", curl(path, method="OPTIONS", status=204).field("Allow"),
              allow)
    check("OPTIONS *", curl("/", "--request-target", "*", method="OPTIONS", status=204)
          .field("Allow"), "GET, HEAD, POST, PUT, DELETE, OPTIONS")
    curl("/", method="BREW", status=501)


def check_token(server):
    stranger = Curl(server)
    for options in [(), ("--header", "Authorization: Bearer let-me-out"),
                    ("--header", "Authorization: Basic bGV0LW1lLWlu")]:
        for method, path in [("GET", API), ("GET", f"{API}/2"), ("DELETE", f"{API}/2")]:
            answer = stranger(path, *options, method=method, status=401)
            check("challenge", answer.field("WWW-Authenticate"), 'Bearer realm="sensors"')
            check("401", answer.json(), {"error": "this needs a token"})
    check("the root needs none", stranger("/").body, b"The API is at /api/sensors.\n")
    check("not_found needs none", stranger("/x%20y", status=404).json()["path"], "/x%20y")


def check_limits(curl):
    # One byte more than the limit, announced and chunked, and far more.
    for size in [1025, 1 << 20]:
        answer = curl(API, body=b"n" * size, status=413)
        check("413 closes", answer.field("Connection"), "close")
        curl(API, "--header", "Transfer-Encoding: chunked", body=b"n" * size, status=413)
    refused = curl(API, "--header", "Expect: 100-continue", body=b"n" * (1 << 20), status=413)
    check("the body was not asked for", refused.interim, [])
    check("the body was not sent", refused.facts["size_upload"], 0)
    curl(API, body=b"n" * 1024, status=400)

    for i in range(64 - len(curl(f"{API}?limit=64").json())):
        curl(API, body=f"filler-{i}".encode(), status=201)
    check("full", curl(API, body=b"one-more", status=503).json()["error"],
          "there is no room for more sensors")
    check("a full list", len(curl(f"{API}?limit=1000").json()), 64)


def check_uploads():
    body = os.urandom(1 << 20)
    with Server("target", "--port", "0") as server:
        curl = Curl(server)
        for expect in ["Expect: 100-continue", "Expect:"]:
            answer = curl("/echo", "--header", expect, body=body)
            check("1 MiB comes back", answer.body == body, True)
            check("interim answers", answer.interim, [100] if "100" in expect else [])
            chunked = curl("/echo", "--header", expect, "--header", "Transfer-Encoding: chunked",
                           body=body)
            check("1 MiB in chunks comes back", chunked.body == body, True)
        check("discard", curl("/discard", body=body).body, str(len(body)).encode())
        large = body * 8  # streamed bodies have no limit, gathered ones do
        check("discard 8 MiB", curl("/discard", body=large).body, str(len(large)).encode())
        curl("/echo", "--header", "Expect:", body=body + b"x", status=413)
        for method in ["POST", "PUT", "PATCH", "DELETE"]:
            check(method, curl("/echo", method=method, body=b"abc").body, b"abc")
        check("POST /", curl("/", body=b"abc").body, b"abc")
        whole = curl(f"/bytes/{1 << 20}").body
        check("a static MiB", whole == (b"abcdefghijklmnopqrstuvwxyz" * 40330)[:1 << 20], True)
        check("no bytes", curl("/bytes/0").body, b"")
        curl(f"/bytes/{(1 << 20) + 1}", status=404)


def test():
    with Server("02_rest_api", "--port", "0") as server:
        curl = Curl(server, *TOKEN)
        check_life_of_a_sensor(curl)
        check_refusals(curl)
        check_methods(curl)
        check_token(server)
        old = curl(f"{API}/2", "--http1.0")
        check("HTTP/1.0", (old.json()["name"], old.field("Connection")), ("attic", "close"))
        check("errors keep the connection",
              curl.in_one_go([f"{API}/2", "/nowhere", API, f"{API}?limit=x"]),
              [(200, 1), (404, 0), (200, 0), (400, 0)])
        check_limits(curl)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "api.sock")
        with Server("02_rest_api", "--unix", path) as server:
            check_life_of_a_sensor(Curl(server, *TOKEN))
        check("the socket's file is removed", os.path.exists(path), False)
    check_uploads()


main(test, needs=["curl"])
