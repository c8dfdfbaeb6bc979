"""What many connections cost, as Markdown, JSON and SVG."""

import json
import os
import re

import lib_memory
import lib_report
import lib_svg
from lib_rounds import summary

PERCENTILES = ["p50", "p99", "p99.9"]
TITLES = {"silent": "never said a word", "served": "answered once"}
TARGET = 320  # bytes of the server for an idle connection

HOW = f"""\
Both ends of each connection are on this machine: a cache of the kernel of which a connection has two objects has one
for each end. Of what it has one, most is the ring's, for the receive that waits. Small caches of one size may share one
name. A connection that was answered may own more than one that never said a word, and receive buffers have been used by
then; so both are shown. The target for the server's own memory is {TARGET} bytes a connection."""


def cost(phase):
    """What one connection costs when all of them are there, in bytes."""
    start, end = phase["start"], phase["steps"][-1]
    count = end["connections"]

    def each(*path):
        before, after = start, end
        for key in path:
            before, after = before.get(key), after.get(key)
        return None if before is None or after is None else (after - before) / count

    return {
        "process": each("process", "Rss"),
        "anonymous": each("process", "Anonymous"),
        "whole_process": end["process"]["Rss"] / count,
        "pss": each("process", "Pss"),
        "slab_both_ends": each("kernel", "Slab"),
        "caches": lib_memory.growth_of_caches(start["kernel"]["caches"], end["kernel"]["caches"],
                                              count),
        "accepted_seconds": sum(step["accepted_seconds"] for step in phase["steps"]),
        "server_cpu_us": 1e6 * sum(step["server_cpu_seconds"] for step in phase["steps"]) / count,
    }


def costs(results):
    return {name: cost(results[name]) for name in TITLES}


def in_bytes(value):
    return "-" if value is None else f"{value:,.0f}"


def mib(value):
    return f"{value / 2 ** 20:,.1f}"


def cost_table(results):
    yield "| bytes a connection | " + " | ".join(TITLES.values()) + " |"
    yield "| --- | ---: | ---: |"
    found = results["costs"]
    for key, title in (("process", "RSS of the server, more than at its start"),
                       ("whole_process", "RSS of the server, all of it"),
                       ("slab_both_ends", "kernel slab, both ends")):
        yield f"| {title} | " + " | ".join(in_bytes(found[name][key]) for name in TITLES) + " |"
    yield ""
    yield "| | " + " | ".join(TITLES.values()) + " |"
    yield "| --- | ---: | ---: |"
    for title, form in (
            ("seconds until all were accepted", lambda n: f"{found[n]['accepted_seconds']:.2f}"),
            ("CPU us of the server for each", lambda n: f"{found[n]['server_cpu_us']:.1f}"),
            ("seconds until all were closed", lambda n: f"{results[n]['closed_seconds']:.2f}"),
            ("seconds until the server ended", lambda n: f"{results[n]['stop_seconds']:.2f}")):
        yield f"| {title} | " + " | ".join(form(name) for name in TITLES) + " |"


def step_table(results):
    yield "| connections | RSS MiB, silent | RSS MiB, answered | anonymous | rings, files | " \
          "slab MiB, both ends |"
    yield "| ---: | ---: | ---: | ---: | ---: | ---: |"
    rows = [[results[name]["start"], *results[name]["steps"]] for name in TITLES]
    for silent, served in zip(*rows):
        rss = served["process"]
        slab = served["kernel"]["Slab"] - results["served"]["start"]["kernel"]["Slab"]
        cells = [f"{served['connections']:,}", mib(silent["process"]["Rss"]), mib(rss["Rss"]),
                 mib(rss["Anonymous"]), mib(rss["Rss"] - rss["Anonymous"]), mib(slab)]
        yield "| " + " | ".join(cells) + " |"


def cache_table(results):
    yield "| kernel cache | objects a connection | bytes a connection |"
    yield "| --- | ---: | ---: |"
    for name, objects, size in results["costs"]["served"]["caches"]:
        yield f"| {name} | {objects:.2f} | {size:,.0f} |"


def active_table(results):
    idle = results["connections"] - results["active"]
    yield "| active connections | answers/s (least–most) | " + \
        " | ".join(f"{name} us" for name in PERCENTILES) + " | server busy |"
    yield "| --- " + "| ---: " * (len(PERCENTILES) + 2) + "|"
    for loop, title in (("closed", "closed loop"), ("open", f"{results['rate']:,.0f} a second")):
        for key, where in (("active_alone", "alone"), ("active_beside", f"beside {idle:,} idle")):
            rounds = results["served"][key][loop]
            busy = summary(rounds, "server_busy")
            cells = [f"{title}, {where}", lib_report.spread(summary(rounds, "answers_per_second"),
                                                            lib_report.fixed(0)),
                     *(lib_report.spread(summary(rounds, "latency", name), lib_report.fixed(0))
                       for name in PERCENTILES),
                     "-" if busy is None else f"{100 * busy[0]:.0f} %"]
            yield "| " + " | ".join(cells) + " |"


def markdown(results):
    """The section of RESULTS.md; its first line is what it is found by."""
    about, count = results["about"], results["connections"]
    listening = re.search(r"after ([\d.]+) ms", results["silent"]["said"])
    yield "## Many connections, mostly idle"
    yield ""
    yield f"{about['date']}, made by `{about['command']}`."
    yield ""
    slots = results["silent"]["said"].splitlines()[0]
    yield f"{count:,} connections to `benchmarks/scale` (nen: {slots}) on CPU " \
          f"{about['server_cpu']}. " \
          f"Those that hold them run on CPU {about['load_cpus']} (processes: " \
          f"{len(results['holders'])}), with addresses of their own."
    yield HOW
    yield f"The server listened {listening[1]} ms after the beginning of its `main`."
    yield ""
    yield "![memory](results/scale.svg)"
    yield ""
    yield from cost_table(results)
    yield ""
    yield from step_table(results)
    yield ""
    yield from cache_table(results)
    yield ""
    yield f"{results['active']:,} connections are active, in closed loop and at a fixed rate; " \
          f"medians of {about['rounds']} rounds of {about['seconds']:g} s:"
    yield ""
    yield from active_table(results)


def plot(results):
    series = {}
    for name, title in TITLES.items():
        series[title] = [(step["connections"], step["process"]["Rss"] / 2 ** 20)
                         for step in [results[name]["start"], *results[name]["steps"]]]
    begin, last = series[TITLES["served"]][0][1], results["connections"]
    target = f"{TARGET} bytes each"
    series[target] = [(0, begin), (last, begin + TARGET * last / 2 ** 20)]
    colours = dict(zip(series, (lib_svg.COLOURS[2], lib_svg.COLOURS[1], lib_svg.COLOURS[0])))
    return lib_svg.value_lines("Resident memory of the server by connections", series, colours,
                               lambda count: f"{count:,.0f}", lambda size: f"{size:g} MiB")


def write_all(folder, results):
    plots = os.path.join(folder, "results")
    os.makedirs(plots, exist_ok=True)
    for name, text in (("scale.json", json.dumps(results, indent=1) + "\n"),
                       ("scale.svg", plot(results)),
                       ("scale.md", "\n".join(markdown(results)) + "\n")):
        with open(os.path.join(plots, name), "w", encoding="utf-8") as file:
            file.write(text)
    lib_report.add_sections(folder)
