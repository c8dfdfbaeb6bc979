"""Node's http client with a keep-alive agent against the benchmark target."""

import os

from lib_server_under_test import Server, main, run_tool, scaled

SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "node", "agent.mjs")


def test():
    for shards in ["1", "2"]:
        with Server("target", "--port", "0", "--shards", shards) as server:
            print(run_tool("node", SCRIPT, server.url(""),
                           str(scaled(6000))), end="")


main(test, needs=["node"])
