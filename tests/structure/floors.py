"""Holds every file in include/nen against the floors of the house, and all sources against its sizes.

floors.py SOURCE_DIR | --self-test
"""

import pathlib
import re
import sys
import tempfile

# A folder includes itself and folders on lower floors; neighbours on floor 1 stay apart.
FLOORS = {
    "core": 0,
    "http": 1,
    "ws": 1,
    "net": 1,
    "metrics": 1,
    "io": 2,
    "server": 3,
    "client": 3,
    "testing": 4,
}
# Files that lie in include/nen itself. config.hpp sizes the pools, so what owns pools may see it.
TOP_FILES = {"config.hpp": 1, "nen.hpp": 5}

# System headers that just these files may include.
ONLY_IN = {
    "liburing.h": {"io/uring.hpp"},
    "llhttp.h": {"http/llhttp.hpp"},
    "chrono": {"config.hpp"},
    "zlib.h": {"ws/deflate.hpp"},
    "ares.h": {"client/ares_resolver.hpp"},
}
NOWHERE = {"iostream", "functional", "regex", "thread", "map", "unordered_map", "vector", "string",
           "memory", "list", "deque", "sstream", "fstream"}
# What only tests run on may take its memory from the heap.
HEAP_USERS = {"testing"}
HEAP = {"vector", "string", "memory", "deque"}

LINES_MAX = 400
# Tables of cases may be longer.
TEST_LINES_MAX = 500
COLUMNS_MAX = 100

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def place_of(path):
    """Folder and floor of a path below include/nen, or None when the table does not know it."""
    if len(path.parts) == 1:
        floor = TOP_FILES.get(path.name)
        return None if floor is None else ("", floor)
    floor = FLOORS.get(path.parts[0])
    return None if floor is None else (path.parts[0], floor)


def check_nen_include(path, here, target, root):
    there_path = pathlib.PurePosixPath(target.removeprefix("nen/"))
    there = place_of(there_path)
    if there is None:
        return f"<{target}> is in no known folder"
    if not (root / there_path).is_file():
        return f"<{target}> does not exist"
    (folder, floor), (other, other_floor) = here, there
    if folder == other and folder != "":
        return None
    if other_floor > floor:
        return f"<{target}> is on a higher floor ({other_floor}) than {path} ({floor})"
    if other_floor == floor and floor < 3:
        return f"<{target}> is a neighbour on floor {floor}"
    return None


def check_system_include(path, target):
    base = target.split("/")[0] if target.startswith("liburing") else target
    base = "liburing.h" if base == "liburing" else base
    base = "llhttp.h" if base == "llhttp/llhttp.h" else base
    if path.parts[0] in HEAP_USERS and base in HEAP:
        return None
    if base in NOWHERE:
        return f"<{target}> is not for include/nen: it allocates or compiles slowly"
    if base in ONLY_IN and str(path) not in ONLY_IN[base]:
        return f"<{target}> belongs into {', '.join(sorted(ONLY_IN[base]))} alone"
    return None


def check_header(path, text, root):
    here = place_of(path)
    if here is None:
        yield 1, "this folder has no floor"
        return
    lines = text.splitlines()
    opening = lines[:6]
    if not any(line.startswith("//") for line in opening):
        yield 1, "the file does not open with its purpose"
    if "#pragma once" not in opening:
        yield 1, "#pragma once is not among the first lines"
    for number, line in enumerate(lines, 1):
        match = INCLUDE.match(line)
        if match is None:
            continue
        quote, target = match.groups()
        if quote == '"':
            problem = "includes are written <nen/...>"
        elif target.startswith("nen/"):
            problem = check_nen_include(path, here, target, root)
        else:
            problem = check_system_include(path, target)
        if problem:
            yield number, problem


def check_size(text, lines_max):
    lines = text.splitlines()
    if len(lines) > lines_max:
        yield len(lines), f"more than {lines_max} lines"
    for number, line in enumerate(lines, 1):
        if len(line) > COLUMNS_MAX:
            yield number, f"more than {COLUMNS_MAX} columns"


