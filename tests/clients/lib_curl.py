"""curl for tests: one request, and its answer taken apart."""

import email.utils
import json
import os
import subprocess
import tempfile
import time

from lib_server_under_test import Failure, check, run_tool, tool


class Answer:
    def __init__(self, head, body, facts):
        # Interim answers (100 Continue) come before the one that counts.
        blocks = [block for block in head.split("\r\n\r\n") if block]
        self.interim = [int(block.split()[1]) for block in blocks[:-1]]
        lines = blocks[-1].split("\r\n")
        self.version, code, self.phrase = lines[0].split(" ", 2)
        self.status = int(code)
        self.fields = [tuple(line.split(": ", 1)) for line in lines[1:]]
        self.body = body
        self.facts = facts

    def field(self, name):
        found = [value.strip() for key, value in self.fields if key.lower() == name.lower()]
        if len(found) > 1:
            raise Failure(f"{name} stands {len(found)} times in {self.fields}")
        return found[0] if found else None

    def json(self):
        check("media type", self.field("Content-Type"), "application/json")
        return json.loads(self.body)


class Curl:
    """@param server    a running Server
    @param options  given with every request"""

    def __init__(self, server, *options):
        self.server, self.options = server, options

    def __call__(self, path, *options, method=None, body=None, status=200, seconds=20):
        """One request. Checks the status and what every answer has to have."""
        command = [tool("curl"), "--silent", "--show-error", "--max-time", str(seconds)]
        command += [*self.options, *options]
        if self.server.unix is not None:
            command += ["--unix-socket", self.server.unix]
        if method == "HEAD":
            command += ["--head"]
        elif method is not None:
            command += ["--request", method]
        if body is not None:
            command += ["--data-binary", "@-"]
        with tempfile.TemporaryDirectory() as folder:
            head_file, body_file = os.path.join(folder, "head"), os.path.join(folder, "body")
            command += ["--dump-header", head_file, "--output", body_file, "--write-out", "%{json}",
                        self.server.url(path)]
            done = subprocess.run(command, input=body or b"", stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, timeout=seconds + 10)
            what = f"{method or ('POST' if body is not None else 'GET')} {path}"
            if done.returncode != 0:
                raise Failure(f"{what}: curl ended with {done.returncode}: {done.stderr.decode()}")
            with open(head_file, newline="") as file:
                head = file.read()
            received = b""
            if os.path.exists(body_file) and method != "HEAD":
                with open(body_file, "rb") as file:
                    received = file.read()
        answer = Answer(head, received, json.loads(done.stdout))
        check(f"status of {what}", answer.status, status)
        self._check_head(what, answer, method)
        return answer

    def in_one_go(self, paths):
        """One curl asks for all of them. Returns (status, connections made) of each."""
        command = ["curl", "--silent", *self.options]
        command += ["--write-out", "%{response_code} %{num_connects} "]
        for path in paths:
            command += ["--output", "/dev/null", self.server.url(path)]
        numbers = [int(number) for number in run_tool(*command).split()]
        return list(zip(numbers[0::2], numbers[1::2]))

    @staticmethod
    def _check_head(what, answer, method):
        check(f"{what}: version", answer.version, "HTTP/1.1")
        check(f"{what}: Server", answer.field("Server"), "nen")
        date = email.utils.parsedate_to_datetime(answer.field("Date") or "")
        check(f"{what}: Date is now", abs(date.timestamp() - time.time()), lambda off: off < 5)
        if answer.status == 204:
            check(f"{what}: Content-Length", answer.field("Content-Length"), None)
        elif method != "HEAD":
            check(f"{what}: Content-Length", answer.field("Content-Length"), str(len(answer.body)))
