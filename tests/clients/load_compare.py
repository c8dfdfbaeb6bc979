"""The comparison of benchmarks/compare, in short: every number is there for nen, and what it writes
can be read."""

import json
import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

from lib_server_under_test import check, main, program

WORKLOADS = ["hello_16", "one_each", "post_64k", "ws_64k", "ws_broadcast", "half"]


def test():
    folder = os.path.dirname(program("load"))
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "benchmarks",
                          "compare", "compare.py")
    with tempfile.TemporaryDirectory() as output:
        done = subprocess.run([sys.executable, script, folder, "--rounds", "2", "--seconds", "0.2",
                               "--warmup", "0.05", "--servers", "nen", "--workloads",
                               ",".join(WORKLOADS), "--output", output], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=100, check=False)
        print(done.stdout)
        check("exit code", done.returncode, 0)
        with open(os.path.join(output, "results", "raw.json"), encoding="utf-8") as file:
            results = json.load(file)["results"]
        check("workloads", sorted(results), sorted(WORKLOADS))
        for name, servers in results.items():
            check(f"{name}: rounds", len(servers["nen"]), 2)
            for found in servers["nen"]:
                for key in ("answers_per_second", "server_cpu", "resident_kib", "load_cpu"):
                    check(f"{name}: {key}", found[key], lambda number: number > 0)
                check(f"{name}: user and system are all of it",
                      abs(found["cpu_user"] + found["cpu_system"] - found["server_cpu"]) < 1e-6,
                      True)
        first, second = (found["rate"] for found in results["half"]["nen"])
        check("open loop: one rate", (first > 0, first), (True, second))
        for plot in ("throughput", "cpu", "latency"):
            tree = xml.etree.ElementTree.parse(os.path.join(output, "results", f"{plot}.svg"))
            words = [text.text for text in tree.iter("{http://www.w3.org/2000/svg}text")]
            check(f"{plot}.svg names nen", "nen" in words, True)
        with open(os.path.join(output, "RESULTS.md"), encoding="utf-8") as file:
            rows = [line for line in file if line.startswith("| nen |")]
        check("rows of RESULTS.md", len(rows), len(WORKLOADS))
        check("no number is missing", [row for row in rows if "| - |" in row.split("| 1.00 |")[1]],
              [])


main(test, needs=["taskset"])
