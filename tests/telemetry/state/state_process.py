"""Run as a program: races for a lease with others, and writes while it holds it.

Usage: python state_process.py FILE NAME ROUNDS
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from telemetry.alerting import Post
from telemetry.state.db import StateDb


def letter(key: str, body: str) -> Post:
    return Post(key=key, person="", channel="mail", recipient="someone", subject="s", body=body, due_ns=1)


def main(file: str, name: str, rounds: str) -> None:
    state = StateDb(Path(file))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()  # so that all begin together
    refused = 0
    for turn in range(int(rounds)):
        while not state.acquire_lease("collector", name, time.time_ns(), 60_000_000_000):
            refused += 1
            time.sleep(0.001)
        # Only the holder may count: a second holder at the same time would lose one of the increments.
        count = int(str(state.beats()["count"].detail["n"])) if "count" in state.beats() else 0
        time.sleep(0.005)  # the file is free now, the lease is not: the other one tries
        state.beat("count", time.time_ns(), {"n": count + 1})
        state.post([letter(f"{name}-{turn}", "b")], 1)
        state.release_lease("collector", name)
        state.post([letter(f"shared-{turn}", name)], 1)
    sys.stdout.write(f"{refused}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
