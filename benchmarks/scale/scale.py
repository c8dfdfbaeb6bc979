"""Many connections, mostly idle: what each costs the server and the kernel, how long it takes to
accept them all, and what those that are active notice of the others.

scale.py BIN_DIR [--connections N] [--active N] [--rate N] [--rounds N] [--seconds S] [--warmup S]
         [--server-cpu N] [--load-cpus N,M] [--output FOLDER]

The clients are several processes with addresses of their own in 127.0.0.0/8. It runs twice: with
connections that never said a word, and with ones that were answered once.
"""

import argparse
import contextlib
import http.client
import json
import os
import shlex
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "compare"))

import lib_memory  # noqa: E402
import lib_report  # noqa: E402
import lib_rounds  # noqa: E402
import lib_scale_report  # noqa: E402
from lib_holders import Holders  # noqa: E402
from lib_limits import Limits  # noqa: E402
from lib_servers import HELLO, Nen, Running  # noqa: E402
from lib_workloads import Workload  # noqa: E402

STEPS = (0.01, 0.1, 0.25, 0.5, 1)  # of all connections, at which memory is looked at


class Scale(Nen):
    program = "scale"

    def command(self, workload, port, folder):
        return [self.path(), "--port", str(port)]


class Question:
    """A connection of its own, over which the server is asked what it has counted."""

    def __init__(self, port):
        self.http = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def ask(self):
        self.http.request("GET", "/counts")
        return json.load(self.http.getresponse())

    def open(self):
        """Connections but this one."""
        found = self.ask()
        if found["failed"] != 0:
            sys.exit(f"the server ran out of something, or refused: {found}")
        return found["accepted"] - found["closed"] - 1

    def wait_until_open(self, count, seconds):
        deadline = time.monotonic() + seconds
        while (now := self.open()) != count:
            if time.monotonic() > deadline:
                sys.exit(f"after {seconds} s the server has {now:,} connections open, "
                         f"not {count:,}")
            time.sleep(0.005)


class Run:
    """One server under way, and what it is made of."""

    def __init__(self, settings, workload, stack, connections):
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="nen-scale-"))
        self.running = Running(Scale(settings.programs), workload, folder, settings.server_cpu)
        stack.callback(self.stop)
        try:
            self.running.wait_until_ready()
        except RuntimeError as problem:
            sys.exit(str(problem))
        self.pid = self.running.process.pid
        self.question = Question(self.running.port)
        self.question.wait_until_open(0, 5)
        self.check_slots(connections)

    def check_slots(self, connections):
        slots, each_has_more = int(self.said().split()[0]), 1.08
        if connections * each_has_more > slots:
            sys.exit(f"{connections:,} connections are too many for the server's {slots:,} slots: "
                     "its shards do not get equally many, and each needs some to spare; see its "
                     "config in benchmarks/scale/main.cpp")

    def snapshot(self):
        time.sleep(0.3)  # what was given back lately is still on its way
        return {"connections": self.question.open(), "process": lib_memory.process_memory(self.pid),
                "kernel": lib_memory.kernel_memory()}

    def said(self):
        return os.pread(self.running.log.fileno(), 1 << 16, 0).decode(errors="replace")

    def end(self):
        """Stops it; it has to have closed whatever it accepted. Returns the seconds."""
        self.question.http.close()
        begin = time.monotonic()
        self.running.process.send_signal(signal.SIGTERM)
        try:
            code = self.running.process.wait(30)
        except subprocess.TimeoutExpired:
            sys.exit("the server still runs 30 s after SIGTERM")
        if code != 0:
            sys.exit(f"the server ended with {code}:\n{self.said()}")
        return time.monotonic() - begin

    def stop(self):
        self.running.stop()


def grow(run, holders, total, asks):
    """Opens connections until there are `total`. Returns how long it took."""
    cpu = lib_memory.cpu_seconds(run.pid)
    begin = time.monotonic()
    holders.begin_growing(total, asks)
    while holders.is_busy():
        time.sleep(0.002)
    connected = time.monotonic() - begin
    holders.end()
    run.question.wait_until_open(total, 60)
    return {"connections": total, "connected_seconds": connected,
            "accepted_seconds": time.monotonic() - begin,
            "server_cpu_seconds": lib_memory.cpu_seconds(run.pid) - cpu}


def steps_of(connections):
    return sorted({max(1, round(connections * share)) for share in STEPS})


