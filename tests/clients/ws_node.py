"""Node's `ws` against the echo of the benchmark target, in every variant that there is."""

from lib_server_under_test import Server, main
from lib_websocket import VARIANTS, is_deflated, run_node

MANY = 40  # more than the target keeps contexts for


def test():
    for shards, (path, offer) in zip(["1", "2", "1"], VARIANTS, strict=True):
        with Server("target", "--port", "0", "--shards", shards) as server:
            origin = server.url("").replace("http", "ws")
            deflated = "true" if is_deflated(path, offer) else "false"
            run_node("websocket.mjs", origin, path, offer or "nothing", deflated)
            if deflated == "true":
                run_node("websocket.mjs", origin, path, "small", deflated)
                run_node("websocket.mjs", origin, path, offer, deflated, str(MANY))


main(test, needs=["node"])
