"""nen's HTTP client against wrk: both keep 64 connections to `target` busy from one core.

compare.py BIN_DIR [ROUNDS]: interleaved rounds, medians. Where other programs run on the machine,
the CPU time of a request says more than how many there are in a second.
"""

import re
import resource
import statistics
import subprocess
import sys
import time

PORT, CONNECTIONS, SECONDS = 9005, 64, 3
URL = f"http://127.0.0.1:{PORT}/plaintext"


def measured(command):
    """Requests in a second, and the client's CPU time for each, in microseconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    said = subprocess.run(["taskset", "-c", "1", *command], stdout=subprocess.PIPE, text=True,
                          check=True).stdout
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    found = re.search(r"Requests/sec: *([\d.]+)|^(\d+) requests/s", said, re.MULTILINE)
    rate = float(found[1] or found[2])
    cpu = sum(getattr(after, part) - getattr(before, part) for part in ("ru_utime", "ru_stime"))
    return rate, cpu / (rate * SECONDS) * 1e6


def main():
    folder, rounds = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 5
    clients = {"wrk": ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", URL],
               "nen": [f"{folder}/client_load", "--url", URL, "--connections", str(CONNECTIONS),
                       "--seconds", str(SECONDS)]}
    server = subprocess.Popen(["taskset", "-c", "0", f"{folder}/target", "--port", str(PORT)],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(0.5)
    results = {name: [] for name in clients}
    try:
        for _ in range(rounds):
            for name, command in clients.items():
                results[name].append(measured(command))
    finally:
        server.terminate()
        server.wait()
    for name, all_of in results.items():
        print(f"{name}: {statistics.median(r for r, _ in all_of):.0f} requests/s, "
              f"{statistics.median(c for _, c in all_of):.2f} us of CPU each")
    ratio = statistics.median(n[0] / w[0] for n, w in zip(results["nen"], results["wrk"]))
    print(f"nen/wrk: {ratio:.2f}")


main()
