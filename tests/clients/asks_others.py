"""The examples that ask others: the gateway in front of two services, and the client of many URLs."""

import http.server
import json
import subprocess
import threading
import time
import urllib.error
import urllib.request

from lib_server_under_test import Server, check, main, program, scaled


class Service(http.server.BaseHTTPRequestHandler):
    """/weather and /news answer; /late does so too late, /broken not to the end, /text in text."""
    protocol_version = "HTTP/1.1"
    connections = 0

    def setup(self):
        super().setup()
        Service.connections += 1

    def do_GET(self):
        body = json.dumps({"path": self.path}).encode()
        if self.path == "/late":
            time.sleep(3)
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/weather")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if self.path == "/large":
            body = b"x" * 1_000_000
        self.send_response(404 if self.path == "/missing" else 200)
        self.send_header("Content-Type", "text/plain" if self.path == "/text" else "application/json")
        self.send_header("Content-Length", str(len(body) + (self.path == "/broken")))
        self.end_headers()
        self.wfile.write(body)
        if self.path == "/broken":
            self.close_connection = True

    def log_message(self, *_):
        pass


class Services(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        """Who is late, or says too much, is hung up on."""


def ask(url):
    try:
        with urllib.request.urlopen(url, timeout=20) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as answer:
        return answer.code, json.loads(answer.read())


def gateway(base):
    def merged(weather, news):
        with Server("06_gateway", "--port", "0", "--weather", base + weather,
                    "--news", base + news) as server:
            begin = time.monotonic()
            answers = [ask(server.url()) for _ in range(5)]
            check("the time that it takes", time.monotonic() - begin, lambda s: s < 10)
            check("all answers are the same", answers, [answers[0]] * 5)
            return answers[0]

    weather, news = {"path": "/weather"}, {"path": "/news"}
    check("both", merged("/weather", "/news"), (200, {"weather": weather, "news": news}))
    check("redirected", merged("/moved", "/news"), (200, {"weather": weather, "news": news}))
    for bad in ("/late", "/broken", "/missing", "/text", "/large"):
        check(bad, merged("/weather", bad), (200, {"weather": weather, "news": None}))
    code, body = merged("/late", "/broken")
    check("neither", (code, list(body)), (502, ["error"]))


def keeps_connections(base):
    with Server("06_gateway", "--port", "0", "--weather", base + "/weather",
                "--news", base + "/news") as server:
        before = Service.connections
        for _ in range(20):
            check("an answer", ask(server.url())[0], 200)
        check("connections for 40 requests", Service.connections - before, lambda n: n <= 4)


def many_urls(base):
    def run(*urls, **more):
        return subprocess.run([program("05_client"), *urls], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=100, **more)

    done = run(base + "/weather", base + "/large", base + "/moved")
    check("exit code", (done.returncode, done.stderr), (0, ""))
    lines = sorted(line.split()[0:3] for line in done.stdout.splitlines())
    size = str(len(json.dumps({"path": "/weather"})))
    check("lines", lines, sorted([["200", size, "bytes"], ["200", "1000000", "bytes"],
                                  ["200", size, "bytes"]]))

    many = [f"{base}/{i}" for i in range(scaled(300))]
    done = run(input="\n".join(many))
    check("exit code of many", done.returncode, 0)
    check("many", sorted(line.split()[-1] for line in done.stdout.splitlines()), sorted(many))

    done = run(base + "/missing", base + "/broken", "http://127.0.0.1:1/", "nonsense")
    check("exit code of failures", done.returncode, 1)
    said = {line.split()[-1]: line.rsplit(" ", 1)[0] for line in done.stdout.splitlines()}
    check("a failure", said["http://127.0.0.1:1/"], "--- nobody listens there")
    check("no URL", said["nonsense"], "--- the URL is not one that can be asked for")
    check("a cut answer", said[base + "/broken"],
          "--- the connection ended before the answer was complete")
    check("an error is an answer", said[base + "/missing"].split()[0], "404")


def test():
    service = Services(("127.0.0.1", 0), Service)
    threading.Thread(target=service.serve_forever, daemon=True).start()
    base = f"http://127.0.0.1:{service.server_port}"
    gateway(base)
    keeps_connections(base)
    many_urls(base)
    service.shutdown()


main(test)
