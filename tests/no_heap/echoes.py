"""Raw TCP: every function of a session, every end, memory that runs out; nen asks for none."""

import time

from lib_counted_server import CountedServer, check
from lib_server_under_test import main

CONNECTIONS = 32  # of both shards
FLOOD = b"f" * 100_000


def say(server, *lines):
    """A client that has said something, and heard the same."""
    client = server.connect()
    client.read_until(b"hello\n")
    for line in lines:
        client.send(line + b"\n")
        client.read_until(line + b"\n")
    return client


def talk(server):
    for _ in range(8):
        client = say(server, b"one", b"", b"x" * 200)
        for i in range(20):
            client.send(b"piece %d, " % i)
            time.sleep(0.001)
        client.send(b"and all\n")
        client.read_until(b"piece 19, and all\n")
        client.send(b"pause\nafterwards\n")
        client.read_until(b"on again\n")
        client.finish_sending()
        check("the end", client.read_to_end(), lambda b: b.endswith(b"bye\n"))


def echo(server):
    for _ in range(4):
        client = say(server, b"echo")
        for _ in range(10):
            client.send(FLOOD[:5000])
            client.read_until(FLOOD[:5000])
        client.close()


def end_in_every_way(server):
    for _ in range(8):
        server.remember()
        say(server, b"close").read_to_end()
        finished = say(server, b"finish")
        check("the end", finished.read_to_end(), b"")
        finished.close()
        for line in (b"abort\n", b"throw\n", b"y" * 300):
            client = say(server)
            client.send(line)
            check(f"the end of {line[:9]}", client.read_to_end(), b"")
            client.close()
        say(server, b"last").reset()
        say(server, b"last").close()
        server.wait_for("connections_closed", 7)
    server.wait_until_empty()


def use_up_everything(server):
    """Nobody reads, and everybody sends; more connect than there is room for."""
    greedy = []
    for _ in range(CONNECTIONS):
        client = server.connect(4096)
        client.send_what_fits(b"echo\n")
        greedy.append(client)
    for _ in range(20):
        for client in greedy:
            client.send_what_fits(FLOOD)
        time.sleep(0.01)
    waiting = [server.connect() for _ in range(8)]
    time.sleep(0.5)
    for client in greedy + waiting:
        client.close()
    server.wait_until_empty()
    talk(server)


def judge(server):
    server.judge()
    thrown = server.last_counters["handler_exceptions"]
    check("exceptions", thrown, lambda n: n > 0)
    check("stale completions", server.last_counters["stale_completions"], 0)


def test():
    with CountedServer("wait", "patient", "tcp") as server:
        for name, act in (("lines", talk), ("echoes", echo), ("ends", end_in_every_way),
                          ("memory that runs out", use_up_everything)):
            server.phase(name)
            act(server)
            server.wait_until_empty()
        kept = [say(server, b"here") for _ in range(4)]
        server.drain()
        for client in kept:
            check("the end", client.read_to_end(), b"the server stops\n")
            client.close()
    judge(server)
    with CountedServer("shed", "hasty", "tcp") as server:
        server.phase("times that pass")
        silent = [server.connect() for _ in range(CONNECTIONS + 20)]
        silent[0].read_until(b"on again\n")
        for client in silent:
            client.close()
        server.wait_until_empty()
        server.phase("memory that runs out")
        use_up_everything(server)
        server.drain()
    server.judge()
    for name in ("connections_shed", "timeouts_idle"):
        check(f"{name} happened", server.last_counters[name], lambda n: n > 0)


main(test)
