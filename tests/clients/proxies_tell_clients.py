"""HAProxy and nginx in front of 08_clients: each request is its own client's, whatever the client
writes, and each client has his own limit."""

import os
import signal
import socket
import time

from lib_http import Reader
from lib_proxy import Proxy
from lib_server_under_test import Server, check, main

HAPROXY = """
global
  maxconn 64
defaults
  mode http
  timeout connect 5s
  timeout client 10s
  timeout server 10s
  option http-keep-alive
  http-reuse never
  retries 0
  # A server that answered a health check wrongly would be down, and requests be answered 503.
  option httpchk GET /
  http-check expect string 127.0.0.1
  default-server inter 100ms fall 1 rise 1
frontend clients
  bind 127.0.0.1:{port}
  default_backend target
backend target
  server one 127.0.0.1:{server_port} check %s
"""

NGINX = """
daemon off;
worker_processes 1;
pid {folder}/pid;
error_log {folder}/error.log warn;
%s
events { worker_connections 64; }
http {
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  upstream target {
    server 127.0.0.1:{server_port};
    keepalive 1;
  }
  server {
    listen 127.0.0.1:{port};
    location / {
      proxy_pass http://target;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    }
  }
}
"""


class Client:
    """A connection from an address of this machine."""

    def __init__(self, port, source):
        self.sock = socket.create_connection(("127.0.0.1", port), 10, (source, 0))
        self.reader = Reader(self.sock)

    def ask(self, fields=""):
        self.sock.sendall(f"GET / HTTP/1.1\r\nHost: test\r\n{fields}\r\n".encode())
        return self.reader.response()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()


def check_clients(what, port):
    """Two clients through one proxy: neither is the other, and neither can be a third."""
    clients = {source: Client(port, source) for source in ["127.0.0.5", "127.0.0.6"]}
    for lie in ["", "X-Forwarded-For: 203.0.113.9\r\n", "X-Forwarded-For: \"\r\n",
                "X-Forwarded-For: 127.0.0.1, 127.0.0.1\r\nForwarded: for=203.0.113.9\r\n"]:
        for source, client in clients.items():
            answer = client.ask(lie)
            check(f"{what}: status with {lie!r}", answer.status, 200)
            check(f"{what}: client with {lie!r}", answer.body, source.encode())
    for client in clients.values():
        client.sock.close()


def haproxy(option):
    what = f"haproxy, {option}"
    with Server("08_clients", "--port", "0", "--trusted", "127.0.0.1", "--proxy-protocol",
                "trusted", "--connections", "2") as server:
        with Proxy(["haproxy", "-db", "-f"], HAPROXY % option, signal.SIGUSR1,
                   server_port=server.address[1]) as proxy:
            check_clients(what, proxy.port)
            # Each connection to HAProxy has one of its own behind it, and is its client's.
            many = [Client(proxy.port, "127.0.0.7") for _ in range(4)]
            statuses = sorted(client.ask().status for client in many)
            check(f"{what}: of four connections", statuses[:2], [200, 200])
            check(f"{what}: over the limit", statuses[2:], lambda all: min(all) >= 502)
            for client in many:
                client.sock.close()
            time.sleep(0.5)  # some health checks more
            check_clients(f"{what}, after health checks", proxy.port)
        with Client(server.address[1], "127.0.0.1") as without:
            without.sock.sendall(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n")
            check(f"{what}: without a header", without.reader.at_end(), True)
        with Client(server.address[1], "127.0.0.8") as direct:
            check(f"{what}: not by the proxy", direct.ask().body, b"127.0.0.8")


def nginx():
    # The workers of a master that root has started are somebody who may not see the folder.
    user = "user root;" if os.geteuid() == 0 else ""
    with Server("08_clients", "--port", "0", "--trusted", "127.0.0.1", "--forwarded",
                "x-forwarded-for", "--requests", "10") as server:
        with Proxy(["nginx", "-e", "stderr", "-c"], NGINX % user, signal.SIGQUIT,
                   server_port=server.address[1]) as proxy:
            check_clients("nginx", proxy.port)
            with Client(proxy.port, "127.0.0.9") as hasty, Client(proxy.port, "127.0.0.10") as calm:
                answers = [hasty.ask() for _ in range(40)]
                refused = [answer for answer in answers if answer.status == 429]
                check("nginx: too many at once", len(refused), lambda n: 20 <= n <= 30)
                check("nginx: the others", sum(answer.status == 200 for answer in answers),
                      40 - len(refused))
                check("nginx: when to try again", refused[0].fields["retry-after"], "1")
                check("nginx: another client", calm.ask().status, 200)
        with Client(server.address[1], "127.0.0.8") as liar:
            answer = liar.ask("X-Forwarded-For: 203.0.113.9\r\n")
            check("not by the proxy", answer.body, b"127.0.0.8")


def test():
    haproxy("send-proxy")
    haproxy("send-proxy-v2")
    nginx()


main(test, needs=["haproxy", "nginx"])
