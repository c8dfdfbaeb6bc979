"""Python's `websockets` against the echo of the benchmark target: messages of all sizes, whole and
in fragments, four of the longest at once, pings, and closes from both sides."""

import asyncio
import time

from lib_server_under_test import Server, check, main
from lib_websocket import (MESSAGE_BYTES_MAX, MiB, VARIANTS, is_deflated, noise_of,
                           python_websockets, text_of)

websockets = None  # the package, once it is found

SIZES = [0, 1, 2, 125, 126, 127, 1000, 4095, 4096, 4097, 16_383, 16_384, 16_385, 65_535, 65_536,
         65_537, MiB - 1, MiB, MiB + 1, MESSAGE_BYTES_MAX - 1, MESSAGE_BYTES_MAX]
# Bytes of a message, and of each of its fragments.
CLASSES = [(4 * MiB, 64), (1000, 1), (100_000, 125), (100_000, 126), (MiB, 1000), (MiB, 16_384),
           (MiB, 65_536), (MESSAGE_BYTES_MAX, MiB)]


class Echo:
    def __init__(self, origin, path, offer):
        self.origin, self.path, self.offer = origin, path, offer

    def connect(self, path=None):
        return websockets.connect(self.origin + (path or self.path), compression=self.offer,
                                  max_size=None, ping_interval=None, open_timeout=60,
                                  close_timeout=60)

    async def expect(self, ws, sent, what):
        found = await asyncio.wait_for(ws.recv(), 60)
        check(f"{what}: kind and length of the echo", (type(found), len(found)),
              (type(sent), len(sent)))
        check(f"{what}: the echo is what was sent", found == sent, True)

    async def every_size(self):
        async with self.connect() as ws:
            accepted = "permessage-deflate" in ws_fields(ws).get("Sec-WebSocket-Extensions", "")
            check("permessage-deflate", accepted, is_deflated(self.path, self.offer))
            for make in [text_of, noise_of]:
                for size in SIZES:
                    message = make(size)
                    await ws.send(message)
                    await self.expect(ws, message, f"a message of {size}")

    async def fragmented(self):
        async with self.connect() as ws:
            for size, piece in CLASSES:
                for message in [text_of(size), noise_of(size)]:
                    await ws.send(message[at:at + piece] for at in range(0, len(message), piece))
                    await self.expect(ws, message, f"fragments of {piece}")

    async def four_at_once(self):
        async def one(seed):
            message = noise_of(MESSAGE_BYTES_MAX, seed)
            async with self.connect() as ws:
                await ws.send(message)
                await self.expect(ws, message, "one of four")
        await asyncio.gather(*(one(seed) for seed in range(4)))

    async def pings(self):
        async with self.connect() as ws:
            for size in [0, 1, 2, 124, 125]:
                heard = await ws.ping(noise_of(size, 7))
                await asyncio.wait_for(heard, 60)
            await ws.send("still there")
            await self.expect(ws, "still there", "behind pings")

    async def closes(self):
        for code in [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1011, 1012, 1013, 1014, 3000, 4999]:
            ws = await self.connect()
            await ws.close(code, "a reason \u00e9")
            check("what is answered to a close", ws.close_code, code)
        for code in [1000, 1001, 1003, 1008, 1011, 1013, 3000, 4999]:
            ws = await self.connect(f"/ws/close/{code}")
            await asyncio.wait_for(ws.wait_closed(), 60)
            check("a close from there", (ws.close_code, ws.close_reason), (code, "as you asked"))

    async def too_long(self):
        ws = await self.connect()
        try:
            await ws.send(noise_of(MESSAGE_BYTES_MAX + 1))
        except websockets.exceptions.ConnectionClosed:
            pass
        await asyncio.wait_for(ws.wait_closed(), 60)
        check("a message that is too long", ws.close_code, 1009)


def ws_fields(ws):
    """The answer's fields: newer versions of the package keep them elsewhere."""
    return ws.response_headers if hasattr(ws, "response_headers") else ws.response.headers


async def stop_with_many(server, origin):
    """Who is connected when the server stops is told so."""
    clients = [await websockets.connect(origin + "/ws") for _ in range(20)]
    server.interrupt()
    for ws in clients:
        await asyncio.wait_for(ws.wait_closed(), 60)
        check("when the server stops", ws.close_code, 1001)


def test():
    global websockets
    websockets = python_websockets()
    for shards, (path, offer) in zip(["1", "1", "2"], VARIANTS, strict=True):
        with Server("target", "--port", "0", "--shards", shards) as server:
            origin = server.url("").replace("http", "ws")
            echo = Echo(origin, path, offer)
            for part in [echo.every_size, echo.fragmented, echo.four_at_once, echo.pings,
                         echo.closes, echo.too_long]:
                begin = time.monotonic()
                asyncio.run(part())
                print(f"{path}, offering {offer}: {part.__name__} in "
                      f"{time.monotonic() - begin:.2f} s")
            asyncio.run(stop_with_many(server, origin))
            server.wait_for_end()


main(test)
