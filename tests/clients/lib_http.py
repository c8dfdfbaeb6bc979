"""A strict reader of HTTP/1.1 responses, for tests that write their requests by hand."""

from lib_server_under_test import Failure


class Response:
    def __init__(self, status, fields, body):
        self.status, self.fields, self.body = status, fields, body


class Reader:
    """Takes one response after the other off a socket; it knows no framing but Content-Length."""

    def __init__(self, sock, read_bytes=65536):
        self.sock, self.read_bytes, self.left = sock, read_bytes, b""

    def _more(self):
        data = self.sock.recv(self.read_bytes)
        self.left += data
        return data != b""

    def response(self, method="GET"):
        """The next response, or None when the server has closed before its first byte."""
        while b"\r\n\r\n" not in self.left:
            if not self._more():
                if self.left:
                    raise Failure(f"the connection ended in a head: {self.left!r}")
                return None
        head, self.left = self.left.split(b"\r\n\r\n", 1)
        lines = head.decode("latin-1").split("\r\n")
        version, status, _ = lines[0].split(" ", 2)
        if version != "HTTP/1.1":
            raise Failure(f"not the beginning of a response: {lines[0]!r}")
        fields = {}
        for line in lines[1:]:
            name, value = line.split(": ", 1)
            if name.lower() in fields:
                raise Failure(f"{name} stands twice in {lines}")
            fields[name.lower()] = value.strip()
        size = int(fields["content-length"]) if status[0] != "1" and status != "204" else 0
        if method == "HEAD":
            size = 0
        parts, have = [self.left], len(self.left)
        while have < size:
            data = self.sock.recv(self.read_bytes)
            if not data:
                raise Failure(f"the connection ended after {have} of {size} bytes of a body")
            parts.append(data)
            have += len(data)
        whole = b"".join(parts)
        self.left = whole[size:]
        return Response(int(status), fields, whole[:size])

    def at_end(self):
        """True when nothing comes any more but the end."""
        return self.left == b"" and not self._more()
