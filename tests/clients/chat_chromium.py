"""The chat example's page in a real browser: two tabs talk, one leaves, the server is started again
and the page comes back by itself. Pictures of it are kept in the build tree, in artefacts/."""

import json
import os
import time

from lib_chromium import Chromium
from lib_server_under_test import check, main, program, Server, started_again


class Page:
    """A tab with the chat in it."""

    def __init__(self, browser, server, **looks):
        self.tab = browser.open(server.url("/"), **looks)

    def join(self, name):
        self.tab.type_into("#name", name)
        self.wait_for_state("here", "Only you")
        self.wait_for_item(f"{name} joined")

    def say(self, text):
        self.tab.type_into("#text", text)
        self.tab.wait_for("document.querySelector('#text').value === ''", "what is typed is sent")

    def state(self):
        return self.tab.evaluate("document.querySelector('#state').textContent")

    def wait_for_state(self, *endings):
        self.tab.wait_for("/(" + "|".join(endings) + ")$/.test("
                          "document.querySelector('#state').textContent)", f"a state of {endings}")

    def items(self, selector="#log li", part=""):
        """The texts in the log that somebody sees."""
        return self.tab.evaluate(
            f"[...document.querySelectorAll({json.dumps(f'{selector} {part}')})]"
            ".filter((item) => item.checkVisibility()).map((item) => item.textContent)")

    def lines(self, selector=".line"):
        return self.items(selector, "p")

    def wait_for_item(self, text):
        self.tab.wait_for("[...document.querySelectorAll('#log .news, #log .line p')]"
                          f".at(-1)?.textContent === {json.dumps(text)}", f"{text!r} at the end")


def check_names(page):
    """A name that the page's own check let through is refused by the server, with the reason."""
    page.tab.evaluate("document.querySelector('#name').value = 'x'.repeat(33);"
                      "document.querySelector('#welcome').requestSubmit()")
    page.tab.wait_for("document.querySelector('#problem').textContent === "
                      "'A name has 1 to 32 characters.'")
    check("the state then", page.state(), "Not connected")
    page.tab.evaluate("document.querySelector('#name').value = ''")


def check_talk(ann, bob):
    """Returns the lines that were said."""
    said = [("Hello! Who else is here?", ann), ("Me \U0001f600 from a phone", bob),
            ("No <b>bold</b> moves & \"quotes\" \\ <img src=x onerror=alert(1)>", ann),
            ("A longer line, which has to be broken on a small screen, and has a word that is too "
             "long for any screen: " + "long" * 60, bob), ("\u05e9\u05dc\u05d5\u05dd", ann)]
    for text, speaker in said:
        speaker.say(text)
        for page in [ann, bob]:
            page.wait_for_item(text)
    for page in [ann, bob]:
        check("who said what", page.lines(".line.mine"), [t for t, who in said if who is page])
        check("all lines", page.lines(), [t for t, _ in said])
        check("text is no markup",
              page.tab.evaluate("document.querySelectorAll('#log p *').length"), 0)
        check("nothing is wider than the screen", page.tab.evaluate(
            "document.documentElement.scrollWidth <= innerWidth && "
            "document.querySelector('#log').scrollWidth <= document.querySelector('#log')"
            ".clientWidth"), True)
        check("there is room to type", page.tab.evaluate(
            "document.querySelector('#text').getBoundingClientRect().bottom <= innerHeight"), True)
        check("the last line is in sight", page.tab.evaluate(
            "document.querySelector('#log li:last-child').getBoundingClientRect().bottom <= "
            "document.querySelector('#say').getBoundingClientRect().top"), True)
    return [t for t, _ in said]


def check_too_long(ann, bob):
    text, before = "\u20ac" * 400, bob.lines()  # 1,200 bytes
    ann.tab.type_into("#text", text)
    check("what is too long stays", ann.tab.evaluate("document.querySelector('#text').value"), text)
    ann.say("Shorter")
    bob.wait_for_item("Shorter")
    check("and is not sent", bob.lines(), [*before, "Shorter"])


def take_picture(page, name):
    path = os.path.join(os.path.dirname(os.path.dirname(program("03_chat"))), "artefacts", name)
    picture = page.tab.screenshot(path)
    check("a picture", (picture[:8], len(picture) > 5000), (b"\x89PNG\r\n\x1a\n", True))
    print(f"picture: {path}")


def check_reconnect(ann, said):
    """The server has not forgotten: what is shown once more is not in the log twice."""
    ann.tab.evaluate("socket.close()")
    ann.wait_for_item("Ann joined")
    check("every line once", ann.lines(), said)


def check_restart(browser, server, ann, said):
    port = server.address[1]
    server.stop()
    ann.wait_for_state("Reconnecting…")
    with started_again("03_chat", port) as again:
        ann.wait_for_state("Only you")
        ann.say("Here again")
        ann.wait_for_item("Here again")
        check("every line once", ann.lines(), [*said, "Here again"])
        late = Page(browser, again)
        late.join("Carl")
        check("what a newcomer is shown", late.lines(), ["Here again"])
        late.say("Back in business")
        ann.wait_for_item("Back in business")


def test():
    begin = time.monotonic()

    def passed(what):
        print(f"{time.monotonic() - begin:6.2f} s  {what}")

    with Chromium() as browser, Server("03_chat", "--port", "0") as server:
        ann = Page(browser, server, dark=True)
        passed("the page is there")
        take_picture(ann, "chat_welcome.png")
        check_names(ann)
        ann.join("Ann")
        check("alone", ann.state(), "Only you")
        bob = Page(browser, server, width=390, height=760, phone=True)
        bob.join("Bob \U0001f600")
        for page in [ann, bob]:
            page.wait_for_state("2 here")
        passed("both are in")
        said = check_talk(ann, bob)
        take_picture(ann, "chat_desktop_dark.png")
        take_picture(bob, "chat_phone.png")
        check_too_long(ann, bob)
        said.append("Shorter")
        passed("they talked")
        bob.tab.close()
        ann.wait_for_item("Bob \U0001f600 left")
        check("alone again", ann.state(), "Only you")
        passed("one has left")
        check_reconnect(ann, said)
        passed("the connection was lost")
        check_restart(browser, server, ann, said)
        passed("the server was started again")
        check("exceptions in pages", browser.problems, [])


main(test, needs=["chromium", "bash"])
