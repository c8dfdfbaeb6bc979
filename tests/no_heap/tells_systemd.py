"""systemd is told how the server is, and its watchdog is fed while shards are idle, busy and done: no
memory for that."""

import os
import socket
import tempfile
import threading
import time

from lib_counted_server import CountedServer, check, get
from lib_server_under_test import main

INTERVAL_MS = 100


def listen(manager, heard):
    while not heard or not heard[-1].startswith(b"STOPPING=1"):
        heard.append(manager.recv(4096))


def test():
    with tempfile.TemporaryDirectory() as folder, \
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        os.environ["NOTIFY_SOCKET"] = os.path.join(folder, "notify")
        os.environ["WATCHDOG_USEC"] = str(INTERVAL_MS * 1000)
        manager.bind(os.environ["NOTIFY_SOCKET"])
        heard = []
        listens = threading.Thread(target=listen, args=(manager, heard), daemon=True)
        listens.start()
        with CountedServer("wait", "patient") as server:
            server.phase("the watchdog is fed")
            time.sleep(0.5)
            client = server.connect()
            for _ in range(50):
                check("status", client.ask(get("/")).status, 200)
                time.sleep(0.01)
            client.close()
            server.wait_until_empty()
            server.drain()
        server.judge()
        listens.join(10)
        check("at first", heard[0][:8], b"READY=1\n")
        check("at the end", heard[-1][:11], b"STOPPING=1\n")
        check("pings", heard.count(b"WATCHDOG=1"), lambda n: n >= 10)


main(test)
