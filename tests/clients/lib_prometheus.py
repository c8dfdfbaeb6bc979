"""The example that is watched, and what its folder has for Prometheus and Grafana."""

import json
import os
import re
import sys
import urllib.request

from lib_server_under_test import Failure, Skip

SOURCE = os.environ.get("NEN_SOURCE_DIR") or os.path.join(os.path.dirname(__file__), "..", "..")
FOLDER = os.path.join(SOURCE, "examples", "monitoring")

# Names of series, as they stand in expressions: what an application or nen begins a name with.
METRIC = re.compile(r"\b(?:nen|process|shop)_[a-z_]+\b")
SAMPLE = re.compile(r'([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[^"}]|"(?:\\.|[^"\\])*")*)\})? (\S+)$')


def path_of(name):
    return os.path.join(FOLDER, name)


def text_of(name):
    with open(path_of(name), encoding="utf-8") as file:
        return file.read()


def scrape(server, accept=None):
    """The media type and the text of /metrics."""
    request = urllib.request.Request(server.url("/metrics"))
    if accept is not None:
        request.add_header("Accept", accept)
    with urllib.request.urlopen(request, timeout=20) as answer:
        return answer.headers["Content-Type"], answer.read().decode()


def samples_of(text):
    """{(name, labels as they stand there): value} of a text of metrics."""
    found = {}
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        match = SAMPLE.match(line)
        if match is None:
            raise Failure(f"not a sample: {line!r}")
        found[match[1], match[2] or ""] = float(match[3])
    return found


def dashboard_expressions():
    """Every expression of the dashboard, with its panel's title."""
    board = json.loads(text_of("dashboard.json"))
    found = [(panel["title"], target["expr"]) for panel in board["panels"]
             for target in panel.get("targets", [])]
    found += [(variable["name"], variable["query"]["query"])
              for variable in board["templating"]["list"] if variable["type"] == "query"]
    return found


def alert_expressions():
    """{alert: expression} of alerts.yml, which is read here as far as it goes."""
    found = {}
    for block in re.split(r"\n\s*- alert: ", text_of("alerts.yml"))[1:]:
        expression = re.search(r"\n\s*expr:(.*?)\n\s*(?:for|labels):", block, re.DOTALL)
        found[block.split("\n", 1)[0].strip()] = " ".join(expression[1].strip(" |\n").split())
    return found


def openmetrics_parser():
    """The strict parser of Prometheus' Python client. Debian has it for its own interpreter; where
    another one comes first in the path, the script begins again with Debian's."""
    try:
        from prometheus_client.openmetrics import parser
        return parser.text_string_to_metric_families
    except ImportError:
        system = "/usr/bin/python3"
        again = "NEN_SYSTEM_PYTHON"
        if again in os.environ or not os.path.exists(system):
            raise Skip("python3-prometheus-client is not installed") from None
        sys.stdout.flush()
        os.execve(system, [system, *sys.argv], {**os.environ, again: "1"})
