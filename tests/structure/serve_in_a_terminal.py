"""Types `cmake --workflow --preset serve` into a terminal, asks the server for its page, and presses
Ctrl-C: the server must say its last words, everything must end well, and the prompt must return.

serve_in_a_terminal.py SOURCE_DIR CMAKE
"""

import os
import pty
import re
import select
import socket
import sys
import time
import urllib.request

PROMPT = b"nen-prompt> "
URL = "http://127.0.0.1:8080"
BILL = rb"\d ?([KMG]i?B|bytes)"


class Terminal:
    def __init__(self, argv, cwd):
        self.seen = b""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(cwd)
            os.environ["PS1"] = PROMPT.decode()
            os.environ["TERM"] = "dumb"
            os.execvp(argv[0], argv)

    def wait_for(self, what, seconds, after=0):
        """Reads until the pattern shows up behind the first `after` bytes; returns where it ends."""
        deadline = time.monotonic() + seconds
        while True:
            match = re.compile(what).search(self.seen, after)
            if match:
                return match.end()
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.fd], [], [], left)[0]:
                raise AssertionError(f"{what!r} did not show up within {seconds} s")
            try:
                data = os.read(self.fd, 65536)
            except OSError:
                data = b""
            if data == b"":
                raise AssertionError(f"the terminal closed before {what!r} showed up")
            self.seen += data

    def write(self, text):
        os.write(self.fd, text)


def port_is_free():
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", 8080))
        except OSError:
            return False
    return True


def run(terminal, cmake):
    at = terminal.wait_for(PROMPT, 10)
    terminal.write(f"{cmake} --workflow --preset serve; echo status=$?\n".encode())
    at = terminal.wait_for(b"\n", 5, at)
    # The shell's next word comes early when the build failed or the server did not start.
    at = terminal.wait_for(URL.encode() + rb"|status=\d", 240, at)
    assert terminal.seen[:at].endswith(URL.encode()), "the server did not start"
    body = None
    deadline = time.monotonic() + 10
    while body is None:
        try:
            with urllib.request.urlopen(URL + "/", timeout=5) as answer:
                assert answer.status == 200, answer.status
                body = answer.read()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
    assert body, "the demo's page is empty"

    # The memory bill may stand before or behind the URL.
    terminal.wait_for(BILL, 5, terminal.seen.find(b"step 2 of 2"))

    interrupted = len(terminal.seen)
    terminal.write(b"\x03")
    end = terminal.wait_for(b"status=", 30, interrupted)
    terminal.wait_for(PROMPT, 10, end)
    status = re.match(rb"\d+", terminal.seen[end:]).group()
    last_words = terminal.seen[interrupted:end].decode(errors="replace")
    assert status == b"0", f"the command ended with status {status.decode()}"
    spoken = [line for line in last_words.replace("\r", "\n").split("\n")
              if re.search(r"[a-z]{3}", line) and "Built target" not in line
              and "status=" not in line]
    assert spoken, f"the server had no last words: {last_words!r}"
    assert port_is_free(), "something still listens on port 8080"
    print("last words: " + " / ".join(line.strip() for line in spoken))


def main():
    source, cmake = sys.argv[1:3]
    if not port_is_free():
        print("port 8080 is taken on this machine, so the demo cannot be tried")
        return 77
    terminal = Terminal(["bash", "--norc", "--noprofile", "-i"], source)
    try:
        run(terminal, cmake)
    except AssertionError as problem:
        print(terminal.seen.decode(errors="replace"))
        print(f"FAILED: {problem}")
        return 1
    finally:
        os.close(terminal.fd)
    return 0


sys.exit(main())
