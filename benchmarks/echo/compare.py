"""CPU time of an echo: raw TCP and WebSocket messages against the floor, which sends bytes back as
they came.

compare.py BIN_DIR [ROUNDS]: interleaved rounds on two cores, medians.
"""

import os
import re
import statistics
import subprocess
import sys
import time


def cpu_seconds(pid):
    total = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/schedstat", encoding="ascii") as file:
            total += int(file.read().split()[0])
    return total / 1e9


def main():
    folder, rounds = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 5
    servers = {"floor": (["floor", "--echo"], 9001, []),
               "tcp": (["04_tcp_echo"], 9003, []),
               "WebSocket": (["target"], 9002, ["--path", "/ws/plain"])}
    running = {}
    for name, (command, port, load) in servers.items():
        process = subprocess.Popen(
            ["taskset", "-c", "0", os.path.join(folder, command[0]), *command[1:], "--port",
             str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        running[name] = (process, port, load)
    time.sleep(0.5)
    try:
        for connections in (64, 512):
            costs = {name: [] for name in servers}
            for _ in range(rounds):
                for name, (process, port, load) in running.items():
                    before = cpu_seconds(process.pid)
                    said = subprocess.run(
                        ["taskset", "-c", "1", os.path.join(folder, "echo_load"), "--port",
                         str(port), "--connections", str(connections), *load],
                        capture_output=True, text=True, check=True).stdout
                    used = cpu_seconds(process.pid) - before
                    costs[name].append(used * 1e6 / int(re.search(r"(\d+) echoes", said)[1]))
            print(f"{connections} connections: floor {statistics.median(costs['floor']):.2f} us "
                  "an echo")
            for name in list(servers)[1:]:
                ratios = [n / f for n, f in zip(costs[name], costs["floor"])]
                print(f"  {name} {statistics.median(costs[name]):.2f} us, "
                      f"ratio {statistics.median(ratios):.3f}")
    finally:
        for process, _, _ in running.values():
            process.terminate()
            process.wait()


main()
