"""Starts one of this build's servers for a test, and stops it: by SIGINT, with exit code 0.

    def test():
        with Server("target", "--port", "0") as server:
            ...
    main(test, needs=["curl"])

The programs are looked for in NEN_BIN_DIR, or in the folder that is the script's first argument.
"""

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback

SKIPPED = 77
SANITIZED = os.environ.get("NEN_SANITIZE", "") not in ("", "OFF")


class Skip(Exception):
    pass


class Failure(AssertionError):
    pass


def check(what, found, wanted):
    """Fails unless found is wanted; a callable is asked instead of compared."""
    fits = wanted(found) if callable(wanted) else found == wanted
    if not fits:
        asked = "something else" if callable(wanted) else repr(wanted)
        raise Failure(f"{what}: found {found!r}, wanted {asked}")


def scaled(count):
    """Sanitizers slow a server down by as much as ten times."""
    return max(1, count // 10) if SANITIZED else count


def tool(name):
    path = shutil.which(name)
    if path is None:
        raise Skip(f"{name} is not installed")
    return path


def run_tool(*command, seconds=100, **more):
    """The output of a client that has to end well."""
    done = subprocess.run([tool(command[0]), *command[1:]], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=seconds, **more)
    if done.returncode != 0:
        raise Failure(f"{' '.join(command)} ended with {done.returncode}:\n"
                      f"{done.stdout}{done.stderr}")
    return done.stdout


def program(name):
    folder = os.environ.get("NEN_BIN_DIR") or (sys.argv[1] if len(sys.argv) > 1 else None)
    if folder is None:
        raise Failure("where are the programs? Set NEN_BIN_DIR or name their folder")
    path = os.path.join(folder, name)
    if not os.path.exists(path):
        raise Failure(f"{path} is not built")
    return path


class Server:
    """A running server, at `address`, which is (host, port), or at `unix`, which is a path."""

    READY = re.compile(r"(?:listening on |http://)(?:unix:(?P<unix>\S+)|\[?(?P<host>[\w.:]+?)\]?"
                       r":(?P<port>\d+))\n")

    def __init__(self, name, *arguments, fixed_port=None, stop_seconds=12):
        self.name, self.arguments = name, arguments
        self.fixed_port, self.stop_seconds = fixed_port, stop_seconds
        self.address = self.unix = None
        self.log = tempfile.TemporaryFile("w+")
        self.process = None

    # ---- start ----

    def __enter__(self):
        command = [program(self.name), *self.arguments]
        if "thread" in os.environ.get("NEN_SANITIZE", "") and shutil.which("setarch"):
            command = ["setarch", "--addr-no-randomize", *command]
        if self.fixed_port is not None and self._connects(self.fixed_port):
            raise Failure(f"port {self.fixed_port} is taken on this machine, {self.name} needs it")
        self.process = subprocess.Popen(command, stdout=self.log, stderr=subprocess.STDOUT)
        try:
            self._wait_until_ready()
        except BaseException:
            self._kill()
            raise
        return self

    def _wait_until_ready(self):
        deadline = time.monotonic() + 20
        while not self._ready():
            if self.process.poll() is not None:
                raise Failure(f"{self.name} ended at once with {self.process.returncode}:\n"
                              f"{self.said()}")
            if time.monotonic() > deadline:
                raise Failure(f"{self.name} is not ready after 20 s:\n{self.said()}")
            time.sleep(0.01)

    def _ready(self):
        if self.fixed_port is not None:
            self.address = ("127.0.0.1", self.fixed_port)
            return self._connects(self.fixed_port)
        match = self.READY.search(self.said())
        if match is None:
            return False
        self.unix = match["unix"]
        if self.unix is None:
            self.address = (match["host"], int(match["port"]))
        return True

    @staticmethod
    def _connects(port):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    # ---- while it runs ----

    def said(self):
        """All that it printed so far."""
        return os.pread(self.log.fileno(), 1 << 20, 0).decode(errors="replace")

    def url(self, path="/"):
        if self.unix is not None:
            return f"http://localhost{path}"
        host, port = self.address
        return f"http://{f'[{host}]' if ':' in host else host}:{port}{path}"

    def connect(self, seconds=20):
        return socket.create_connection(self.address, timeout=seconds)

    def interrupt(self):
        self.process.send_signal(signal.SIGINT)

    # ---- stop ----

    def stop(self):
        """Interrupts it unless it has been. Returns the seconds until it ended."""
        begin = time.monotonic()
        if self.process.poll() is None:
            self.interrupt()
        return self.wait_for_end(begin)

    def wait_for_end(self, begin=None):
        begin = time.monotonic() if begin is None else begin
        try:
            code = self.process.wait(self.stop_seconds)
        except subprocess.TimeoutExpired:
            raise Failure(f"{self.name} still runs {self.stop_seconds} s after SIGINT") from None
        check(f"exit code of {self.name}", code, 0)
        return time.monotonic() - begin

    def __exit__(self, kind, problem, trace):
        if kind is None:
            try:
                self.stop()
            except Failure:
                self._kill()
                raise
        else:
            self._kill()

    def _kill(self):
        code = self.process.poll()
        if code is None:
            self.process.kill()
            self.process.wait()
        print(f"---- {self.name} ({'killed' if code is None else f'exit code {code}'}) said:\n"
              f"{self.said()}----")


@contextlib.contextmanager
def started_again(name, port):
    """A server of ours at a port that one had before; another program's connection may have it for a
    moment."""
    with contextlib.ExitStack() as until_the_end:
        for attempt in range(10):
            try:
                server = until_the_end.enter_context(Server(name, "--port", str(port)))
                break
            except Failure:
                if attempt == 9:
                    raise
                time.sleep(1)
        yield server


def main(test, needs=()):
    try:
        for name in needs:
            tool(name)
        test()
    except Skip as reason:
        print(f"skipped: {reason}")
        sys.exit(SKIPPED)
    except Failure as problem:
        print(f"FAILED: {problem}")
        sys.exit(1)
    except Exception:
        traceback.print_exc()
        sys.exit(1)
