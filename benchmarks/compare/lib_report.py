"""What was measured, as Markdown, JSON and SVG."""

import json
import os
import platform
import time

import lib_svg
from lib_rounds import ratio, summary
from lib_servers import said

PERCENTILES = ["p50", "p99", "p99.9", "p99.99"]


def first_line(path, key):
    try:
        with open(path, encoding="utf-8") as file:
            return next((line.split(":", 1)[1].strip() for line in file if line.startswith(key)), "")
    except OSError:
        return ""


def siblings(cpu):
    path = f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list"
    try:
        with open(path, encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return str(cpu)


def machine(settings, servers, command):
    shared = any(siblings(settings.server_cpu) == siblings(cpu) for cpu in settings.load_cpus)
    return {
        "date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        "processor": first_line("/proc/cpuinfo", "model name") or platform.machine(),
        "cores": os.cpu_count(),
        "memory": first_line("/proc/meminfo", "MemTotal"),
        "kernel": f"{platform.system()} {platform.release()}",
        "virtual": said("systemd-detect-virt") or "unknown",
        "compiler": (said("c++", "--version").splitlines() or ["unknown"])[0],
        "python": platform.python_version(),
        "command": command,
        "rounds": settings.rounds, "seconds": settings.seconds, "warmup": settings.warmup,
        "server_cpu": settings.server_cpu, "load_cpus": settings.load_cpus,
        "same_core": shared,
        "versions": {server.name: server.version() for server in servers},
    }


def spread(found, form):
    if found is None:
        return "-"
    return f"{form(found[0])} ({form(found[1])}–{form(found[2])})"


def fixed(digits):
    return lambda value: f"{value:,.{digits}f}"


def middle(found, digits):
    return "-" if found is None else f"{found[0]:,.{digits}f}"


def row(name, rounds, floor, nen):
    cpu = "server_cpu"
    ratios = [ratio(rounds, other, cpu) for other in (floor, nen)]
    cells = [name, spread(summary(rounds, "answers_per_second"), fixed(0)),
             spread(summary(rounds, cpu), fixed(2)), middle(summary(rounds, "cpu_user"), 2),
             middle(summary(rounds, "cpu_system"), 2),
             *("-" if one is None else f"{one:.2f}" for one in ratios),
             *(middle(summary(rounds, "latency", name_of), 0) for name_of in PERCENTILES)]
    resident = summary(rounds, "resident_kib")
    cells += ["-" if resident is None else f"{resident[0] / 1024:.1f}",
              *(f"{100 * one[0]:.0f} %" if (one := summary(rounds, key)) else "-"
                for key in ("server_busy", "load_busy"))]
    return "| " + " | ".join(cells) + " |"


def table(results):
    head = ["server", "answers/s (least–most)", "CPU us (least–most)", "user", "system", "to floor",
            "to nen", *(f"{name} us" for name in PERCENTILES), "RSS MiB", "server busy",
            "load busy"]
    yield "| " + " | ".join(head) + " |"
    yield "| --- " + "| ---: " * (len(head) - 1) + "|"
    for name, rounds in results.items():
        yield row(name, rounds, results.get("floor", []), results.get("nen", []))
    for name, rounds in results.items():
        problems = [one["problem"] for one in rounds if "problem" in one]
        if problems:
            yield ""
            yield f"{name}: wrong in {len(problems)} of {len(rounds)} rounds: {problems[0]}"


HOW = """\
One server on one core (taskset), the load (`benchmarks/load`, a thread for each of its cores) on others, loopback. All servers of a workload run at
the same time and are asked in turn, round by round; each number is the median of the rounds, with the least and the
most in parentheses. CPU is the server's time for one answer, of all its threads, by the scheduler's account, over
just what is measured; it is split into user and system by the kernel's ticks. A ratio is the median of the rounds'
own ratios of CPU time. Latencies are those of the closed loop with all connections busy, but for the open loop,
where they count from the moment at which a request was due. `floor` answers canned bytes without understanding them.
Where the server is busy for much less than 100 %, its core was not the limit, and answers/s is not its maximum; where
the load is busy for 100 % in a closed loop, it may have been the limit. Every answer's status and length were checked.
An answer of a broadcast is one member's receipt of it. The next message is sent when all members have the last one, so
that the server waits for the load between two of them, and the load, which has little to do, is woken at its expense.
"""


def markdown(about, workloads, results, skipped):
    yield "# Results"
    yield ""
    yield f"{about['date']}, made by `{about['command']}`."
    yield ""
    yield HOW
    yield f"- {about['processor']}, {about['cores']} cores, {about['memory']} (virtualisation: " \
          f"{about['virtual']})"
    yield f"- server on CPU {about['server_cpu']}, load on {about['load_cpus']}"
    if about["same_core"]:
        yield "- server and load share a physical core: they slow each other down"
    yield f"- {about['kernel']}, {about['compiler']}"
    yield f"- {about['rounds']} rounds of {about['seconds']} s, after {about['warmup']} s of warming up"
    for name, version in about["versions"].items():
        if version:
            yield f"- {name}: {version}"
    for name, why in skipped:
        yield f"- {name} is not in it: {why}"
    yield ""
    yield "![throughput](results/throughput.svg)"
    yield ""
    yield "![CPU time](results/cpu.svg)"
    yield ""
    yield "![latency](results/latency.svg)"
    for workload in workloads:
        if workload.name not in results:
            continue
        yield ""
        yield f"## {workload.title}"
        yield ""
        yield from table(results[workload.name])


def panels(workloads, results, bar):
    found = []
    for workload in workloads:
        bars = [made for name, rounds in results.get(workload.name, {}).items()
                if (made := bar(name, rounds))]
        if bars:
            found.append((workload.title, bars))
    return found


def throughput_bar(name, rounds):
    found = summary(rounds, "answers_per_second")
    return found and (name, [found[0]], found[1], found[2])


def cpu_bar(name, rounds):
    user, system = summary(rounds, "cpu_user"), summary(rounds, "cpu_system")
    whole = summary(rounds, "server_cpu")
    return whole and (name, [user[0], system[0]], whole[1], whole[2])


def latency_lines(workloads, results):
    """Of the open loop if it was run, else of the first workload."""
    chosen = next((w for w in workloads if w.is_half and w.name in results), workloads[0])
    lines = {}
    for name, rounds in results.get(chosen.name, {}).items():
        found = [summary(rounds, "latency", one) for one in PERCENTILES]
        if None not in found:
            lines[name] = [one[0] for one in found]
    return f"Latency: {chosen.title}", lines


def add_sections(folder):
    """Puts what other measurements wrote, each a section in a results/*.md, at the end of
    RESULTS.md, instead of what was there of them."""
    path, parts = os.path.join(folder, "RESULTS.md"), os.path.join(folder, "results")
    text = "# Results\n"
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            text = file.read()
    for name in sorted(os.listdir(parts)):
        if name.endswith(".md"):
            with open(os.path.join(parts, name), encoding="utf-8") as file:
                section = file.read()
            before, title, rest = text.partition(section.splitlines()[0] + "\n")
            _, heading, behind = rest.partition("\n## ") if title else ("", "", "")
            text = before.rstrip("\n") + ("\n\n## " + behind.rstrip("\n") if heading else "")
            text += "\n\n" + section
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def write_all(folder, about, workloads, results, skipped):
    plots = os.path.join(folder, "results")
    os.makedirs(plots, exist_ok=True)

    def write(path, text):
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    names = list(about["versions"])
    colours = dict(zip(names, lib_svg.COLOURS))
    write(os.path.join(folder, "RESULTS.md"),
          "\n".join(markdown(about, workloads, results, skipped)) + "\n")
    write(os.path.join(plots, "raw.json"),
          json.dumps({"about": about, "results": results}, indent=1) + "\n")
    write(os.path.join(plots, "throughput.svg"),
          lib_svg.bar_panels("Answers a second, on one core",
                             panels(workloads, results, throughput_bar), colours))
    write(os.path.join(plots, "cpu.svg"),
          lib_svg.bar_panels("CPU time of an answer in us: user, and paler system",
                             panels(workloads, results, cpu_bar), colours))
    title, lines = latency_lines(workloads, results)
    write(os.path.join(plots, "latency.svg"),
          lib_svg.percentile_lines(title, PERCENTILES, lines, colours))
    add_sections(folder)
