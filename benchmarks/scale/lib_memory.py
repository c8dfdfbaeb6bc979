"""What connections cost: the server's own memory, and the kernel's."""

import os

PAGE = os.sysconf("SC_PAGE_SIZE")
COUNTED = ("VmRSS", "RssAnon", "RssFile", "RssShmem")
WALKED = ("Rss", "Pss", "Anonymous")


def lines_of(path):
    with open(path, encoding="ascii", errors="replace") as file:
        return file.read().splitlines()


def fields_of(path, names):
    """{name: bytes} of lines like "VmRSS:  123 kB"."""
    found = {}
    for line in lines_of(path):
        name, _, rest = line.partition(":")
        if name in names:
            found[name] = int(rest.split()[0]) * 1024
    return found


def process_memory(pid):
    """Bytes. Some kernels count resident pages in lots, so the numbers that count are those for
    which the kernel walks through the pages."""
    found = fields_of(f"/proc/{pid}/status", COUNTED)
    try:
        return found | fields_of(f"/proc/{pid}/smaps_rollup", WALKED)
    except OSError:
        return found | {"Rss": found["VmRSS"], "Anonymous": found["RssAnon"]}


def cpu_seconds(pid):
    """Of all its threads so far, by the scheduler's account."""
    total = 0
    for thread in os.listdir(f"/proc/{pid}/task"):
        total += int(lines_of(f"/proc/{pid}/task/{thread}/schedstat")[0].split()[0])
    return total / 1e9


def slabs():
    """{cache: (objects in use, bytes of all its pages)}; nothing where only root may look."""
    try:
        rows = lines_of("/proc/slabinfo")[2:]
    except OSError:
        return {}
    found = {}
    for row in rows:
        words = row.split()
        name, active, pages, count = words[0], int(words[1]), int(words[5]), int(words[14])
        found[name] = (active, count * pages * PAGE)
    return found


def drop_unused():
    """Other programs leave names and inodes in the kernel that nobody uses any more, by the
    thousand; where it is allowed, these are thrown away before slabs are counted."""
    try:
        with open("/proc/sys/vm/drop_caches", "w", encoding="ascii") as file:
            file.write("2")
    except OSError:
        pass


def kernel_memory():
    drop_unused()
    found = fields_of("/proc/meminfo", ("MemAvailable", "Slab", "SUnreclaim"))
    found["caches"] = slabs()
    return found


def growth_of_caches(before, after, connections):
    """[(cache, objects a connection, bytes a connection)] of what grew with the connections, the
    largest first."""
    found = []
    for name, (objects, size) in after.items():
        was_objects, was_size = before.get(name, (0, 0))
        each = (objects - was_objects) / connections
        if each >= 0.05 and size > was_size:
            found.append((name, each, (size - was_size) / connections))
    return sorted(found, key=lambda one: -one[2])
