"""Runs a program under callgrind, and reads what it has counted."""

import collections
import re
import shutil
import subprocess

VALGRIND = shutil.which("valgrind")

# glibc chooses its memcpy by the processor, and one that copies with a single "rep movsb" counts as
# an instruction for each byte. Without these extensions it is the same everywhere.
ENVIRONMENT = {
    "PATH": "/usr/bin:/bin",
    "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX512F,-AVX512VL,-AVX2,-AVX,-ERMS,-FSRM,-SSSE3,-SSE4_1,"
                      "-SSE4_2,-AVX_Fast_Unaligned_Load",
    # Where a function of a library is, is looked up at the start and not when it is first called.
    "LD_BIND_NOW": "1",
}

# Counting begins and ends where a turn of the server does, and rests within the ring. Mangled names
# begin with the function's own, whatever its parameters are.
TOGGLES = ["_ZN12instructions7metered*", "_ZN12instructions14unmetered_ring*"]
RING = re.compile(r"_ZNK?3nen7testing")

COST = re.compile(r"[-+*]?\d* (\d+)$")
NAME = re.compile(r"(c?fn)=\((\d+)\)(?: (.*))?$")


class Failure(Exception):
    pass


def count(program, arguments, output):
    """Returns what the program said, and a Profile of what it did. `output` is the profile's path."""
    command = [VALGRIND, "--tool=callgrind", "-q", "--instr-atstart=no", "--demangle=no",
               f"--callgrind-out-file={output}", *(f"--toggle-collect={one}" for one in TOGGLES),
               program, *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          env=ENVIRONMENT, timeout=300, check=False)
    if done.returncode != 0:
        raise Failure(f"{' '.join(command)} ended with {done.returncode}: {done.stderr}")
    with open(output, encoding="utf-8") as file:
        return done.stdout, Profile(file)


class Profile:
    """Instructions by function: its own, and together with what it called."""

    def __init__(self, lines):
        self.total = 0
        self.own = collections.Counter()
        self.inclusive = collections.Counter()
        names = {}
        function, called, is_call = None, None, False
        for line in lines:
            line = line.rstrip("\n")
            if found := NAME.match(line):
                kind, number, name = found.groups()
                if name is not None:
                    names[number] = name
                if kind == "fn":
                    function = names[number]
                else:
                    called = names[number]
            elif line.startswith("calls="):
                is_call = True
            elif line.startswith("totals:"):
                self.total = int(line.split()[1])
            elif function is not None and (found := COST.match(line)):
                cost = int(found[1])
                if not is_call:
                    self.own[function] += cost
                    self.inclusive[function] += cost
                elif called != function:
                    self.inclusive[function] += cost
                is_call = False
        self._check()

    def _check(self):
        """That the server was counted, all of it, and nothing else."""
        if self.total == 0 or self.total != sum(self.own.values()):
            raise Failure(f"{self.total} instructions in all, {sum(self.own.values())} of functions")
        for name, cost in self.own.items():
            if cost != 0 and RING.match(name):
                raise Failure(f"{cost} instructions of the simulated ring were counted: {name}")

    def llhttp(self):
        """llhttp's own, without the functions that it calls back."""
        return sum(cost for name, cost in self.own.items()
                   if re.match(r"_?(llhttp|llparse)_", name))

    def functions(self, count):
        """Lines of text: the functions with the most instructions of their own, and with those that
        they called."""
        shown = {}
        for which in (self.own, self.inclusive):
            shown.update(dict.fromkeys(name for name, _ in which.most_common(count)))
        plain = dict(zip(shown, _demangled(list(shown))))
        for title, which in (("own", self.own), ("with what it calls", self.inclusive)):
            yield title
            for name, cost in which.most_common(count):
                yield cost, _short(plain[name])


def _demangled(names):
    tool = shutil.which("c++filt")
    if tool is None:
        return names
    done = subprocess.run([tool, "--no-recurse-limit"], input="\n".join(names), text=True,
                          stdout=subprocess.PIPE, check=True)
    return done.stdout.splitlines()


def _short(name):
    """Without template arguments and parameters, which can be pages long."""
    out, depth = "", 0
    name = name.replace("->", "").replace("operator<", "operator")
    name = re.sub(r"\}::_FUN\b.*", "}", name)  # what a lambda without captures is called through
    for number in re.findall(r"#(\d+)\}$", name):
        name = re.sub(r"\{lambda[^{}]*\}$", f"lambda {number}", name)
    for c in name:
        depth += c in "<([{"
        if depth == 0:
            out += c
        depth -= c in ">)]}"
    return out.strip()