def check_tree(source):
    root = source / "include" / "nen"
    problems = []
    count = 0
    for header in sorted([*root.rglob("*.hpp"), *root.rglob("*.ipp")]):
        path = pathlib.PurePosixPath(header.relative_to(root).as_posix())
        count += 1
        for number, problem in check_header(path, header.read_text(encoding="utf-8"), root):
            problems.append(f"include/nen/{path}:{number}: {problem}")
    for folder in ("include", "examples", "benchmarks", "tests"):
        for file in sorted((source / folder).rglob("*")):
            if file.suffix in (".hpp", ".ipp", ".cpp"):
                lines_max = TEST_LINES_MAX if folder == "tests" else LINES_MAX
                for number, problem in check_size(file.read_text(encoding="utf-8"), lines_max):
                    problems.append(f"{file.relative_to(source)}:{number}: {problem}")
    return count, problems


GOOD = "#pragma once\n// A file for the check of the check: any floor.\n"
# One tree with one of every mistake, and what must be said about it.
BAD_TREE = {
    "core/up.hpp": ("#include <nen/io/ring.hpp>", "higher floor"),
    "http/aside.hpp": ("#include <nen/net/address.hpp>", "neighbour"),
    "http/config.hpp": ("#include <nen/config.hpp>", "neighbour"),
    "core/umbrella.hpp": ("#include <nen/nen.hpp>", "higher floor"),
    "io/nowhere.hpp": ("#include <nen/io/absent.hpp>", "does not exist"),
    "io/quoted.hpp": ('#include "ring.hpp"', "written <nen/...>"),
    "io/kernel.hpp": ("#include <liburing.h>", "belongs into io/uring.hpp"),
    "io/kernel2.hpp": ("#include <liburing/io_uring.h>", "belongs into io/uring.hpp"),
    "server/parser.hpp": ("#include <llhttp.h>", "belongs into http/llhttp.hpp"),
    "server/clock.hpp": ("#include <chrono>", "belongs into config.hpp"),
    "core/heap.hpp": ("#include <functional>", "not for include/nen"),
    "testing/late.hpp": ("#include <regex>", "not for include/nen"),
    "server/test.hpp": ("#include <nen/testing/ring.hpp>", "higher floor"),
    "core/wide.hpp": ("//" + "x" * 99, "more than 100 columns"),
    "core/long.hpp": ("\n" * 400, "more than 400 lines"),
    "attic/old.hpp": ("", "no floor"),
}
GOOD_TREE = {
    "io/ring.hpp": "#include <nen/core/pool.hpp>\n#include <nen/net/address.hpp>",
    "io/uring.hpp": "#include <liburing.h>\n#include <nen/io/ring.hpp>",
    "net/address.hpp": "#include <cstdint>",
    "core/pool.hpp": "",
    "config.hpp": "#include <chrono>\n#include <nen/core/pool.hpp>",
    "server/server.hpp": "#include <nen/config.hpp>\n#include <nen/io/uring.hpp>",
    "testing/ring.hpp": "#include <vector>\n#include <nen/server/server.hpp>",
    "nen.hpp": "#include <nen/server/server.hpp>",
}


def write_tree(source, files):
    for name, body in files.items():
        file = source / "include" / "nen" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(GOOD + body + "\n", encoding="utf-8")


def self_test():
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder)
        write_tree(source, GOOD_TREE)
        count, problems = check_tree(source)
        assert count == len(GOOD_TREE) and problems == [], problems
        for name, (body, expected) in BAD_TREE.items():
            write_tree(source, {name: body})
            _, problems = check_tree(source)
            assert len(problems) == 1 and name in problems[0] and expected in problems[0], (
                name, expected, problems)
            (source / "include" / "nen" / name).unlink()
        bare = source / "include" / "nen" / "core" / "bare.hpp"
        bare.write_text("#include <cstdint>\n")
        _, problems = check_tree(source)
        assert len(problems) == 2, problems
    print(f"{len(BAD_TREE)} kinds of mistakes are found")
    return 0


def main():
    if sys.argv[1:] == ["--self-test"]:
        return self_test()
    count, problems = check_tree(pathlib.Path(sys.argv[1]))
    print("\n".join(problems + [f"{count} headers, {len(problems)} problems"]))
    return 0 if count > 0 and not problems else 1


sys.exit(main())
