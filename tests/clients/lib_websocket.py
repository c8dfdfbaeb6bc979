"""WebSockets for tests: which variants there are, other people's clients, and a strict client of
our own for what those would never send or would not tell."""

import base64
import hashlib
import os
import socket
import struct
import subprocess
import sys

from lib_http import Reader
from lib_server_under_test import Failure, SKIPPED, Skip, check, tool

MiB = 1 << 20
MESSAGE_BYTES_MAX = 16 * MiB  # what the target takes

# Paths of the target that echo, with what clients offer there.
VARIANTS = [("/ws", "deflate"), ("/ws", None), ("/ws/plain", "deflate")]
# Where the target accepts that, when it was built with zlib.
WITH_ZLIB = os.environ.get("NEN_WITH_ZLIB", "ON") not in ("", "OFF", "0")
DEFLATED_PATHS = ("/ws", "/ws/room") if WITH_ZLIB else ()

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10

# Of one to four bytes each, so that cuts fall within characters.
LETTERS = "a\u00e9\u20ac\U0001f600z\n\"\\"


def is_deflated(path, offer):
    return offer == "deflate" and path in DEFLATED_PATHS


def text_of(size):
    """Exactly `size` bytes of UTF-8."""
    whole = len(LETTERS.encode())
    return LETTERS * (size // whole) + "x" * (size % whole)


def noise_of(size, seed=1):
    """Bytes that nothing compresses, the same for the same seed."""
    return hashlib.shake_128(b"%d" % seed).digest(size)


def run_node(script, *arguments, seconds=130):
    """A script of the folder node, which skips itself by its exit code."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "node", script)
    try:
        done = subprocess.run([tool("node"), path, *arguments], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=seconds)
    except subprocess.TimeoutExpired as late:
        said = (late.stdout or b"").decode(errors="replace")
        raise Failure(f"{script} runs for more than {seconds} s:\n{said}") from None
    if done.returncode == SKIPPED:
        raise Skip(done.stdout.strip())
    if done.returncode != 0:
        raise Failure(f"{script} ended with {done.returncode}:\n{done.stdout}")
    print(done.stdout, end="")


def python_websockets():
    """Python's package. Debian has it for its own interpreter; where another one comes first in the
    path, the script begins again with Debian's."""
    try:
        import websockets
        return websockets
    except ImportError:
        system = "/usr/bin/python3"
        again = "NEN_SYSTEM_PYTHON"
        if again in os.environ or not os.path.exists(system):
            raise Skip("python3-websockets is not installed") from None
        sys.stdout.flush()
        os.execve(system, [system, *sys.argv], {**os.environ, again: "1"})


class RawClient:
    """One WebSocket over a blocking socket, frame by frame."""

    MASK = b"\x12\x34\xab\xcd"

    def __init__(self, server, path, seconds=30, receive_bytes=0):
        self.sock = socket.socket()
        if receive_bytes:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        self.sock.settimeout(seconds)
        self.sock.connect(server.address)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        key = base64.b64encode(os.urandom(16))
        self.sock.sendall(b"GET %s HTTP/1.1\r\nHost: test\r\nUpgrade: websocket\r\n"
                          b"Connection: Upgrade\r\nSec-WebSocket-Key: %s\r\n"
                          b"Sec-WebSocket-Version: 13\r\n\r\n" % (path.encode(), key))
        reader = Reader(self.sock)
        answer = reader.response()
        check("the handshake's status", answer.status, 101)
        digest = hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()
        check("Sec-WebSocket-Accept", answer.fields["sec-websocket-accept"],
              base64.b64encode(digest).decode())
        self.left = reader.left

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

    # ---- out ----

    @classmethod
    def frame(cls, opcode, payload=b"", fin=True):
        size = len(payload)
        first = opcode | (0x80 if fin else 0)
        if size < 126:
            head = struct.pack("!BB", first, 0x80 | size)
        elif size < 65536:
            head = struct.pack("!BBH", first, 0x80 | 126, size)
        else:
            head = struct.pack("!BBQ", first, 0x80 | 127, size)
        mask = int.from_bytes((cls.MASK * (size // 4 + 1))[:size], "big")
        masked = (int.from_bytes(payload, "big") ^ mask).to_bytes(size, "big")
        return head + cls.MASK + masked

    def send(self, opcode, payload=b"", fin=True):
        self.sock.sendall(self.frame(opcode, payload, fin))

    # ---- in ----

    def _take(self, size):
        parts = [self.left]
        have = len(self.left)
        while have < size:
            data = self.sock.recv(1 << 18)
            if not data:
                raise Failure(f"the connection ended, {size - have} bytes too early")
            parts.append(data)
            have += len(data)
        whole = b"".join(parts)
        self.left = whole[size:]
        return whole[:size]

    def receive(self):
        """The next frame's (opcode, payload). It has to be whole, unmasked and plain."""
        first, second = self._take(2)
        if first & 0xf0 != 0x80 or second & 0x80:
            raise Failure(f"a frame begins with {first:02x} {second:02x}")
        size = second
        if size == 126:
            size, = struct.unpack("!H", self._take(2))
            check("a shorter length would do", size, lambda n: n > 125)
        elif size == 127:
            size, = struct.unpack("!Q", self._take(8))
            check("a shorter length would do", size, lambda n: n > 65535)
        return first & 0x0f, self._take(size)

    def expect(self, what, opcode, payload):
        found = self.receive()
        if found != (opcode, payload):
            raise Failure(f"{what}: found opcode {found[0]} with {len(found[1])} bytes, "
                          f"{found[1][:80]!r}")

    def expect_close(self, what, code):
        """A close frame with this code (None: without one), then the connection's end."""
        self.expect(what, CLOSE, b"" if code is None else struct.pack("!H", code))
        self.expect_end(what)

    def expect_end(self, what):
        if self.left or self.sock.recv(1):
            raise Failure(f"{what}: bytes behind the close frame")


def check_origins(server, path):
    """Pages from elsewhere are refused, our own are not."""
    host = f"{server.address[0]}:{server.address[1]}"
    for origin, status in [(f"http://{host}", "101"), ("http://evil.example", "403"),
                           ("null", "403"), (None, "101")]:
        with socket.create_connection(server.address, timeout=20) as sock:
            line = f"Origin: {origin}\r\n" if origin else ""
            sock.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n{line}Upgrade: websocket\r\n"
                         "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode())
            check(f"a page of {origin}", sock.recv(4096).split(b" ")[1].decode(), status)
