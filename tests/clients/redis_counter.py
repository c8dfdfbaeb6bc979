"""A C library's socket on nen's loop: the counter example against a real Redis, which dies and
returns."""

import http.client
import json
import os
import signal
import socket
import subprocess
import tempfile
import threading
import time

from lib_proxy import free_port
from lib_server_under_test import Server, Skip, check, main, program, scaled, tool


class Redis:
    def __init__(self, folder):
        self.port, self.folder, self.process = free_port(), folder, None

    def start(self):
        self.process = subprocess.Popen(
            [tool("redis-server"), "--port", str(self.port), "--bind", "127.0.0.1", "--save", "",
             "--dir", self.folder], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            check("Redis is ready", time.monotonic(), lambda now: now < deadline)
            time.sleep(0.02)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


def ask(address, name):
    connection = http.client.HTTPConnection(*address, timeout=20)
    connection.request("GET", f"/hits/{name}")
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, json.loads(body)["hits"] if answer.status == 200 else None


def many_at_once(address, clients=40):
    per_client = scaled(25)
    failures = []

    def visit():
        for _ in range(per_client):
            status, _ = ask(address, "many")
            if status != 200:
                failures.append(status)

    threads = [threading.Thread(target=visit) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    check("failures", failures, [])
    check("every visit is counted once", ask(address, "many"), (200, clients * per_client + 1))


def test():
    try:
        program("07_redis_counter")
    except Exception as missing:
        raise Skip("07_redis_counter is not built: there is no hiredis") from missing
    with tempfile.TemporaryDirectory(prefix="nen-redis-") as folder:
        redis = Redis(folder)
        redis.start()
        try:
            with Server("07_redis_counter", "--port", "0",
                        "--redis-port", str(redis.port)) as server:
                check("first", ask(server.address, "a%20b"), (200, 1))
                check("second", ask(server.address, "a%20b"), (200, 2))
                check("another", ask(server.address, "other"), (200, 1))
                many_at_once(server.address)
                redis.kill()
                check("without Redis", ask(server.address, "x")[0], 502)
                redis.start()
                answers = [ask(server.address, "back")[0] for _ in range(10)]
                check("with Redis again", answers[-1], 200)
                # Asleep, it neither answers nor breaks: the time ends the waiting.
                os.kill(redis.process.pid, signal.SIGSTOP)
                begin = time.monotonic()
                check("a Redis that hangs", ask(server.address, "x")[0], 502)
                check("the time it takes", time.monotonic() - begin, lambda s: 0.9 < s < 8)
                os.kill(redis.process.pid, signal.SIGCONT)
                check("and goes on", ask(server.address, "y")[0], 200)
        finally:
            redis.kill()


main(test, needs=["redis-server"])
