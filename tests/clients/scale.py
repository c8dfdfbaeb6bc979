"""The measurement of benchmarks/scale, in short: 2,000 connections, most of them idle. Every number
is there, everybody is answered and closed, and what it writes can be read."""

import json
import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

from lib_server_under_test import check, main, program

CONNECTIONS, ACTIVE = 2000, 100
OLD = "# Results\n\nwhat was there\n"


def run(output, *more):
    folder = os.path.dirname(program("scale"))
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "benchmarks",
                          "scale", "scale.py")
    done = subprocess.run([sys.executable, script, folder, "--connections", str(CONNECTIONS),
                           "--active", str(ACTIVE), "--rate", "2000", "--rounds", "1", "--seconds",
                           "0.2", "--warmup", "0.05", "--output", output, *more],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=100,
                          check=False)
    print(done.stdout)
    return done.returncode


def check_results(results):
    for name in ("silent", "served"):
        steps = results[name]["steps"]
        check(f"{name}: all of them were there", steps[-1]["connections"], CONNECTIONS)
        resident = [step["process"]["Rss"] for step in steps]
        check(f"{name}: memory does not shrink", resident, sorted(resident))
        # By the second half: what is there for all of them, like buffers, is a lot for so few.
        grown = (resident[-1] - resident[-2]) / (CONNECTIONS - steps[-2]["connections"])
        check(f"{name}: bytes of the server for one more", grown,
              lambda number: 100 <= number <= 320)
        cost = results["costs"][name]
        for key in ("process", "whole_process", "accepted_seconds", "server_cpu_us"):
            check(f"{name}: {key}", cost[key], lambda number: number > 0)
    for name in ("active_alone", "active_beside"):
        for loop in ("closed", "open"):
            found = results["served"][name][loop]
            check(f"{name}, {loop}: rounds", len(found), 1)
            check(f"{name}, {loop}: p99", found[0]["latency"]["p99"], lambda number: number > 0)
            check(f"{name}, {loop}: nothing went wrong", found[0].get("problem"), None)


def test():
    with tempfile.TemporaryDirectory() as output:
        report = os.path.join(output, "RESULTS.md")
        with open(report, "w", encoding="utf-8") as file:
            file.write(OLD)
        check("exit code", run(output), 0)
        with open(os.path.join(output, "results", "scale.json"), encoding="utf-8") as file:
            check_results(json.load(file))
        tree = xml.etree.ElementTree.parse(os.path.join(output, "results", "scale.svg"))
        words = [text.text for text in tree.iter("{http://www.w3.org/2000/svg}text")]
        check("the plot names its lines", {"never said a word", "answered once"} <= set(words),
              True)
        with open(report, encoding="utf-8") as file:
            text = file.read()
        check("its section follows what was there",
              text.startswith(OLD + "\n## Many connections, mostly idle\n"), True)
        check("no number is missing", [line for line in text.splitlines() if "| - |" in line], [])


main(test, needs=["taskset"])