def fill(run, holders, asks, connections):
    """Goes up to all connections, and looks at the memory on the way."""
    found = []
    for total in steps_of(connections):
        lib_rounds.progress(f"{total:,} connections, {'answered once' if asks else 'silent'}")
        step = grow(run, holders, total, asks)
        found.append(step | run.snapshot())
    return found


def load_active(run, settings, given):
    """The active connections' latencies, in closed loop and at a fixed rate, in turns."""
    rounds = {"closed": [], "open": []}
    for number in range(given.rounds):
        lib_rounds.progress(f"{given.active:,} active connections beside "
                            f"{run.question.open():,}, round {number + 1} of {given.rounds}")
        rounds["closed"].append(lib_rounds.run_load(run.running, settings))
        rounds["open"].append(lib_rounds.run_load(run.running, settings,
                                                  ("--rate", f"{given.rate:g}")))
    return rounds


def silent_phase(settings, given, limits, workload):
    """Connections that never say a word; then all of them are reset at once."""
    with contextlib.ExitStack() as stack:
        run = Run(settings, workload, stack, given.connections)
        found = {"start": run.snapshot(), "said": run.said()}
        holders = stack.enter_context(Holders(limits.holders(), run.running.port,
                                              given.load_cpus, network=1))
        found["steps"] = fill(run, holders, False, given.connections)
        begin = time.monotonic()
        # Resets, so that no ends that linger in the kernel are counted in what comes next.
        holders.drop(len(holders), resets=True)
        run.question.wait_until_open(0, 60)
        found["closed_seconds"] = time.monotonic() - begin
        found["stop_seconds"] = run.end()
    return found


def served_phase(settings, given, limits, workload):
    """Connections that were answered once, and active ones beside them."""
    with contextlib.ExitStack() as stack:
        run = Run(settings, workload, stack, given.connections)
        found = {"start": run.snapshot(), "said": run.said()}
        found["active_alone"] = load_active(run, settings, given)
        run.question.wait_until_open(0, 10)
        holders = stack.enter_context(Holders(limits.holders(), run.running.port,
                                              given.load_cpus, network=2))
        found["steps"] = fill(run, holders, True, given.connections)
        holders.drop(given.active, resets=True)
        run.question.wait_until_open(len(holders), 30)
        found["active_beside"] = load_active(run, settings, given)
        run.question.wait_until_open(len(holders), 30)
        found["after"] = run.snapshot()
        # Nobody was forgotten meanwhile: every one of them is answered again.
        holders.begin([("ask_all",)] * len(holders.capacities))
        holders.end()
        begin = time.monotonic()
        holders.drop(len(holders), resets=False)
        run.question.wait_until_open(0, 60)
        found["closed_seconds"] = time.monotonic() - begin
        found["stop_seconds"] = run.end()
    return found


def arguments():
    parser = argparse.ArgumentParser(description="many connections, mostly idle")
    lib_rounds.add_arguments(parser, rounds=5)
    parser.add_argument("--connections", type=int, default=100_000)
    parser.add_argument("--active", type=int, default=1_000, help="of them")
    parser.add_argument("--rate", type=float, default=10_000, help="requests a second, open loop")
    given = parser.parse_args()
    if not 1 <= given.active < given.connections:
        parser.error("--active has to be at least 1 and less than --connections")
    return given


def main():
    given = arguments()
    settings = lib_rounds.Settings(given)
    programs = settings.programs
    for name in ("scale", "load"):
        if not os.path.exists(os.path.join(programs, name)):
            sys.exit(f"{programs} has no {name}: build the preset bench first")
    workload = Workload("scale", "", HELLO, load=("--connections", str(given.active)))
    with Limits(given.connections) as limits:
        results = {"connections": given.connections, "active": given.active, "rate": given.rate,
                   "limits": limits.found, "holders": limits.holders()}
        results["silent"] = silent_phase(settings, given, limits, workload)
        results["served"] = served_phase(settings, given, limits, workload)
    lib_rounds.progress("")
    command = shlex.join(["python3", os.path.relpath(__file__), *sys.argv[1:]])
    results["about"] = lib_report.machine(settings, [Scale(programs)], command)
    results["costs"] = lib_scale_report.costs(results)
    for line in lib_scale_report.markdown(results):
        print(line)
    lib_scale_report.write_all(given.output, results)
    print(f"\nwritten to {os.path.join(given.output, 'results', 'scale.json')}")
    wrong = [one["problem"] for name in ("active_alone", "active_beside")
             for rounds in results["served"][name].values() for one in rounds if "problem" in one]
    for problem in wrong:
        print(f"WRONG: {problem}")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
