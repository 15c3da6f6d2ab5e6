"""Sessions per core: N sessions of 50 packets/s at our reflector and at irtt's server in turn, and what it costs their senders.

The figure that counts is CPU time over a span in which all sessions run, per session; a core is full at 1. Both are loaded by
their own senders (irtt's protocol is its own): ours is one process for all sessions, irtt's client is one for each. Loopback,
172 octets, three rounds in turn, medians.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import socket
import statistics
import subprocess
import time
from typing import TYPE_CHECKING, Final

from bench._sessions import cpu_s, order, read
from probes.measuring.measuring_child import MeasuringChild
from probes.measuring.measuring_messages import encode_orders
from probes.reflecting.reflector_process import ReflectorProcess
from probes.stamp.stamp_tlv import DEFAULT_PAYLOAD

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

RATE_PPS: Final = 50
SESSIONS: Final = 40
SECONDS: Final = 8.0
ROUNDS: Final = 3
_WARM_UP_S: Final = 2.0


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--sessions", type=int, default=SESSIONS, metavar="N", help="at once (40)")
    parser.add_argument("--rounds", type=int, default=ROUNDS, metavar="N", help="of both in turn (3)")


def run(progress: Callable[[str], None], options: argparse.Namespace) -> dict[str, object]:
    """Cores used by server and senders, and how many sessions would fill one."""
    figures: dict[str, object] = {
        "sessions": options.sessions,
        "rate_pps": RATE_PPS,
        "payload_octets": DEFAULT_PAYLOAD,
        "load_average": os.getloadavg()[0],
    }
    if shutil.which("irtt") is None:
        return figures | {"missing": "apt-get install irtt"}
    seen: dict[str, list[tuple[float, float]]] = {"ours": [], "irtt": []}
    for number in range(options.rounds):
        for name, measure in (("ours", _ours), ("irtt", _irtt)):
            progress(f"round {number + 1} of {options.rounds}: {options.sessions} sessions of {name}")
            seen[name].append(measure(options.sessions))
    for name, rounds in seen.items():
        for part, cores in zip(
            ("server", "senders"), map(statistics.median, zip(*rounds, strict=True)), strict=True
        ):
            figures[f"{name}_{part}_cores"] = cores
            figures[f"{name}_{part}_sessions_per_core"] = options.sessions / cores
    return figures | {
        f"{part}_ratio_to_irtt": statistics.median(
            irtt[i] / ours[i] for ours, irtt in zip(seen["ours"], seen["irtt"], strict=True)
        )
        for i, part in enumerate(("server", "senders"))
    }


def _ours(sessions: int) -> tuple[float, float]:
    """Cores that our reflector and our measuring process use."""
    return asyncio.run(_measure(sessions))


async def _measure(sessions: int) -> tuple[float, float]:
    with ReflectorProcess([("127.0.0.1", 0)]) as reflector:
        child = await MeasuringChild.start()
        try:
            orders = [order(i, reflector.addresses[0], RATE_PPS) for i in range(sessions)]
            await child.send(encode_orders(list(orders)))
            await read(child, _WARM_UP_S)
            pids = (reflector.process_id, child.process_id)
            before, begun = [cpu_s(pid) for pid in pids], time.perf_counter()
            sent = await read(child, SECONDS)
            span = time.perf_counter() - begun
            if not len(sent):
                raise RuntimeError("our measuring process sent nothing")
            server, senders = ((cpu_s(pid) - was) / span for pid, was in zip(pids, before, strict=True))
            return server, senders
        finally:
            await child.end()


def _irtt(sessions: int) -> tuple[float, float]:
    """Cores that irtt's server and its clients use."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        at = f"127.0.0.1:{free.getsockname()[1]}"
    with contextlib.ExitStack() as held:
        server = _begun(held, ["irtt", "server", "-i", "0", "-b", at])
        time.sleep(0.5)
        seconds = f"{SECONDS + 3 * _WARM_UP_S:.0f}s"
        words = [
            "irtt",
            "client",
            "-q",
            "-i",
            f"{1000 // RATE_PPS}ms",
            "-d",
            seconds,
            "-l",
            str(DEFAULT_PAYLOAD),
            at,
        ]
        clients = [_begun(held, words) for _ in range(sessions)]
        time.sleep(_WARM_UP_S)
        before, begun = (cpu_s(server.pid), sum(cpu_s(one.pid) for one in clients)), time.perf_counter()
        time.sleep(SECONDS)
        span = time.perf_counter() - begun
        if any(one.poll() is not None for one in (server, *clients)):
            raise RuntimeError("an irtt ended before its time")
        after = cpu_s(server.pid), sum(cpu_s(one.pid) for one in clients)
        return (after[0] - before[0]) / span, (after[1] - before[1]) / span


def _begun(held: contextlib.ExitStack, words: list[str]) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def end() -> None:
        process.kill()
        process.wait()

    held.callback(end)
    return process
