"""A million reports wait in the broker while the collector is away: how fast it takes them in, and in how much memory.

Real mosquitto without limits of its own (`max_queued_messages 0`), a collector alone with its session, lean reports. At the
end every report is accounted for exactly once, or the benchmark fails. The named alternative is the memory that
holding them all would take.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psutil

from bench._backlog_publisher import SITES, packets
from bench.intake import Helper
from collector.broker.knock import Answered, knock
from collector.broker.mosquitto import find
from collector.broker.ports import free_port
from config.live import LiveConfig
from telemetry.store.sqlite import SqliteReader

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Callable, Iterator

REPORTS: Final = 1_000_000


def arguments(parser: ArgumentParser) -> None:
    """What this benchmark may be told."""
    parser.add_argument("--reports", type=int, default=REPORTS, help=f"that wait (default: {REPORTS})")


def run(progress: Callable[[str], None], told: Namespace) -> dict[str, object]:
    """Figures by name."""
    return asyncio.run(_run(progress, told.reports))


async def _run(progress: Callable[[str], None], count: int) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as folder:
        data, port = Path(folder), free_port("127.0.0.1")
        with _mosquitto(data, port) as broker:
            while not isinstance(await knock("127.0.0.1", port), Answered):  # noqa: ASYNC110 - it is asked
                await asyncio.sleep(0.05)
            collector = await _collector(data, port)
            await collector.end()  # its session stays
            progress(f"{count} reports to the broker, while the collector is away")
            publisher = await Helper.start("bench._backlog_publisher", port, count)
            await publisher.hear()
            await publisher.end()
            broker_mb = broker.memory_info().rss / 1e6
            collector = await _collector(data, port)
            began, drained = time.perf_counter(), 0
            while drained < count:
                await asyncio.sleep(2.0)
                drained = json.loads(await collector.ask("rows"))["rows"]
                progress(f"{drained} committed")
            took_s = time.perf_counter() - began
            found = json.loads(await collector.ask("figures"))
            await collector.end()
        once = _stored_once(data, count)
    size = sum(map(len, packets(SITES))) / SITES
    settings = LiveConfig().current.settings.collector
    if not once or found["rows"] != count + found["duplicates"]:
        raise RuntimeError(f"not exactly once: {found['rows']} taken, {found['duplicates']} doubled")
    return {
        "reports that waited": count,
        "bytes of a packet": size,
        "stored exactly once": once,
        "duplicates delivered again": found["duplicates"],
        "reports/s": count / took_s,
        "memory of the collector at most, MB": found["rss_max_mb"],
        "its bound by the settings, MB": 100 + 2 * settings.queue_bytes / 1e6,
        "queue at most, reports": found["queue_high_messages"],
        "pauses of reading": found["pauses"],
        "refused for now": found["deferred"],
        "memory of mosquitto that held them, MB": broker_mb,
        "alternative: holding them all, MB": count * size / 1e6,
        "load average": os.getloadavg()[0],
    }


async def _collector(data: Path, port: int) -> Helper:
    helper = await Helper.start("bench._intake_collector", data, port, "alone")
    await helper.hear()
    return helper


def _stored_once(data: Path, count: int) -> bool:
    """Whether every office's reports are accounted for without a hole."""
    reader = SqliteReader(data / "reports.db")
    try:
        offices = [site.id for site in LiveConfig().current.registry.linked()]
        seen = [len(seqs) for office in offices for seqs in reader.received(office, "p1").values()]
        return sum(seen) == count
    finally:
        reader.close()


@contextlib.contextmanager
def _mosquitto(data: Path, port: int) -> Iterator[psutil.Process]:
    program = find()
    if program is None:
        raise RuntimeError("mosquitto is not on this machine")
    lines = ["max_queued_messages 0", "max_queued_bytes 0", "max_inflight_messages 10000", "log_type error"]
    conf = data / "mosquitto.conf"
    conf.write_text("\n".join([*lines, f"listener {port} 127.0.0.1", "allow_anonymous true"]) + "\n")
    process = subprocess.Popen([program, "-c", str(conf)])
    try:
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait()
