"""Runs the workloads: all servers of one at once, the load on one after the other, round by round,
so that whatever else the machine does meets them all."""

import json
import os
import statistics
import subprocess
import tempfile
import contextlib
import sys

from lib_servers import Running


class Settings:
    """Where the programs are, how long to measure, and on which CPUs: of an argparse result."""

    def __init__(self, given):
        self.programs = os.path.abspath(given.programs)
        self.rounds, self.seconds, self.warmup = given.rounds, given.seconds, given.warmup
        self.server_cpu, self.load_cpus = given.server_cpu, given.load_cpus


def add_arguments(parser, rounds):
    """What Settings is made of, and where the results go. `rounds`: how many by default."""
    here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    cpus = sorted(os.sched_getaffinity(0))
    parser.add_argument("programs", metavar="BIN_DIR", help="where this build's programs are")
    parser.add_argument("--rounds", type=int, default=rounds)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--warmup", type=float, default=0.5)
    parser.add_argument("--server-cpu", type=int, default=cpus[0])
    # Two for the load where there are more than two: the floor needs no more time for a request
    # than the load does, so that one core of load can be what limits it.
    parser.add_argument("--load-cpus", type=lambda text: [int(one) for one in text.split(",")],
                        default=cpus[1:3] or cpus)
    parser.add_argument("--output", default=here, help="folder of RESULTS.md and results/")


def run_load(running, settings, extra=()):
    """One run of the load. Returns its JSON, with what went wrong in "problem"."""
    pids = [word for pid in running.pids() for word in ("--server-pid", str(pid))]
    cpus = settings.load_cpus
    command = ["taskset", "-c", ",".join(map(str, cpus)), os.path.join(settings.programs, "load"),
               "--json", "--duration", str(settings.seconds), "--warmup", str(settings.warmup),
               "--threads", str(len(cpus)), *pids, *running.workload.load, *extra,
               *running.server.url(running.workload, running.port)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=settings.seconds + settings.warmup + 60, check=False)
    try:
        found = json.loads(done.stdout)
    except ValueError:
        return {"problem": done.stderr.strip() or f"the load ended with {done.returncode}"}
    failures = {name: count for name, count in found["failures"].items() if count}
    if done.returncode != 0:
        found["problem"] = f"{failures or 'no answers'}: {found['first_failure']}"
    return derive(found, running)


def derive(found, running):
    user, system = found["server_user_seconds"], found["server_system_seconds"]
    # The scheduler's account is exact to the nanosecond, the two kinds are counted in ticks.
    share = user / (user + system) if user + system > 0 else 0
    found["cpu_user"] = found["server_cpu"] * share
    found["cpu_system"] = found["server_cpu"] * (1 - share)
    found["server_busy"] = (found["server_cpu"] * found["sampled_answers"] / 1e6 /
                            found["sampled_seconds"])
    found["resident_kib"] = running.resident_kib()
    return found


def run_workload(workload, servers, settings, say):
    """Returns {server's name: [one result for each round]}."""
    results = {server.name: [] for server in servers}
    with contextlib.ExitStack() as stack:
        started = []
        for server in servers:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="nen-compare-"))
            os.chmod(folder, 0o755)  # a server may give up its privileges
            running = Running(server, workload, folder, settings.server_cpu)
            stack.callback(running.stop)
            try:
                running.wait_until_ready()
                started.append(running)
            except RuntimeError as problem:
                results[server.name].append({"problem": str(problem)})
        rates = {}
        if workload.is_half:
            for running in started:
                tries = [run_load(running, settings) for _ in range(min(3, settings.rounds))]
                most = summary(tries, "answers_per_second")
                rates[running.server.name] = most[0] if most else 0
        for number in range(settings.rounds):
            # Each round begins with another server, so that none is always the first.
            turn = number % len(started)
            for running in started[turn:] + started[:turn]:
                name = running.server.name
                say(f"{workload.name}, round {number + 1} of {settings.rounds}, {name}")
                extra = ()
                if workload.is_half:
                    if rates[name] <= 0:
                        continue
                    extra = ("--rate", f"{rates[name] / 2:.0f}")
                results[name].append(run_load(running, settings, extra))
    return results


def values(rounds, *path):
    """A number of each round that has it, and that nothing was wrong in."""
    found = []
    for one in rounds:
        if "problem" in one:
            continue
        for key in path:
            one = one[key]
        found.append(one)
    return found


def summary(rounds, *path):
    """(median, least, most), or None."""
    found = values(rounds, *path)
    return (statistics.median(found), min(found), max(found)) if found else None


def ratio(rounds, others, *path):
    """The median of the rounds' own ratios: what disturbs a round disturbs both."""
    pairs = [(one, other) for one, other in zip(rounds, others)
             if "problem" not in one and "problem" not in other]
    found = [mine[0] / theirs[0] for one, other in pairs
             for mine, theirs in [(values([one], *path), values([other], *path))] if theirs[0]]
    return statistics.median(found) if found else None


def progress(text):
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)
