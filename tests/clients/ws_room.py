"""500 members of the benchmark target's room hear every broadcast, in order: Node's `ws`, then
Python's `websockets`."""

import asyncio
import time

from lib_load import allow_many_files
from lib_server_under_test import Server, check, main, scaled
from lib_websocket import python_websockets, run_node

websockets = None  # the package, once it is found

MEMBERS = 500
BROADCASTS = 100


async def python_members(url, members, broadcasts):
    def connect():
        return websockets.connect(url, compression=None, ping_interval=None, open_timeout=60)

    begin = time.monotonic()
    joined = []
    while len(joined) < members:
        some = min(50, members - len(joined))
        joined += await asyncio.gather(*(connect() for _ in range(some)))

    async def hear(ws, expected):
        for message in expected:
            check("a broadcast", await asyncio.wait_for(ws.recv(), 60), message)

    sent = [f"{i} " + "\u00e9" * i if i % 2 else b"%d" % i for i in range(broadcasts)]
    listening = [asyncio.ensure_future(hear(ws, sent)) for ws in joined]
    for message in sent:
        await joined[0].send(message)
    await asyncio.gather(*listening)
    print(f"{members} members of Python heard {broadcasts} broadcasts in "
          f"{time.monotonic() - begin:.2f} s")
    await asyncio.gather(*(ws.close() for ws in joined))


def test():
    global websockets
    websockets = python_websockets()
    allow_many_files(4096)
    members = scaled(MEMBERS)
    with Server("target", "--port", "0") as server:
        origin = server.url("").replace("http", "ws")
        for offer in ["nothing", "deflate", "mixed"]:
            run_node("room.mjs", origin, offer, str(members), str(BROADCASTS))
        asyncio.run(python_members(origin + "/ws/room", members, BROADCASTS))
    with Server("target", "--port", "0", "--shards", "2") as server:
        origin = server.url("").replace("http", "ws")
        run_node("room.mjs", origin, "mixed", str(members), str(BROADCASTS))


main(test, needs=["node"])
