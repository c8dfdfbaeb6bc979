"""The dashboard in a real browser while wrk asks the demo for all it has: numbers, percentiles,
routes; light and dark, on a desk and on a phone; the server stops and comes back. Pictures are kept
in the build tree, in artefacts/."""

import json
import os
import subprocess
import time

from lib_chromium import Chromium
from lib_server_under_test import check, main, program, Server, started_again, tool

PATHS = [("/", 8), ("/plaintext", 16), ("/json", 8), ("/users/7", 4), ("/users/abc", 2), ("/nowhere", 2)]


class Load:
    """wrk on all paths at once, at the lowest priority: the browser has to get a word in."""

    def __init__(self, server, seconds):
        self.all = [subprocess.Popen(["nice", "-n", "19", tool("wrk"), "-t1", f"-c{connections}",
                                      f"-d{seconds}s", server.url(path)],
                                     stdout=subprocess.DEVNULL) for path, connections in PATHS]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for one in self.all:
            one.kill()
            one.wait()


class Dashboard:
    def __init__(self, browser, server, **looks):
        self.tab = browser.open(server.url("/_nen"), **looks)
        self.wait_for_state("Live")

    def text(self, selector):
        return self.tab.evaluate(f"document.querySelector({json.dumps(selector)}).textContent")

    def state(self):
        return self.text("#state")

    def wait_for_state(self, state):
        self.tab.wait_for(f"document.querySelector('#state').textContent === {json.dumps(state)}",
                          f"the state {state!r}")

    def tiles(self):
        return dict(self.tab.evaluate(
            "[...document.querySelectorAll('.tile')].map((t) => [t.querySelector('h2').textContent,"
            " t.querySelector('output').textContent])"))

    def wait_for_samples(self, count):
        self.tab.wait_for(f"model.samples.length >= {count}", f"{count} seconds' numbers")

    def rows(self):
        """What is seen of each route, by its method and path."""
        return {row[0]: row[1:] for row in self.tab.evaluate(
            "[...document.querySelectorAll('#routes tr')].map((row) => ["
            "row.querySelector('.path').title, ...[...row.cells].slice(2).map((cell) => "
            "cell.textContent)])")}

    def picture(self, name):
        path = os.path.join(os.path.dirname(os.path.dirname(program("demo"))), "artefacts", name)
        picture = self.tab.screenshot(path)
        check("a picture", (picture[:8], len(picture) > 20_000), (b"\x89PNG\r\n\x1a\n", True))
        print(f"picture: {path}")


def is_number(text):
    return text[:1].isdigit() and text != "0"


def check_numbers(page):
    tiles = page.tiles()
    check("tiles", len(tiles), 8)
    for name in ["Requests per second", "Latency, p99", "Connections", "CPU", "Sent per second",
                 "Event loop, p99", "WebSockets"]:
        check(name, tiles[name], is_number)
    for name in ["p50", "p90", "p99", "p99.9"]:
        value = page.tab.evaluate("[...document.querySelectorAll('#latency-legend li')].find((li) =>"
                                  f" li.textContent.startsWith('{name}')).lastChild.textContent")
        check(name, value, is_number)
    rows = page.rows()
    for path in ["GET /", "GET /plaintext", "GET /json", "GET /users/:id"]:
        per_second, answers, _, _, p50, p99, handler = rows[path]
        for what, value in [("per second", per_second), ("answers", answers), ("p50", p50),
                            ("p99", p99), ("in the handler", handler)]:
            check(f"{path}: {what}", value, is_number)
    check("404s", rows["GET /users/:id"][2], is_number)
    check("404s without a route", rows[" without a route"][2], is_number)
    check("pools", page.tab.evaluate("document.querySelectorAll('.pool').length"),
          lambda n: n >= 8)
    check("shards", page.tab.evaluate("document.querySelectorAll('#shards tr').length"), 2)
    for plot in ["rate", "latency"]:
        check(f"lines of {plot}", page.tab.evaluate(
            f"[...document.querySelectorAll('#{plot} .line')].filter((line) => "
            "line.getAttribute('d').includes('L')).length"), lambda n: n >= 1)
        check(f"{plot} says what it shows",
              page.tab.evaluate(f"document.querySelector('#{plot}').ariaLabel"), lambda s: ":" in s)


