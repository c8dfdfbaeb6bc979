"""How many instructions nen takes for an answer, counted by callgrind on the simulated ring: without
the kernel, without the ring, without what the clients do. The same program gives the same figures.

measure.py BIN_DIR [--workloads a,b] [--update] [--functions N] [--keep FOLDER] | --self-test

Fails when a figure is more than 3 % over the one in figures.json, which has them by compiler and
libraries: what others make of the same source is not comparable.
"""

import argparse
import dataclasses
import json
import os
import platform
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "compare"))

import lib_callgrind  # noqa: E402
from lib_workloads import HELLO, ROOM, TCP, WORKLOADS, WS, Workload  # noqa: E402

FIGURES = os.path.join(HERE, "figures.json")
PROGRAM = "instructions"
GROWTH_MAX = 0.03
SKIPPED = 77

# What the targets of the design are about; the load's own requests are shorter.
SHORT_FIELDS = ("--field", "User-Agent: bench/1.00", "--field", "Accept: text/plain")
SHORT = Workload("hello", "hello, a request of 84 bytes", HELLO, "/",
                 ("--connections", "64", *SHORT_FIELDS))
# These differ from another one in what is not the server's own work.
LEFT_OUT = {"hello_16", "hello_512", "half"}
# The simulated ring reads every byte that is sent several times, which takes callgrind long. Fewer
# clients are enough where the bytes of one are many.
CONNECTIONS = {"post_64k": 8, "ws_64k": 8, "bytes_64k": 8, "bytes_1m": 2}
ANSWERS = 1024
ANSWERS_LARGE = 16


@dataclasses.dataclass(frozen=True)
class Measured:
    workload: Workload
    built: str      # with what
    total: float    # instructions for an answer
    llhttp: float   # of these, llhttp's own
    profile: lib_callgrind.Profile
    answers: int


def workloads():
    shared = [one for one in WORKLOADS if one.name not in LEFT_OUT]
    return [SHORT, *shared]


def arguments_of(workload):
    """The load generator's arguments: the very requests that the comparison sends."""
    floor = dict(zip(workload.floor, workload.floor[1:]))
    body = floor.get("--answer-body", "13")  # the floor says hello too if it is not told otherwise
    is_large = workload.name in CONNECTIONS
    more = ["--requests", str(ANSWERS_LARGE if is_large else ANSWERS)]
    if is_large:
        more += ["--connections", str(CONNECTIONS[workload.name])]
    if workload.needs not in (WS, ROOM, TCP):
        more += ["--expect-bytes", body]
    scheme = {WS: "ws", ROOM: "ws", TCP: "tcp"}.get(workload.needs, "http")
    path = "" if workload.needs == TCP else workload.path
    return [*workload.load, *more, f"{scheme}://127.0.0.1:8080{path}"]


def measure(programs, workload, folder):
    said, profile = lib_callgrind.count(os.path.join(programs, PROGRAM), arguments_of(workload),
                                        os.path.join(folder, f"{workload.name}.callgrind"))
    found = json.loads(said)
    answers = found["answers"]
    built = f"{found['built']}, {platform.machine()}"
    return Measured(workload, built, round(profile.total / answers, 1),
                    round(profile.llhttp() / answers, 1), profile, answers)


def read_figures():
    if not os.path.exists(FIGURES):
        return {}
    with open(FIGURES, encoding="utf-8") as file:
        return json.load(file)


def write_figures(figures):
    with open(FIGURES, "w", encoding="utf-8") as file:
        file.write(json.dumps(figures, indent=2, sort_keys=True) + "\n")


def verdict(found, committed):
    """What is to be said of a figure, and whether it is too high."""
    if committed is None:
        return "no figure yet", False
    change = found.total / committed - 1
    text = f"{committed:,.1f} before: {change:+.1%}"
    if change > GROWTH_MAX:
        return f"{text}, MORE THAN {GROWTH_MAX:.0%} OVER IT", True
    if change < -GROWTH_MAX:
        return f"{text}: renew the figure with --update", False
    return text, False


