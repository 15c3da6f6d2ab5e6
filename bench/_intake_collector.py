"""A collector in a process of its own, as `tatpar collect` runs it, that can be asked for its figures.

`python -m bench._intake_collector DATA PORT alone|shared [stages]`: says `ready` when it is connected, then answers
`rows`, `waiting`, `reset` and `figures` on its input; ends with the input.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import resource
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, cast

import psutil

from bench._intake_stages import Stages
from collector.broker import BrokerAddress
from collector.mqtt import Membership
from collector.service import Collector
from config.live import LiveConfig
from telemetry.state.db import StateDb
from telemetry.store.open import open_writer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from telemetry.store.protocol import Fate, Received, ReportStore


_LAGS = 500_000


class Timed:
    """A store in front of the real one that notes when each report was durable."""

    def __init__(self, inner: ReportStore) -> None:
        self._inner = inner
        self.reset()

    def reset(self) -> None:
        """Forget what was noted."""
        self.lags_ms: list[float] = []
        self.rows = 0
        self.last_ns = 0

    def append(self, batch: Sequence[Received]) -> list[Fate]:
        """Append, then look at the clock."""
        fates: list[Fate] = self._inner.append(batch)
        self.last_ns = now_ns = time.time_ns()
        if len(self.lags_ms) < _LAGS:
            self.lags_ms += [(now_ns - report.envelope.mono_ns) / 1e6 for report in batch]
        self.rows += len(batch)
        return fates

    def __getattr__(self, name: str) -> object:
        return getattr(self._inner, name)


async def main(data: Path, port: int, membership: str, *, stages: bool) -> None:
    """Collect until the input ends."""
    watched = Stages()
    if stages:
        watched.watch()
    live = LiveConfig(data / "tatpar.toml") if (data / "tatpar.toml").exists() else LiveConfig()
    inner = open_writer(live.current.settings.store, data)
    store = Timed(inner)
    state = StateDb(data / "state.db")
    member = Membership.member() if membership == "shared" else None
    collector = Collector(
        live, cast("ReportStore", store), state, BrokerAddress("127.0.0.1", port), membership=member
    )
    task = asyncio.create_task(collector.run())
    while not collector.bridge.connected:  # noqa: ASYNC110 - the collector says it in a counter
        await asyncio.sleep(0.01)
    print("ready", flush=True)
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    began_s = _cpu_s()
    while line := (await reader.readline()).decode().strip():
        if line == "rows":
            print(json.dumps({"rows": store.rows, "last_ns": store.last_ns}), flush=True)
        elif line == "waiting":
            print(_waiting(inner), flush=True)
        elif line == "reset":
            store.reset()
            watched.spent_ns.clear()
            began_s = _cpu_s()
            print("done", flush=True)
        else:
            figures = _figures(collector, store, _cpu_s() - began_s)
            if stages:
                figures["stages"] = watched.table(max(store.rows, 1), _cpu_s() - began_s)
            print(json.dumps(figures), flush=True)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    inner.close()
    state.close()


def _waiting(store: ReportStore) -> int:
    """Reports that are durable here and that the database server has not taken yet."""
    shipping: Mapping[str, object] = getattr(store, "shipping", {})
    return int(str(shipping.get("journal_backlog_reports", 0)))


def _figures(collector: Collector, store: Timed, cpu_s: float) -> dict[str, object]:
    return {
        "rows": store.rows,
        "last_ns": store.last_ns,
        "cpu_s": cpu_s,
        "rss_mb": psutil.Process().memory_info().rss / 1e6,
        "rss_max_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3,
        "commits": collector.counters.commits,
        "commit_ms": list(collector.counters.commit_ms),
        "queue_high_messages": collector.detail()["queue_high_messages"],
        "pauses": collector.bridge.pauses,
        "duplicates": collector.counters.duplicates,
        "deferred": collector.detail()["deferred"],
        "lags_ms": [round(lag, 2) for lag in store.lags_ms],
    }


def _cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3], stages="stages" in sys.argv[4:]))