def check_keys(page):
    """What a mouse does, keys do: look at one moment, sort, filter, hold still."""
    page.tab.evaluate("document.querySelector('#latency').focus()")
    page.tab.evaluate("document.querySelector('#latency').dispatchEvent("
                      "new KeyboardEvent('keydown', { key: 'ArrowLeft' }))")
    check("both charts tell of one moment", page.tab.evaluate(
        "[...document.querySelectorAll('.tip')].map((tip) => tip.hidden)"), [False, False])
    page.tab.evaluate("document.querySelector('#latency').blur()")
    page.tab.evaluate("document.querySelector('#columns button').click()")
    paths = list(page.rows())
    check("sorted by path", [p.split(" ")[-1] for p in paths if "without" not in p],
          lambda p: p == sorted(p))
    page.tab.evaluate("(f => { f.value = 'JSON'; f.dispatchEvent(new Event('input')); })"
                      "(document.querySelector('#filter'))")
    check("filtered", list(page.rows()), ["GET /json"])
    page.tab.evaluate("(f => { f.value = ''; f.dispatchEvent(new Event('input')); })"
                      "(document.querySelector('#filter'))")
    page.tab.evaluate("document.querySelector('#pause').click()")
    check("held still", page.state(), "Held still")
    page.tab.evaluate("document.querySelector('#pause').click()")
    check("live again", page.state(), "Live")


def check_looks(page, wanted):
    check("the ground's colour", page.tab.evaluate(
        "getComputedStyle(document.body).backgroundColor"), wanted)
    check("nothing is wider than the screen",
          page.tab.evaluate("document.documentElement.scrollWidth <= innerWidth"), True)


def check_theme(page):
    """The other one by a click, and it is kept."""
    page.tab.evaluate("document.querySelector('#theme').click()")
    check_looks(page, "rgb(15, 20, 22)")
    page.tab.call("Page.reload")
    page.tab.wait_for("typeof model !== 'undefined' && model.samples.length > 0")
    check_looks(page, "rgb(15, 20, 22)")
    page.tab.evaluate("document.querySelector('#theme').click()")
    check_looks(page, "rgb(247, 246, 242)")
    page.tab.evaluate("localStorage.clear()")


def check_restart(server, page):
    """The page says that nobody answers, comes back by itself, and keeps what it has seen."""
    port = server.address[1]
    server.stop()
    page.wait_for_state("No answer")
    check("and says so", page.text("#banner"), lambda t: "does not answer" in t)
    page.picture("dashboard_gone.png")
    before = page.tab.evaluate("model.samples.length")
    with started_again("demo", port) as again:
        page.wait_for_state("Live")
        page.wait_for_samples(before + 2)
        check("no banner", page.tab.evaluate("document.querySelector('#banner').hidden"), True)
        check("it was noticed", page.tab.evaluate("model.marks.map((m) => m.what)"),
              ["started again"])
        check("counters begin anew", page.tab.evaluate("sum(model.now.classes) < 1000"), True)
        check("no rate is absurd", page.tab.evaluate(
            "sum(model.samples.at(-1).classes) < 1000"), True)


def test():
    begin = time.monotonic()

    def passed(what):
        print(f"{time.monotonic() - begin:6.2f} s  {what}")

    with Chromium() as browser, Server("demo", "--port", "0") as server:
        desk = Dashboard(browser, server, width=1440, height=900)
        desk.picture("dashboard_idle.png")
        passed("the page is there")
        with Load(server, 60):
            desk.wait_for_samples(12)
            check_numbers(desk)
            check_keys(desk)
            check_looks(desk, "rgb(247, 246, 242)")
            desk.picture("dashboard_light.png")
            passed("it shows what wrk does")
            for name, looks, ground in [
                    ("phone_dark", dict(width=390, height=844, phone=True, dark=True),
                     "rgb(15, 20, 22)"),
                    ("phone_light", dict(width=360, height=740, phone=True), "rgb(247, 246, 242)"),
                    ("dark", dict(width=1440, height=900, dark=True), "rgb(15, 20, 22)")]:
                other = Dashboard(browser, server, **looks)
                other.wait_for_samples(4)
                check_looks(other, ground)
                other.picture(f"dashboard_{name}.png")
                other.tab.close()
            passed("dark and light, large and small")
        check_theme(desk)
        passed("the other theme")
        desk.wait_for_samples(3)
        host = "%s:%d" % server.address
        check("all it asked for is the server's own",
              sorted(set(browser.requests)), lambda urls: [u for u in urls if not u.startswith((
                  f"http://{host}/_nen", f"ws://{host}/_nen/live", "data:"))] == [])
        check("the browser's complaints", browser.complaints, [])
        check_restart(server, desk)
        passed("the server was started again")
        check("exceptions in pages", browser.problems, [])
        # That nobody answered is all there was to complain about.
        check("the browser's complaints", [c for c in browser.complaints
                                           if "ERR_CONNECTION" not in c[1]], [])


main(test, needs=["chromium", "bash", "wrk", "nice"])
