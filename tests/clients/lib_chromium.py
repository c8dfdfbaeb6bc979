"""A headless Chromium for tests, spoken to in the DevTools protocol over a pipe.

    with Chromium() as browser:
        tab = browser.open("http://127.0.0.1:8080/")
        tab.wait_for("document.title === 'Chat'")
"""

import base64
import fcntl
import json
import os
import select
import shutil
import signal
import subprocess
import tempfile
import time

from lib_server_under_test import Failure, tool

PATIENCE = 60  # seconds; the machine may have other things to do

OPTIONS = ["--headless=new", "--remote-debugging-pipe", "--no-sandbox", "--no-first-run",
           "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking",
           "--disable-component-update", "--disable-default-apps", "--disable-extensions",
           "--disable-sync", "--no-proxy-server", "--mute-audio",
           # A tab that nobody looks at does as one that somebody looks at.
           "--disable-background-timer-throttling", "--disable-renderer-backgrounding",
           "--disable-backgrounding-occluded-windows"]


class Chromium:
    """@param hosts  names that pages may have, each with the address and port that it means"""

    def __init__(self, hosts=()):
        named = [f"MAP {name} {where}" for name, where in dict(hosts).items()]
        # Nothing else leaves this machine.
        self.names = ", ".join([*named, "MAP * ~NOTFOUND", "EXCLUDE 127.0.0.1"])
        self.profile = tempfile.mkdtemp(prefix="nen-chromium-")
        self.log = tempfile.TemporaryFile("w+")
        self.process = None
        self.problems = []  # exceptions that no script of a page caught
        self.complaints = []  # the browser's own errors, as (where from, what)
        self.requests = []  # the addresses of all that pages asked for
        self._last_id, self._left, self._answers = 0, b"", {}

    # ---- start and stop ----

    def __enter__(self):
        def high(fd):  # away from 3 and 4, where the browser expects its ends
            moved = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 10)
            os.close(fd)
            return moved

        their_in, self._out = map(high, os.pipe())
        self._in, their_out = map(high, os.pipe())
        command = [tool("chromium"), *OPTIONS, f"--host-resolver-rules={self.names}",
                   f"--user-data-dir={self.profile}", "about:blank"]
        self.process = subprocess.Popen(
            ["bash", "-c", f'exec "$@" 3<&{their_in} 4>&{their_out}', "bash", *command],
            pass_fds=[their_in, their_out], stdin=subprocess.DEVNULL, stdout=self.log,
            stderr=subprocess.STDOUT, start_new_session=True)
        os.close(their_in)
        os.close(their_out)
        return self

    def __exit__(self, kind, problem, trace):
        try:
            if kind is None:
                self.call("Browser.close")
                self.process.wait(10)
        except (Failure, subprocess.TimeoutExpired):
            pass  # it has done what it was there for
        finally:
            try:
                os.killpg(self.process.pid, signal.SIGKILL)  # its helpers are of its session
            except ProcessLookupError:
                pass
            self.process.wait()
            os.close(self._in)
            os.close(self._out)
            shutil.rmtree(self.profile, ignore_errors=True)
        if kind is not None:
            print(f"---- chromium said:\n{self._said()}----")

    def _said(self):
        return os.pread(self.log.fileno(), 1 << 16, 0).decode(errors="replace")

    # ---- the protocol: JSON objects, each with a NUL behind it ----

    def call(self, method, session=None, **parameters):
        self._last_id += 1
        message = {"id": self._last_id, "method": method, "params": parameters}
        if session is not None:
            message["sessionId"] = session
        bytes_left = json.dumps(message).encode() + b"\0"
        try:
            while bytes_left:
                bytes_left = bytes_left[os.write(self._out, bytes_left):]
        except BrokenPipeError:
            raise Failure(f"chromium is gone:\n{self._said()}") from None
        deadline = time.monotonic() + PATIENCE
        while self._last_id not in self._answers:
            self._read(method, deadline)
        answer = self._answers.pop(self._last_id)
        if "error" in answer:
            raise Failure(f"{method}: {answer['error']}")
        return answer["result"]

    def _read(self, method, deadline):
        if not select.select([self._in], [], [], max(0, deadline - time.monotonic()))[0]:
            raise Failure(f"chromium does not answer {method}:\n{self._said()}")
        data = os.read(self._in, 1 << 20)
        if not data:
            raise Failure(f"chromium ended while it was asked for {method}:\n{self._said()}")
        *messages, self._left = (self._left + data).split(b"\0")
        for message in map(json.loads, messages):
            if "id" in message:
                self._answers[message["id"]] = message
            elif message["method"] == "Runtime.exceptionThrown":
                details = message["params"]["exceptionDetails"]
                self.problems.append(details.get("exception", details).get("description", details))
            elif message["method"] == "Log.entryAdded":
                entry = message["params"]["entry"]
                if entry["level"] == "error":
                    self.complaints.append((entry["source"], entry["text"]))
            elif message["method"] == "Network.requestWillBeSent":
                self.requests.append(message["params"]["request"]["url"])
            elif message["method"] == "Network.webSocketCreated":
                self.requests.append(message["params"]["url"])

    def open(self, url, width=1000, height=700, dark=False, phone=False):
        return Tab(self, url, width, height, dark, phone)


class Tab:
    def __init__(self, browser, url, width, height, dark, phone):
        self.browser = browser
        self.target = browser.call("Target.createTarget", url="about:blank",
                                   newWindow=True)["targetId"]
        self.session = browser.call("Target.attachToTarget", targetId=self.target,
                                    flatten=True)["sessionId"]
        for domain in ["Runtime", "Log", "Network"]:
            self.call(f"{domain}.enable")
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height,
                  deviceScaleFactor=2 if phone else 1, mobile=phone)
        self.call("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])
        self.call("Page.navigate", url=url)
        self.wait_for(f"location.href === {json.dumps(url)} && "
                      "document.readyState === 'complete'")

    def call(self, method, **parameters):
        return self.browser.call(method, self.session, **parameters)

    def evaluate(self, expression):
        found = self.call("Runtime.evaluate", expression=expression, returnByValue=True,
                          awaitPromise=True)
        if "exceptionDetails" in found:
            raise Failure(f"{expression}: {found['exceptionDetails']}")
        return found["result"].get("value")

    def wait_for(self, expression, what=None):
        deadline = time.monotonic() + PATIENCE
        while not self.evaluate(expression):
            if time.monotonic() > deadline:
                text = self.evaluate("document.body?.innerText")
                raise Failure(f"{what or expression}: not so after {PATIENCE} s, the page says:\n"
                              f"{text}")
            time.sleep(0.05)

    def type_into(self, selector, text):
        """As from a keyboard, over what was there, and with Enter at the end."""
        self.evaluate(f"document.querySelector({json.dumps(selector)}).select()")
        self.call("Input.insertText", text=text)
        for kind in ["keyDown", "keyUp"]:
            self.call("Input.dispatchKeyEvent", type=kind, key="Enter", code="Enter",
                      windowsVirtualKeyCode=13, **({"text": "\r"} if kind == "keyDown" else {}))

    def screenshot(self, path):
        picture = base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"])
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(picture)
        return picture

    def close(self):
        self.browser.call("Target.closeTarget", targetId=self.target)
