"""/metrics of the watched example while it is under load: promtool finds nothing to object to, the
strict OpenMetrics parser of Prometheus' Python client reads it, and the figures are those of the
load. What alerts and dashboard name is there."""

import json
import os
import re
import subprocess
import threading
import time

from lib_curl import Curl
from lib_prometheus import (METRIC, SOURCE, alert_expressions, dashboard_expressions,
                            openmetrics_parser, samples_of, scrape, text_of)
from lib_server_under_test import Failure, Server, check, main, run_tool, tool

OPENMETRICS = "application/openmetrics-text;version=1.0.0,text/plain;q=0.5"


def check_with_promtool(text):
    done = subprocess.run([tool("promtool"), "check", "metrics", "--extended"], input=text.encode(),
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        raise Failure(f"promtool objects:\n{done.stdout.decode()}")


def value(samples, name, labels=""):
    if (name, labels) not in samples:
        raise Failure(f"{name}{{{labels}}} is not there")
    return samples[name, labels]


def check_under_load(server, parse):
    before = samples_of(scrape(server)[1])
    load = threading.Thread(target=run_tool, args=(
        "wrk", "-t1", "-c32", "-d2s", server.url("/products/7")))
    load.start()
    for _ in range(15):
        media_type, text = scrape(server)
        check("media type", media_type, "text/plain; version=0.0.4; charset=utf-8")
        check_with_promtool(text)
        samples_of(text)
        media_type, text = scrape(server, OPENMETRICS)
        check("media type", media_type,
              "application/openmetrics-text; version=1.0.0; charset=utf-8")
        families = list(parse(text))
        check("families", len(families), lambda n: n > 40)
    load.join()
    after = samples_of(scrape(server)[1])
    labels = 'route="/products/:id",method="GET"'
    answers = "nen_http_responses_total", labels + ',code="2xx"'
    many = value(after, *answers) - value(before, *answers)
    check("answers to the load", many, lambda n: n > 500)
    whole = sum(value(after, answers[0], f'{labels},code="{digit}xx"') for digit in range(1, 6))
    for which in ["_count", "_bucket"]:
        bound = ',le="+Inf"' if which == "_bucket" else ""
        name = f"nen_http_response_duration_seconds{which}"
        check(name, value(after, name, labels + bound), whole)
    seconds = value(after, "nen_http_response_duration_seconds_sum", labels) / whole
    check("mean time to answer", seconds, lambda s: 1e-7 < s < 1)


def check_version(samples):
    with open(os.path.join(SOURCE, "CMakeLists.txt"), encoding="utf-8") as file:
        version = re.search(r"VERSION (\d+\.\d+\.\d+)", file.read())[1]
    check("nen_build_info", [labels for name, labels in samples if name == "nen_build_info"],
          lambda found: len(found) == 1 and found[0].startswith(f'version="{version}",'))


def check_process(server, samples):
    """What the server says of itself is what the kernel says of it."""
    pid = server.process.pid
    check("descriptors", value(samples, "process_open_fds"),
          lambda n: abs(n - len(os.listdir(f"/proc/{pid}/fd"))) <= 2)
    check("threads", value(samples, "process_threads"), len(os.listdir(f"/proc/{pid}/task")))
    with open(f"/proc/{pid}/statm", encoding="ascii") as file:
        pages = int(file.read().split()[1])
    check("resident memory", value(samples, "process_resident_memory_bytes"),
          lambda n: abs(n / os.sysconf("SC_PAGE_SIZE") - pages) < 0.3 * pages)
    check("its begin", value(samples, "process_start_time_seconds"),
          lambda began: -1 < time.time() - began < 300)
    check("CPU seconds", value(samples, "process_cpu_seconds_total"), lambda s: 0 < s < 300)


def check_dashboard():
    """What Grafana would draw over each other, or not at all."""
    board = json.loads(text_of("dashboard.json"))
    places = set()
    for panel in board["panels"]:
        at = panel["gridPos"]
        for x in range(at["x"], at["x"] + at["w"]):
            for y in range(at["y"], at["y"] + at["h"]):
                check(f"place of {panel['title']}", (x, y), lambda p: p[0] < 24 and p not in places)
                places.add((x, y))
    ids = [panel["id"] for panel in board["panels"]]
    check("ids of panels", len(set(ids)), len(ids))
    for key in ("uid", "title", "schemaVersion", "templating", "time"):
        check(f"{key} of the dashboard", key in board, True)


def check_names(samples):
    there = {name for name, _ in samples}
    asked = [*alert_expressions().items(), *dashboard_expressions()]
    check("expressions", len(asked), lambda n: n > 60)
    for where, expression in asked:
        names = METRIC.findall(expression)
        if not names and not expression.startswith("up{"):
            raise Failure(f"{where} asks for no metric: {expression}")
        for name in names:
            if name not in there:
                raise Failure(f"{where} asks for {name}, which /metrics does not show")


def test():
    parse = openmetrics_parser()
    check_dashboard()
    with Server("monitoring", "--port", "0") as server:
        curl = Curl(server)
        curl("/carts", method="POST", status=201)
        curl("/orders", method="POST", status=201)
        curl("/orders", method="POST", status=409)
        curl("/products/100", status=404)
        check_under_load(server, parse)
        samples = samples_of(scrape(server)[1])
        check("orders", value(samples, "shop_orders_total"), 1)
        check("carts", value(samples, "shop_open_carts"), 0)
        check("no product", value(samples, "nen_http_responses_total",
                                  'route="/products/:id",method="GET",code="4xx"'), 1)
        check_version(samples)
        check_process(server, samples)
        check_names(samples)


main(test, needs=["promtool", "wrk", "curl"])
