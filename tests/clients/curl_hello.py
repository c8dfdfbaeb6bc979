"""curl and the hello-world server, byte for byte."""

from lib_curl import Curl
from lib_server_under_test import Server, check, main


def test():
    with Server("01_hello", fixed_port=8080) as server:
        curl = Curl(server)

        answer = curl("/")
        check("body", answer.body, b"Hello, World!")
        check("phrase", answer.phrase, "OK")
        check("fields", [name for name, _ in answer.fields],
              ["Server", "Date", "Content-Type", "Content-Length"])
        check("Content-Type", answer.field("Content-Type"), "text/plain; charset=utf-8")

        check("a query changes nothing", curl("/?name=value").body, b"Hello, World!")

        head = curl("/", method="HEAD")
        check("HEAD has GET's fields", [name for name, _ in head.fields],
              [name for name, _ in answer.fields])
        check("HEAD has GET's length", head.field("Content-Length"), "13")

        check("no such path", curl("/nothing", status=404).body, b"Not Found")
        check("Allow of a 405", curl("/", method="POST", body=b"x", status=405).field("Allow"),
              "GET, HEAD, OPTIONS")
        check("Allow of OPTIONS", curl("/", method="OPTIONS", status=204).field("Allow"),
              "GET, HEAD, OPTIONS")

        old = curl("/", "--http1.0")
        check("HTTP/1.0: body", old.body, b"Hello, World!")
        check("HTTP/1.0: closes", old.field("Connection"), "close")
        kept = curl("/", "--http1.0", "--header", "Connection: keep-alive")
        check("HTTP/1.0: keeps when asked", kept.field("Connection"), "keep-alive")

        check("50 requests over one connection", curl.in_one_go(["/"] * 50),
              [(200, 1)] + [(200, 0)] * 49)


main(test, needs=["curl"])
