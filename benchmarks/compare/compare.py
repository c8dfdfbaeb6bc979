"""Holds nen against the floor and against other servers, and writes RESULTS.md.

compare.py BIN_DIR [--rounds N] [--seconds S] [--warmup S] [--servers a,b] [--workloads a,b]
           [--server-cpu N] [--load-cpus N,M] [--output FOLDER]
"""

import argparse
import os
import shlex
import sys

import lib_report
import lib_rounds
from lib_servers import SERVERS
from lib_workloads import WORKLOADS


def chosen_of(known, names, what):
    if not names:
        return known
    wanted = names.split(",")
    unknown = set(wanted) - {one.name for one in known}
    if unknown:
        sys.exit(f"no {what} is called {', '.join(sorted(unknown))}; there are "
                 f"{', '.join(one.name for one in known)}")
    return [one for one in known if one.name in wanted]


def arguments():
    parser = argparse.ArgumentParser(description="holds nen against other servers")
    lib_rounds.add_arguments(parser, rounds=7)
    parser.add_argument("--servers", help="names, with commas; all")
    parser.add_argument("--workloads", help="names, with commas; all")
    return parser.parse_args()


def main():
    given = arguments()
    settings = lib_rounds.Settings(given)
    programs = settings.programs
    if not os.path.exists(os.path.join(programs, "load")):
        sys.exit(f"{programs} has no load: build the preset bench first")
    workloads = chosen_of(WORKLOADS, given.workloads, "workload")
    servers, skipped = [], []
    for server in chosen_of([kind(programs) for kind in SERVERS], given.servers, "server"):
        why = server.missing()
        if why is None:
            servers.append(server)
        else:
            skipped.append((server.name, why))
            print(f"{server.name} is left out: {why}")
    results = {}
    for workload in workloads:
        able = [server for server in servers if workload.needs in server.has]
        if not able:
            continue
        results[workload.name] = lib_rounds.run_workload(workload, able, settings,
                                                         lib_rounds.progress)
        lib_rounds.progress("")
        print(workload.title)
        for name, rounds in results[workload.name].items():
            line = lib_report.row(name, rounds, results[workload.name].get("floor", []),
                                  results[workload.name].get("nen", []))
            problems = [one["problem"] for one in rounds if "problem" in one]
            print(line, *problems[:1])
        sys.stdout.flush()
    command = shlex.join(["python3", os.path.relpath(__file__), *sys.argv[1:]])
    about = lib_report.machine(settings, servers, command)
    lib_report.write_all(given.output, about, workloads, results, skipped)
    wrong = sum("problem" in one for found in results.values() for rounds in found.values()
                for one in rounds)
    print(f"written to {os.path.join(given.output, 'RESULTS.md')}; {wrong} runs had wrong answers")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
