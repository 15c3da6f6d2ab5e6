"""One tool in a process of its own: `python -m bench._icmp.tools ours|icmplib TARGETS ROUNDS`; prints round trips and CPU time as JSON."""

from __future__ import annotations

import asyncio
import json
import resource
import sys
from typing import Final

from probes.icmp.ping import Pinger
from probes.workers import Workers
from telemetry.clock import SystemClock

OFFICE: Final = "bench"


def addresses(count: int) -> list[str]:
    """So many addresses of the loopback interface, none of them twice."""
    return [f"127.0.{1 + n // 250}.{1 + n % 250}" for n in range(count)]


def ours(targets: list[str], rounds: int) -> list[float]:
    """Round trips of our engine, ms: every target about once a second."""
    return asyncio.run(_ours(targets, rounds))


async def _ours(targets: list[str], rounds: int) -> list[float]:
    with Workers() as workers:
        pinger = Pinger(SystemClock(), workers)
        pinger.set_targets(OFFICE, {address: address for address in targets})
        running = asyncio.create_task(pinger.run())
        await asyncio.sleep(rounds)
        running.cancel()
        if pinger.refused:
            raise SystemExit(pinger.refused)
        windows = pinger._tallies[OFFICE]._windows.values()  # noqa: SLF001 - the figures before they are summed up
        return [ns / 1e6 for window in windows for tally in window.values() for ns in tally.round_trips_ns]


def icmplib(targets: list[str], rounds: int) -> list[float]:
    """Round trips of icmplib's `multiping`, ms."""
    from icmplib import multiping  # type: ignore[import-not-found]  # noqa: PLC0415 - only where it is installed

    hosts = multiping(targets, count=rounds, interval=1, timeout=2, concurrent_tasks=len(targets))
    return [rtt for host in hosts for rtt in host.rtts]


def main() -> None:
    """Run one tool."""
    tool, count, rounds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    before = _cpu_s()
    round_trips = {"ours": ours, "icmplib": icmplib}[tool](addresses(count), rounds)
    print(json.dumps({"round_trips_ms": round_trips, "cpu_s": _cpu_s() - before}))


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
