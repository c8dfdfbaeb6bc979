"""HAProxy as reverse proxy: connections of its own to the server, shared by all clients."""

import csv
import os
import signal
import socket

from lib_proxy import test_behind

# A failed request is not tried again: nothing may be lost on the way to the server.
CONFIGURATION = """
global
  nbthread 2
  maxconn 512
  stats socket {folder}/statistics
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
  retries 0
  option http-keep-alive
  http-reuse %s
frontend clients
  bind 127.0.0.1:{port}
  default_backend target
backend target
  server one 127.0.0.1:{server_port}
"""


def connections_made(proxy, _):
    """Asks HAProxy: it resets the connections that it ends, so that the kernel remembers none."""
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(os.path.join(proxy.folder.name, "statistics"))
        sock.sendall(b"show stat\n")
        with sock.makefile() as answer:
            rows = list(csv.DictReader(answer))
    return next(int(row["connect"]) for row in rows if row["svname"] == "one")


test_behind(["haproxy", "-db", "-f"],
            [(f"haproxy, http-reuse {reuse}", CONFIGURATION % reuse)
             for reuse in ["safe", "always"]],
            signal.SIGUSR1, connections_made)
