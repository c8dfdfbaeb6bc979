"""nen's HTTP client against nginx, Node and nen itself, all of which die and return while it asks:
every fetch is answered or failed by its deadline, and nothing of it is left behind."""

import http.client
import json
import os
import random
import signal
import subprocess
import tempfile
import threading
import time

from lib_proxy import free_port
from lib_server_under_test import Server, check, main, program, scaled, tool

SECONDS = 20
CLIENTS = 8
# The gateway's deadline for both services is half a second; the rest is for a busy machine.
PATIENCE = 4.0

NGINX = """
daemon off;
worker_processes 1;
pid {folder}/pid;
error_log {folder}/error.log crit;
%s
events { worker_connections 512; }
http {
  access_log off;
  default_type application/json;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server { listen 127.0.0.1:{port}; location / { return 200 '{"from":"nginx"}'; } }
}
"""

NODE = """
require('http').createServer((_, answer) => {
  answer.setHeader('Content-Type', 'application/json');
  answer.write('{"from":');
  setTimeout(() => answer.end('"node"}'), Math.random() * 5);
}).listen(%d, '127.0.0.1');
"""


class Service:
    """A server in a process of its own, which is killed and started again."""

    def __init__(self, folder, kind):
        self.kind, self.port, self.process = kind, free_port(), None
        if kind == "nginx":
            path = os.path.join(folder, "nginx.conf")
            user = "user root;" if os.geteuid() == 0 else ""
            with open(path, "w", encoding="ascii") as file:
                file.write((NGINX % user).replace("{folder}", folder)
                           .replace("{port}", str(self.port)))
            self.command = [tool("nginx"), "-e", "stderr", "-c", path]
        elif kind == "node":
            self.command = [tool("node"), "-e", NODE % self.port]
        else:
            self.command = [program("06_gateway"), "--port", str(self.port)]

    def url(self):
        return f"http://127.0.0.1:{self.port}/" + ("sample/news" if self.kind == "nen" else "")

    def start(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL, start_new_session=True)

    def kill(self):
        os.killpg(self.process.pid, signal.SIGKILL)  # nginx's worker too
        self.process.wait()


def descriptors(process):
    return len(os.listdir(f"/proc/{process.pid}/fd"))


class Asker(threading.Thread):
    """Asks the gateway again and again over one connection, and notes what it was told."""

    def __init__(self, address, until):
        super().__init__(daemon=True)
        self.address, self.until = address, until
        self.told, self.longest, self.problem = {}, 0.0, None

    def run(self):
        try:
            connection = http.client.HTTPConnection(*self.address, timeout=30)
            while time.monotonic() < self.until:
                begin = time.monotonic()
                connection.request("GET", "/")
                answer = connection.getresponse()
                body = json.loads(answer.read())
                self.longest = max(self.longest, time.monotonic() - begin)
                what = (answer.status, *sorted(k for k in body if body[k] is not None))
                self.told[what] = self.told.get(what, 0) + 1
        except Exception as problem:  # told by the main thread
            self.problem = repr(problem)


def churn(services, until, chance):
    """Kills and starts them, never leaving anything as it is for long."""
    while time.monotonic() < until:
        victim = chance.choice(services)
        victim.kill()
        time.sleep(chance.uniform(0, 0.4))
        victim.start()
        time.sleep(chance.uniform(0, 1.5))


def soak(folder, kinds, chance):
    services = [Service(folder, kind) for kind in kinds]
    for service in services:
        service.start()
    try:
        with Server("06_gateway", "--port", "0", "--weather", services[0].url(),
                    "--news", services[1].url()) as gateway:
            until = time.monotonic() + SECONDS / 2
            askers = [Asker(gateway.address, until) for _ in range(CLIENTS)]
            for asker in askers:
                asker.start()
            churn(services, until, chance)
            for asker in askers:
                asker.join(60)
            check("problems", [a.problem for a in askers if a.problem], [])
            check("the longest wait", max(a.longest for a in askers), lambda s: s < PATIENCE)
            told = {}
            for asker in askers:
                for what, count in asker.told.items():
                    told[what] = told.get(what, 0) + count
            print(kinds, {" ".join(map(str, k)): v for k, v in sorted(told.items())})
            check("answers", set(told), lambda s: s <= {(200, "news", "weather"), (200, "news"),
                                                        (200, "weather"), (502, "error")})
            check("answers with both", told.get((200, "news", "weather"), 0),
                  lambda n: n > scaled(100))
            check("that a service was missed", len(told), lambda n: n > 1)
            recovers(gateway)
    finally:
        for service in services:
            service.kill()


def recovers(gateway):
    """With all services back it is as good as new, and holds no more than it uses."""
    connection = http.client.HTTPConnection(*gateway.address, timeout=30)
    for _ in range(100):
        connection.request("GET", "/")
        answer = connection.getresponse()
        body = json.loads(answer.read())
        whole = answer.status == 200 and None not in body.values()
        if whole:
            break
        time.sleep(0.1)
    check("all is well again", whole, True)
    connection.close()
    time.sleep(0.3)
    # Direct descriptors are not in /proc; what would leak there is everything else.
    before = descriptors(gateway.process)
    check("descriptors", before, lambda n: n < 40)


def test():
    chance = random.Random(7)
    for kinds in (("nginx", "node"), ("nen", "nginx")):
        with tempfile.TemporaryDirectory(prefix="nen-upstreams-") as folder:
            soak(folder, kinds, chance)


main(test, needs=["nginx", "node"])
