"""A handler that asks for memory, in any way, is found: as often as it does, and no other."""

from lib_counted_server import CountedServer, check, get
from lib_server_under_test import Failure, main

# What each way of /take/:way/:times does once.
WAYS = {
    "malloc": {"malloc": 1, "free": 1},
    "calloc": {"calloc": 1, "free": 1},
    "realloc": {"realloc": 1, "free": 1},
    "aligned_alloc": {"aligned_alloc": 1, "free": 1},
    "posix_memalign": {"aligned_alloc": 1, "free": 1},
    "strdup": {"malloc": 1, "free": 1},  # libc's own call
    "new": {"operator new": 1, "operator delete": 1},
    "new_array": {"operator new": 1, "operator delete": 1},
    "new_nothrow": {"operator new": 1, "operator delete": 1},
    "new_aligned": {"operator new": 1, "operator delete": 1},
    "string": {"operator new": 1, "operator delete": 1},
    "free_nothing": {"free(nullptr)": 1},
    "mmap": {"mmap": 1, "munmap": 1},
    "raw_mmap": {"mmap": 1, "munmap": 1},  # without libc's function
    "mprotect": {"mmap": 1, "mprotect": 1, "munmap": 1},
    "mremap": {"mmap": 1, "mremap": 1, "munmap": 1},
    "brk": {"brk": 2},
}


def test():
    wanted = {}
    with CountedServer("wait", "patient") as server:
        client = server.connect()
        for number, (way, calls) in enumerate(WAYS.items()):
            times = number % 3 + 1
            server.phase(f"before {way}")
            check("an answer", client.ask(get("/")).status, 200)
            server.phase(way)
            answer = client.ask(get(f"/take/{way}/{times}"))
            check(way, answer.status, 200)
            wanted[way] = {call: n * times for call, n in calls.items()}
        server.phase("throws")
        for what in ("int", "own"):
            check("after throwing", client.ask(get(f"/throws/{what}")).status, 500)
        client.close()
        server.drain()
    for way, calls in wanted.items():
        check(f"calls in {way}", server.asked(way), calls)
        check(f"calls before {way}", server.asked(f"before {way}"), {})
    check("calls in throws", server.asked("throws"), {})
    check("memory of exceptions", server.asked("throws", "exceptions"), {"malloc": 2, "free": 2})

    # Every one of them would have failed the tests beside this one.
    found = {phase for phase, _, _ in server.objections()}
    check("phases that are objected to", found, set(WAYS))
    try:
        server.judge()
    except Failure as failure:
        print(f"as it should, this would fail with: {failure}")
        return
    raise Failure("a server that asks for memory was judged to be well")


main(test)
