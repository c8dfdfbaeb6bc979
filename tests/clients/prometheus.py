"""A real Prometheus, with the configuration of the watched example, scrapes it under load; what it
says then is what has happened. Its alerts are tested with promtool, and every expression of alerts
and dashboard is one that Prometheus can work out."""

import json
import os
import re
import signal
import time
import urllib.error
import urllib.parse
import urllib.request

from lib_curl import Curl
from lib_prometheus import (FOLDER, alert_expressions, dashboard_expressions, path_of,
                            samples_of, scrape, text_of)
from lib_proxy import Proxy
from lib_server_under_test import Failure, Server, check, main, run_tool, scaled


class Prometheus(Proxy):
    """The program, with its data in a folder of its own."""

    def __init__(self, server):
        text = text_of("prometheus.yml")
        for shown, meant in [("localhost:8080", f"127.0.0.1:{server.address[1]}"),
                             ("scrape_interval: 15s", "scrape_interval: 1s"),
                             ("evaluation_interval: 15s", "evaluation_interval: 1s"),
                             ("- alerts.yml", f"- {path_of('alerts.yml')}")]:
            if text.count(shown) != 1:
                raise Failure(f"prometheus.yml does not say {shown!r} once")
            text = text.replace(shown, meant)
        super().__init__(["prometheus"], text, signal.SIGTERM)

    def __enter__(self):
        # It takes options only, and names its folder for data with one.
        self.command = ["prometheus", f"--web.listen-address=127.0.0.1:{self.port}",
                        f"--storage.tsdb.path=/tmp/nen-prometheus-{os.getpid()}",
                        "--config.file"]
        return super().__enter__()

    def _wait_until_ready(self):
        """It listens before it answers."""
        super()._wait_until_ready()
        deadline = time.monotonic() + 40
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/-/ready", timeout=20):
                    return
            except urllib.error.HTTPError:
                if time.monotonic() > deadline:
                    raise Failure(f"prometheus is not ready:\n{self.said()}") from None
                time.sleep(0.1)

    def __exit__(self, *problem):
        super().__exit__(*problem)
        run_tool("rm", "-rf", f"/tmp/nen-prometheus-{os.getpid()}")

    def api(self, path, **query):
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(query)}"
        try:
            with urllib.request.urlopen(url, timeout=20) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as problem:
            raise Failure(f"{path} {query}: {problem.read().decode()}") from None

    def query(self, expression):
        """{labels: value}, or the one value where there are none."""
        found = {tuple(sorted(each["metric"].items())): float(each["value"][1])
                 for each in self.api("query", query=expression)["result"]}
        return found[()] if list(found) == [()] else found

    def wait_until(self, what, expression, fits):
        deadline = time.monotonic() + 40
        while True:
            found = self.query(expression)
            if found != {} and fits(found):
                return found
            if time.monotonic() > deadline:
                raise Failure(f"{what}: {expression} stays {found}\n{self.said()}")
            time.sleep(0.2)


def check_rules():
    run_tool("promtool", "check", "config", path_of("prometheus.yml"), cwd=FOLDER)
    run_tool("promtool", "check", "rules", path_of("alerts.yml"), cwd=FOLDER)
    run_tool("promtool", "test", "rules", path_of("alerts_test.yml"), cwd=FOLDER)
    tests = text_of("alerts_test.yml")
    for alert in alert_expressions():
        for which, outcome in [("fires", r"exp_alerts:\n +- exp_labels"),
                               ("does not fire", r"exp_alerts: \[\]\n")]:
            block = rf"- name: {alert} {which}\n(?:(?!- name:)[\s\S])*?alertname: {alert}\n +{outcome}"
            if re.search(block, tests) is None:
                raise Failure(f"alerts_test.yml does not test that {alert} {which}")


def check_expressions(prometheus):
    every = list(alert_expressions().items()) + [
        each for each in dashboard_expressions() if not each[1].startswith("label_values")]
    empty = []
    for title, expression in every:
        for variable, meant in [("$job", "nen"), ("$instance", ".*"), ("$__rate_interval", "20s")]:
            expression = expression.replace(variable, meant)
        if prometheus.query(expression) == {}:
            empty.append(title)
    print(f"{len(every)} expressions, of which have no value now: {sorted(set(empty))}")
    # Alerts have none as long as all is well; of the dashboard, what shows trouble only.
    check("panels without a value", set(empty) - set(alert_expressions()), {"Pools that ran out"})


def check_figures(prometheus, server, curl):
    prometheus.wait_until("the target", 'up{job="nen"}', lambda up: list(up.values()) == [1.0])
    for _ in range(40):
        curl("/carts", method="POST", status=201)
        curl("/orders", method="POST", status=201)
    curl("/products/100", status=404)
    run_tool("wrk", "-t1", "-c16", "-d4s", server.url("/products/7"))
    prometheus.wait_until("orders", "shop_orders_total", lambda n: list(n.values()) == [40.0])
    product = 'route="/products/:id",method="GET",code="2xx"'
    counted = samples_of(scrape(server)[1])["nen_http_responses_total", product]
    check("answers to wrk", counted, lambda n: n > scaled(1000))
    prometheus.wait_until("answers", f"sum(nen_http_responses_total{{{product}}})",
                          lambda n: n == counted)
    quantile = ("histogram_quantile(0.5, sum by (le) (rate("
                'nen_http_response_duration_seconds_bucket{route="/products/:id"}[30s])))')
    median = prometheus.wait_until("median", quantile, lambda s: 1e-7 < s < 1)
    print(f"{counted:.0f} answers, the median in {median * 1e6:.0f} us")
    # Only OpenMetrics says units, so that is what Prometheus was given.
    about = prometheus.api("metadata", metric="nen_http_response_duration_seconds")
    check("metadata", about["nen_http_response_duration_seconds"][0],
          lambda m: m["unit"] == "seconds" and m["type"] == "histogram" and m["help"] != "")
    target = prometheus.api("targets")["activeTargets"][0]
    check("last error", target["lastError"], "")
    check("health", target["health"], "up")


def test():
    check_rules()
    with Server("monitoring", "--port", "0") as server, Prometheus(server) as prometheus:
        curl = Curl(server)
        check_figures(prometheus, server, curl)
        check_expressions(prometheus)
        loaded = prometheus.api("rules")["groups"][0]["rules"]
        check("rules that are loaded", {rule["name"] for rule in loaded}, set(alert_expressions()))
        check("rules that fail", [rule["name"] for rule in loaded if rule["health"] == "err"], [])
        check("alerts", [alert["labels"] for alert in prometheus.api("alerts")["alerts"]
                         if alert["state"] == "firing"], [])
        server.stop()
        prometheus.wait_until("the target is gone", 'up{job="nen"}',
                              lambda up: list(up.values()) == [0.0])


main(test, needs=["prometheus", "promtool", "wrk", "curl"])