def print_functions(found, count):
    for line in found.profile.functions(count):
        if isinstance(line, str):
            print(f"    {line}")
        else:
            print(f"    {line[0] / found.answers:12,.1f}  {line[1]}")


def self_test():
    """That growth is found, and a profile that counts the wrong things."""
    profile = ["fn=(1) server", "5 30", "cfn=(2) _ZN12instructions4ring", "calls=1 7", "+1 12",
               "fn=(2)", "* 12", "fn=(3) llhttp_execute", "-2 8", "totals: 50"]
    read = lib_callgrind.Profile(profile)
    assert (read.total, read.llhttp()) == (50, 8)
    assert (read.own["server"], read.inclusive["server"]) == (30, 42)
    of_the_ring = [line.replace("_ZN12instructions4ring", "_ZNK3nen7testing4wire")
                   for line in profile]
    for wrong in (of_the_ring, profile[:-1], [*profile[:-1], "totals: 51"]):
        try:
            lib_callgrind.Profile(wrong)
        except lib_callgrind.Failure:
            continue
        raise AssertionError(f"accepted: {wrong}")
    for total, is_too_high in ((1029.9, False), (1030.1, True), (900, False)):
        found = Measured(SHORT, "", total, 0, read, 1)
        assert verdict(found, 1000)[1] is is_too_high
    assert "renew" in verdict(Measured(SHORT, "", 900, 0, read, 1), 1000)[0]
    arguments_of_all = {one.name: arguments_of(one) for one in workloads()}
    assert "--broadcast" in arguments_of_all["ws_broadcast"]
    assert "65536" in arguments_of_all["bytes_64k"]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("programs", metavar="BIN_DIR", help=f"where {PROGRAM} is")
    parser.add_argument("--workloads", help="names, with commas; all")
    parser.add_argument("--update", action="store_true", help="write what is found to figures.json")
    parser.add_argument("--functions", type=int, default=0, metavar="N",
                        help="also the N functions with the most instructions for an answer")
    parser.add_argument("--keep", metavar="FOLDER", help="leave callgrind's files there")
    return parser.parse_args()


def chosen(names):
    known = {one.name: one for one in workloads()}
    if not names:
        return list(known.values())
    unknown = set(names.split(",")) - set(known)
    if unknown:
        sys.exit(f"no workload is called {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    return [known[name] for name in names.split(",")]


def run(given, folder):
    figures = read_figures()
    built, too_high, names = "", [], []
    print(f"{'workload':14} {'instructions':>14} {'of llhttp':>10}  for an answer")
    for workload in chosen(given.workloads):
        found = measure(given.programs, workload, folder)
        built = found.built
        committed = figures.get(built, {}).get(workload.name)
        text, is_too_high = verdict(found, committed)
        names += [workload.name] if committed is not None else []
        too_high += [workload.name] if is_too_high else []
        print(f"{workload.name:14} {found.total:14,.1f} {found.llhttp:10,.1f}  {text}", flush=True)
        if given.functions:
            print_functions(found, given.functions)
        if given.update:
            figures.setdefault(built, {})[workload.name] = found.total
    print(f"built with {built}")
    if given.update:
        write_figures(figures)
        print(f"written to {FIGURES}")
        return 0
    if not names:
        print("there are no figures for this compiler and these libraries yet, so nothing was held "
              "against any: --update writes them")
    if too_high:
        print(f"too many instructions: {', '.join(too_high)}. If that is what it has to cost, "
              "--update writes the new figures.")
    return 1 if too_high else 0


def main():
    """Ends with 77 where there is no valgrind."""
    if sys.argv[1:] == ["--self-test"]:
        return self_test()
    given = arguments()
    if lib_callgrind.VALGRIND is None:
        print("valgrind is not installed")
        sys.exit(SKIPPED)
    try:
        if given.keep:
            os.makedirs(given.keep, exist_ok=True)
            sys.exit(run(given, given.keep))
        with tempfile.TemporaryDirectory(prefix="nen-instructions-") as folder:
            sys.exit(run(given, folder))
    except lib_callgrind.Failure as problem:
        sys.exit(str(problem))


if __name__ == "__main__":
    main()
