"""Emulated probes at the MQTT level, more and more of them: how many this machine carries, and what stops it.

Each probe sends one true report (two streams with histograms) every 15 s, at its own moment; mosquitto, `collect` and the
store are the real ones, each a process of its own. A step is *carried* when every report that was sent is committed, the slowest hundredth within
15 s of its sending, and the sending kept its own time. The first step that is not carried ends the ladder, and the process that had no more
to give is named. After each carried step a real `watch` starts over the store and gives each of them a verdict for everybody's meeting, in half an hour.
Beside it: connections of their own at the broker, idle, with a will each, as probes have them: memory and CPU of each.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from bench._fleet.connections import idle_connections
from bench._fleet.offices import write_deployment
from bench._fleet.usage import Usage, broker_pid
from bench._fleet.watching import watched
from bench.intake import Helper
from collector.broker import bring
from config.settings import Broker

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Callable, Sequence

LADDER: Final = (1000, 5000, 10_000, 20_000, 35_000, 50_000, 75_000, 100_000)
QUICK: Final = (1000, 5000)
ROUNDS: Final = 4
REPORT_S: Final = 15.0
PATIENCE_S: Final = 45.0
CONNECTIONS: Final = 10_000
WATCH_LIMIT_S: Final = 300.0


def arguments(parser: ArgumentParser) -> None:
    """What this benchmark may be told."""
    parser.add_argument("--quick", action="store_true", help=f"{QUICK} probes and 1,000 connections")
    parser.add_argument("--probes", type=int, nargs="+", help=f"the ladder (default: {LADDER})")
    parser.add_argument("--collectors", type=int, default=1, help="that share the load (default: 1)")
    parser.add_argument("--store", default="sqlite", help="[store] kind (default: sqlite)")
    parser.add_argument("--no-watch", action="store_true", help="leave out the verdict for each office")
    parser.add_argument("--watch-limit", type=float, default=WATCH_LIMIT_S, metavar="S", help="of one watch")
    parser.add_argument("--store-url", default="", help="[store] url of a server-side store")


def run(progress: Callable[[str], None], options: Namespace) -> dict[str, object]:
    """Figures by name; a carried step's begin with its number of probes."""
    figures: dict[str, object] = {"cores": os.cpu_count(), "load average before": os.getloadavg()[0]}
    for probes in options.probes or (QUICK if options.quick else LADDER):
        progress(f"{probes} probes: {ROUNDS} reports each, {REPORT_S:g} s apart")
        step = asyncio.run(_step(probes, options, progress))
        figures |= {f"{probes}: {name}": value for name, value in step.items()}
        if not step["carried"]:
            break
    wanted = 1000 if options.quick else CONNECTIONS
    progress(f"{wanted} idle connections")
    figures |= asyncio.run(idle_connections(wanted))
    figures["load average after"] = os.getloadavg()[0]
    return figures


@dataclass(frozen=True, slots=True)
class _Parts:
    """The processes of one step."""

    gateway: Helper
    collectors: Sequence[Helper]
    usage: Usage


async def _step(probes: int, options: Namespace, progress: Callable[[str], None]) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        settings = write_deployment(folder, probes)
        _choose_store(settings, options)
        async with bring(Broker(bring="mosquitto"), folder) as broker:
            kind = "shared" if options.collectors > 1 else "alone"
            collectors = [
                await Helper.start("bench._intake_collector", folder, broker.port, kind)
                for _ in range(options.collectors)
            ]
            gateway = await Helper.start("bench._fleet.gateway", broker.port, 0, probes, ROUNDS)
            usage = Usage(
                {
                    "generator": [gateway.pid],
                    "broker": [broker_pid(folder)],
                    "collectors": [one.pid for one in collectors],
                }
            )
            try:
                for helper in (*collectors, gateway):
                    await helper.hear()
                found = await _sent_and_stored(probes, _Parts(gateway, collectors, usage))
            finally:
                for helper in (gateway, *collectors):
                    await helper.end()
        if found["carried"] and not options.no_watch:
            progress(f"{probes} probes: a verdict for each, for everybody's meeting")
            found |= await asyncio.to_thread(watched, settings, folder, probes, options.watch_limit)
            progress(
                f"{probes} probes: {found['watch: verdicts']} verdicts after {found['watch: s to the last']:.1f} s,"
                f" {found['watch: CPU s']:.1f} s of CPU, {found['watch: MB at most']:.0f} MB at most"
            )
        return found


def _choose_store(settings: Path, options: Namespace) -> None:
    if options.store != "sqlite":
        url = f'url = "{options.store_url}"\n' if options.store_url else ""
        settings.write_text(f'[store]\nkind = "{options.store}"\n{url}', encoding="utf-8")


async def _sent_and_stored(probes: int, parts: _Parts) -> dict[str, object]:
    """Let the probes send, and wait for the store."""
    for one in parts.collectors:
        await one.ask("reset")
    parts.usage.begin()
    began = time.monotonic()
    sending = asyncio.create_task(parts.gateway.ask("go"))
    limit_s = ROUNDS * REPORT_S + PATIENCE_S
    rows = 0
    while rows < probes * ROUNDS and time.monotonic() - began < limit_s:
        await asyncio.sleep(0.5)
        parts.usage.look()
        rows = sum([json.loads(await one.ask("rows"))["rows"] for one in parts.collectors])
    took_s = time.monotonic() - began
    figures = [json.loads(await one.ask("figures")) for one in parts.collectors]
    sent: dict[str, Any] = {"late_s": [float("inf")]}
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(REPORT_S):
            sent = json.loads(await sending)
    return _judged(probes, rows, took_s, figures, sent) | parts.usage.shares()


def _judged(
    probes: int, rows: int, took_s: float, figures: Sequence[dict[str, Any]], sent: dict[str, Any]
) -> dict[str, object]:
    lags_s = np.concatenate([np.array(one["lags_ms"]) for one in figures]) / 1e3
    p50, p99 = (float(np.percentile(lags_s, at)) if len(lags_s) else float("nan") for at in (50, 99))
    behind_s = max(sent["late_s"])
    carried = rows >= probes * ROUNDS and p99 < REPORT_S and behind_s < 1.0
    return {
        "carried": carried,
        "reports/s wanted": probes / REPORT_S,
        "reports/s committed": rows / took_s,
        "reports sent and not committed": max(0, probes * ROUNDS - rows),
        "sending to durable, p50 s": p50,
        "sending to durable, p99 s": p99,
        "generator behind its time, s": behind_s,
    }
