"""The public server's API in a real browser: scripts of the page that is listed can use it and read
what it refuses, scripts of any other page cannot; and no page runs a script that is written in it."""

import json

from lib_chromium import Chromium
from lib_server_under_test import Server, check, main

API = "http://api.example/api"
# What a script learns of a request: its status and its text, or that it failed.
FETCH = """fetch({url}, {options}).then(
  async (r) => ({{status: r.status, text: await r.text(), total: r.headers.get('X-Total')}}),
  (problem) => ({{failed: problem.name}}))"""
FAILED = {"failed": "TypeError"}


def fetch(tab, path, **options):
    return tab.evaluate(FETCH.format(url=json.dumps(API + path), options=json.dumps(options)))


def check_listed(tab):
    check("PUT", fetch(tab, "/notes/3", method="PUT", body="hello",
                       headers={"X-Note": "1", "Content-Type": "text/x-note"}),
          {"status": 204, "text": "", "total": None})
    check("GET, with a field that is exposed", fetch(tab, "/notes", credentials="include"),
          {"status": 200, "text": "\n\n\nhello\n\n\n\n\n\n\n", "total": "1"})
    check("a password", fetch(tab, "/staff", headers={"Authorization": "Basic " +
                                                      "YW5uYTpvcGVuIHNlc2FtZQ=="}),
          {"status": 200, "text": "anna", "total": None})
    for what, path, options, status in [
            ("no password", "/staff", {"credentials": "omit"}, 401),
            ("no token", "/keys/notes", {"method": "DELETE"}, 401),
            ("not there", "/notes/99", {"method": "PUT", "body": "x"}, 404),
            ("too long", "/notes/1", {"method": "PUT", "body": "x" * 201}, 413)]:
        found = fetch(tab, path, **options)
        check(f"{what} can be read", found.get("status", found), status)
    check("a field that is not listed",
          fetch(tab, "/notes/3", method="PUT", body="x", headers={"X-Other": "1"}), FAILED)
    check("a method that no route has", fetch(tab, "/notes", method="PATCH"), FAILED)


def check_other(tab):
    check("GET", fetch(tab, "/notes"), FAILED)
    check("GET with credentials", fetch(tab, "/notes", credentials="include"), FAILED)
    check("PUT", fetch(tab, "/notes/3", method="PUT", body="evil"), FAILED)
    check("without CORS", fetch(tab, "/notes", mode="same-origin"), FAILED)
    check("as an image would be asked for: Cross-Origin-Resource-Policy",
          fetch(tab, "/notes", mode="no-cors"), FAILED)


def test():
    with Server("09_public", "--port", "0") as server:
        where = f"127.0.0.1:{server.address[1]}"
        names = ["app.example", "other.example", "api.example"]
        with Chromium(hosts={name: where for name in names}) as browser:
            listed = browser.open("http://app.example/client")
            check_listed(listed)
            other = browser.open("http://other.example/client")
            check_other(other)
            check("nothing was written", fetch(listed, "/notes")["text"], "\n\n\nhello" + "\n" * 7)
            for tab in [listed, other, browser.open("http://app.example/")]:
                check("a script in the page did not run", tab.evaluate("document.title"), "Notes")
            strict = browser.open("http://app.example/")
            check("a page without a policy of its own asks nobody else",
                  fetch(strict, "/notes"), FAILED)


main(test, needs=["chromium", "bash"])
