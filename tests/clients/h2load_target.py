"""h2load with 64 connections and 16 requests on the way on each: all succeed."""

from lib_h2load import h2load
from lib_server_under_test import Server, main, scaled


def test():
    for shards in ["1", "2"]:
        with Server("target", "--port", "0", "--shards", shards) as server:
            for path, body_bytes, requests in [("/plaintext", 13, 300_000), ("/json", 27, 100_000),
                                               ("/users/7", 8, 100_000),
                                               ("/bytes/20000", 20000, 20_000),
                                               ("/bytes/1048576", 1 << 20, 1000)]:
                took = h2load(server.url(path), scaled(requests), 64, 16, body_bytes)
                print(f"{shards} shards, {path}: {scaled(requests)} requests in {took:.2f} s")


main(test, needs=["h2load"])
