"""What of this machine decides how many connections there can be: looks, raises what it may, puts
everything back at the end, and says in a sentence what is missing."""

import resource

from lib_holders import SOURCES

SPARE_DESCRIPTORS = 100  # of a process: Python's own, pipes, a question to the server


def read(path):
    try:
        with open(path, encoding="ascii") as file:
            return [int(word) for word in file.read().split()]
    except (OSError, ValueError):
        return None


def raise_descriptors():
    """How many connections one process can hold."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard - SPARE_DESCRIPTORS


class Limits:
    """with Limits(connections) as limits: ..."""

    def __init__(self, connections):
        self.connections, self.before, self.found = connections, {}, {}

    def __enter__(self):
        try:
            self.settle()
        except BaseException:
            self.restore()
            raise
        return self

    def __exit__(self, *_):
        self.restore()

    def settle(self):
        self.per_process = raise_descriptors()
        self.found["ulimit -n"] = self.per_process + SPARE_DESCRIPTORS
        both_ends = 2 * self.connections
        # Each shard's listener holds those that its thread has not taken yet.
        self.need("net/core/somaxconn", min(4096, self.connections),
                  "connections come faster than one shard takes them", is_needed=False)
        self.need("fs/file-max", both_ends + 10_000, "every connection is two open files here")
        self.need("net/netfilter/nf_conntrack_max", self.connections + 1_000,
                  "the firewall keeps an entry for every connection")
        low, high = read("/proc/sys/net/ipv4/ip_local_port_range") or (32768, 60999)
        self.ports = high - low + 1
        self.found["net.ipv4.ip_local_port_range"] = [low, high]
        self.need_memory()

    def need(self, name, least, why, is_needed=True):
        """Raises a number of the kernel's; where it is not there, nothing is limited."""
        path = f"/proc/sys/{name}"
        now = read(path)
        if now is None:
            return
        if now[0] < least:
            try:
                with open(path, "w", encoding="ascii") as file:
                    file.write(str(least))
                self.before[path] = now[0]
            except OSError as problem:
                if is_needed:
                    raise SystemExit(f"{name.replace('/', '.')} is {now[0]}, {least} are needed "
                                     f"({why}), and it cannot be raised: {problem.strerror}; as "
                                     f"root: sysctl -w {name.replace('/', '.')}={least}") from None
        self.found[name.replace("/", ".")] = read(path)[0]

    def need_memory(self):
        """About 8 KiB for both ends of a connection in the kernel, 1 KiB for who holds it."""
        with open("/proc/meminfo", encoding="ascii") as file:
            free = {line.split(":")[0]: int(line.split()[1]) for line in file}["MemAvailable"]
        needed = self.connections * 9 + 200_000
        if free < needed:
            raise SystemExit(f"{self.connections:,} connections need about {needed // 1024} MiB of "
                             f"memory with both their ends, and {free // 1024} MiB are available; "
                             "ask for fewer with --connections")

    def holders(self):
        """How many connections each holding process gets: no more than it has descriptors for, nor
        than a third of its addresses' ports."""
        each = min(self.per_process, SOURCES * self.ports // 3)
        if each < 1:
            raise SystemExit(f"ulimit -n is {self.found['ulimit -n']}: no process can hold a "
                             "connection; raise it")
        count = -(-self.connections // each)
        return [self.connections // count + (i < self.connections % count) for i in range(count)]

    def restore(self):
        for path, value in self.before.items():
            with open(path, "w", encoding="ascii") as file:
                file.write(str(value))
