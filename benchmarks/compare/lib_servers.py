"""The servers: how each is started for a workload, and which workloads it has.

Every server gets a port, and a folder that is its own for the time of a workload."""

import os
import re
import shutil
import socket
import subprocess
import time

from lib_workloads import BYTES, ECHO, HELLO, ITEM, JSON, ROOM, TCP, WS

ALPHABET = b"abcdefghijklmnopqrstuvwxyz" * 40331
PEERS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "peers")


class Server:
    """A kind of server. `has` names what it answers; the rest of the workloads it is not in."""

    name = ""
    has = ()

    def __init__(self, programs):
        self.programs = programs

    def missing(self):
        """Why it cannot run here, or None."""
        return None

    def version(self):
        return ""

    def command(self, workload, port, folder):
        raise NotImplementedError

    def url(self, workload, port):
        if workload.needs == TCP:
            return [f"tcp://127.0.0.1:{port}"]
        scheme = "ws" if workload.needs in (WS, ROOM) else "http"
        return [f"{scheme}://127.0.0.1:{port}{workload.path}"]


def said(*command):
    """What a program says of itself, wherever it says it."""
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=20, check=False)
    except OSError:
        return ""
    return done.stdout.strip()


def package(name):
    """The version of a Debian package, or nothing."""
    try:
        done = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", name],
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                              check=True)
    except (OSError, subprocess.CalledProcessError):
        return ""
    return done.stdout.strip()


class Built(Server):
    """One of this build's programs."""

    program = ""

    def path(self):
        return os.path.join(self.programs, self.program)

    def missing(self):
        return None if os.path.exists(self.path()) else f"{self.program} is not built"

    def command(self, workload, port, folder):
        return [self.path(), str(port)]


class Floor(Built):
    name, program, has = "floor", "floor", (HELLO, JSON, ITEM, ECHO, BYTES, WS, TCP)

    def command(self, workload, port, folder):
        return [self.path(), "--port", str(port), *workload.floor]

    def url(self, workload, port):
        if workload.needs != WS:
            return super().url(workload, port)
        # The floor knows no frames: as many bytes come back as the client's frame has. The last
        # value of an option counts.
        return ["--message-bytes", str(workload.floor_message_bytes), f"tcp://127.0.0.1:{port}"]


class Nen(Built):
    name, program, has = "nen", "target", (HELLO, JSON, ITEM, ECHO, BYTES, WS, ROOM)

    def command(self, workload, port, folder):
        # By itself it is sized for few and large bodies; here every connection sends one at once.
        return [self.path(), "--port", str(port), "--sizes", "many"]

    def version(self):
        parts = [said("git", "-C", PEERS, "describe", "--always", "--dirty"),
                 f"liburing {package('liburing-dev')}",
                 f"llhttp {package('libllhttp-dev') or package('node-llhttp')}"]
        return ", ".join(parts)


class NenWatched(Nen):
    """With all on that shows a server and guards it. It logs one request in 100."""

    name, program, has = "nen watched", "watched", (HELLO, JSON, ITEM, ECHO, BYTES)
    answers = "plain"

    def command(self, workload, port, folder):
        return [self.path(), "--port", str(port), "--log", os.path.join(folder, "access.log"),
                "--answers", self.answers]


class NenPublic(NenWatched):
    """The same; and each answer has a request id and security headers, 370 bytes."""

    name, answers = "nen public", "public"


class NenTcp(Nen):
    """The example 04_tcp_echo."""

    name, program, has = "nen tcp", "tcp_echo", (TCP,)

    def command(self, workload, port, folder):
        return [self.path(), "--port", str(port)]


class Beast(Built):
    name, program, has = "Beast", "peer_beast", (HELLO, JSON, ITEM, ECHO, BYTES, WS, ROOM)

    def version(self):
        return f"Boost {package('libboost-dev')}"


class Microhttpd(Built):
    name, program, has = "microhttpd", "peer_microhttpd", (HELLO, JSON, ITEM, ECHO, BYTES)

    def version(self):
        return package("libmicrohttpd-dev")


class Websockets(Built):
    name, program, has = "libwebsockets", "peer_websockets", (WS, ROOM)

    def version(self):
        return package("libwebsockets-dev")


class Tool(Server):
    """A program of the system."""

    tool = ""

    def missing(self):
        return None if shutil.which(self.tool) else f"{self.tool} is not installed"


class NodeHttp(Tool):
    name, tool, has = "Node http", "node", (HELLO, JSON, ITEM, ECHO, BYTES)

    def version(self):
        return said("node", "--version")

    def command(self, workload, port, folder):
        return ["node", os.path.join(PEERS, "node_http.mjs"), str(port)]


class NodeWs(Tool):
    name, tool, has = "Node ws", "node", (WS, ROOM)

    def missing(self):
        there = os.path.exists("/usr/share/nodejs/ws/package.json")
        return super().missing() or (None if there else "node-ws is not installed")

    def version(self):
        return f"{said('node', '--version')}, ws {package('node-ws')}"

    def command(self, workload, port, folder):
        return ["node", os.path.join(PEERS, "node_ws.mjs"), str(port)]


def write(folder, name, content):
    with open(os.path.join(folder, name), "wb") as file:
        file.write(content if isinstance(content, bytes) else content.encode())


class Nginx(Tool):
    """One worker. After nginx's "Serving Static Content" and the reference of its core module:
    sendfile, tcp_nopush, tcp_nodelay, open_file_cache, no access log, a long backlog; and
    keepalive_requests, which would close a connection after 1,000 requests."""

    name, tool, has = "nginx", "nginx", (HELLO, JSON, ITEM, BYTES)

    def version(self):
        return said("nginx", "-v").rpartition("/")[2]

    def command(self, workload, port, folder):
        os.mkdir(os.path.join(folder, "bytes"))
        for size in (65536, 1 << 20):
            write(folder, f"bytes/{size}", ALPHABET[:size])
        # A prefix finds one of a hundred locations in a tree, a pattern within takes the parameter.
        items = "\n".join(
            f"location /api/resource_{i:02}/ {{ location ~ ^/api/resource_{i:02}/([^/]+)$ "
            f"{{ default_type text/plain; return 200 $1; }} }}" for i in range(100))
        user = "user root;" if os.geteuid() == 0 else ""
        write(folder, "nginx.conf", f"""
{user}
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr error;
worker_rlimit_nofile 16384;
events {{ worker_connections 8192; use epoll; multi_accept on; }}
http {{
  access_log off;
  sendfile on;
  tcp_nopush on;
  tcp_nodelay on;
  open_file_cache max=100;
  keepalive_timeout 60s;
  keepalive_requests 1000000000;
  default_type application/octet-stream;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    root {folder};
    location = /plaintext {{ default_type text/plain; return 200 "Hello, World!"; }}
    location = /json {{
      default_type application/json;
      return 200 '{{"message":"Hello, World!"}}';
    }}
    {items}
  }}
}}
""")
        return ["nginx", "-p", folder, "-c", os.path.join(folder, "nginx.conf")]


class H2o(Tool):
    """One thread, files from its cache of open files. Its documentation names no other option for
    speed; its limit of requests on a connection is raised like nginx's."""

    name, tool, has = "h2o", "h2o", (HELLO, JSON, BYTES)

    def version(self):
        match = re.search(r"h2o version (\S+)", said("h2o", "--version"))
        return match[1] if match else ""

    def command(self, workload, port, folder):
        os.mkdir(os.path.join(folder, "root"))
        os.mkdir(os.path.join(folder, "root", "bytes"))
        write(folder, "root/plaintext", "Hello, World!")
        write(folder, "root/json", '{"message":"Hello, World!"}')
        for size in (65536, 1 << 20):
            write(folder, f"root/bytes/{size}", ALPHABET[:size])
        user = "user: root\n" if os.geteuid() == 0 else ""
        write(folder, "h2o.conf", f"""{user}num-threads: 1
max-connections: 4096
listen:
  host: 127.0.0.1
  port: {port}
hosts:
  default:
    paths:
      /:
        file.dir: {folder}/root
        file.send-gzip: OFF
        file.etag: OFF
""")
        return ["h2o", "-m", "worker", "-c", os.path.join(folder, "h2o.conf")]


SERVERS = [Floor, Nen, NenWatched, NenPublic, NenTcp, Nginx, H2o, Beast, Microhttpd, Websockets,
           NodeHttp, NodeWs]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Running:
    """A server under way, pinned to one core."""

    def __init__(self, server, workload, folder, cpu):
        self.server, self.workload = server, workload
        self.port = free_port()
        self.log = open(os.path.join(folder, "log"), "w+b")
        command = server.command(workload, self.port, folder)
        self.process = subprocess.Popen(["taskset", "-c", str(cpu), *command], stdout=self.log,
                                        stderr=subprocess.STDOUT)

    def wait_until_ready(self):
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline and self.process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    time.sleep(0.1)
                    return
            time.sleep(0.02)
        self.log.seek(0)
        raise RuntimeError(f"{self.server.name} does not start: "
                           f"{self.log.read().decode(errors='replace')[-2000:]}")

    def pids(self):
        """Its own and its descendants'."""
        children = {}
        for entry in os.listdir("/proc"):
            if entry.isdigit():
                try:
                    with open(f"/proc/{entry}/stat", encoding="utf-8", errors="replace") as file:
                        parent = int(file.read().rpartition(")")[2].split()[1])
                except OSError:
                    continue
                children.setdefault(parent, []).append(int(entry))
        found = [self.process.pid]
        for pid in found:
            found += children.get(pid, [])
        return found

    def resident_kib(self):
        total = 0
        for pid in self.pids():
            with open(f"/proc/{pid}/status", encoding="utf-8") as file:
                total += sum(int(line.split()[1]) for line in file if line.startswith("VmRSS:"))
        return total

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()
