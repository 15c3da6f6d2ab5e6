"""Reports per second through mosquitto to committed rows, and how long one takes when there is no rush.

The named alternative, on the same broker with the same reports in the same run: a plain paho client in its own
loop that acknowledges what it receives and neither checks nor stores it.
"""

from __future__ import annotations

import asyncio
import contextlib
import resource
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import psutil
from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion

from bench._intake_publisher import reports
from collector.broker import bring
from collector.service import Collector
from config.live import LiveConfig
from config.settings import Broker
from telemetry.codec import encode
from telemetry.state.db import StateDb
from telemetry.store.sqlite import SqliteStore

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from collector.broker import BrokerAddress
    from telemetry.store.protocol import Fate, Received

BURST: Final = 10_000
CALM_RATE: Final = 20.0
CALM: Final = 160
FLEET_PER_S: Final = 56 / 15


class Timed(SqliteStore):
    """Notes when each report was durable."""

    lags_ms: list[float]
    rows: int

    def append(self, batch: Sequence[Received]) -> list[Fate]:
        """Append, then look at the clock."""
        fates = super().append(batch)
        now_ns = time.time_ns()
        self.lags_ms += [(now_ns - report.envelope.mono_ns) / 1e6 for report in batch]
        self.rows += len(batch)
        return fates


def run(progress: Callable[[str], None]) -> dict[str, object]:
    """Figures by name."""
    return asyncio.run(_run(progress))


async def _run(progress: Callable[[str], None]) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        async with bring(Broker(bring="mosquitto"), data) as broker:
            progress(f"plain paho, acknowledging on receipt: {BURST} reports")
            plain = await _plain(broker)
            store = Timed(data / "reports.db")
            store.lags_ms, store.rows = [], 0
            state = StateDb(data / "state.db")
            collector = Collector(LiveConfig(), store, state, broker)
            task = asyncio.create_task(collector.run())
            progress(f"collector: {BURST} reports to committed rows")
            burst = await _burst(collector, store, broker)
            progress(f"collector: {CALM} reports at {CALM_RATE:g}/s")
            calm = await _calm(store, broker)
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            store.close()
            state.close()
    size = sum(len(encode(report)) for report in reports(56, "0" * 16)) / 56
    return {
        "report bytes (two streams with histograms)": size,
        **burst,
        "alternative: plain paho, no check, no commit, reports/s": plain,
        "collector / plain paho": float(burst["collector reports/s"]) / plain,  # type: ignore[arg-type]
        "a fleet of 56 needs, reports/s": FLEET_PER_S,
        **calm,
    }


async def _burst(collector: Collector, store: Timed, broker: BrokerAddress) -> dict[str, object]:
    await _until(lambda: collector.bridge.connected)
    before = resource.getrusage(resource.RUSAGE_SELF)
    publisher = await _publisher(broker, BURST, 0)
    await _until(lambda: store.rows)
    began = time.perf_counter()
    await _until(lambda: store.rows >= BURST)
    took_s = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_SELF)
    await publisher.wait()
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {
        "collector reports/s": BURST / took_s,
        "collector CPU us/report": 1e6 * cpu_s / BURST,
        "commits": collector.counters.commits,
        "longest commit ms": max(collector.counters.commit_ms),
        "queue at most, reports": collector.detail()["queue_high_messages"],
        "pauses of reading": collector.bridge.pauses,
        "memory of the process, MB": psutil.Process().memory_info().rss / 1e6,
    }


async def _calm(store: Timed, broker: BrokerAddress) -> dict[str, object]:
    store.lags_ms, store.rows = [], 0
    publisher = await _publisher(broker, CALM, CALM_RATE)
    await _until(lambda: store.rows >= CALM)
    await publisher.wait()
    p50, p99 = np.percentile(store.lags_ms, [50, 99]).tolist()
    return {
        f"sent to durable at {CALM_RATE:g}/s, p50 ms": p50,
        f"sent to durable at {CALM_RATE:g}/s, p99 ms": p99,
    }


async def _plain(broker: BrokerAddress) -> float:
    """Reports per second that paho alone receives and acknowledges."""
    times: list[float] = []
    client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTv5)
    subscribed = threading.Event()
    client.on_message = lambda *_: times.append(time.perf_counter())
    client.on_subscribe = lambda *_: subscribed.set()
    client.connect(broker.host, broker.port)
    client.subscribe("tatpar/1/+/+/report", 1)
    client.loop_start()
    await asyncio.to_thread(subscribed.wait, 5)
    publisher = await _publisher(broker, BURST, 0)
    await _until(lambda: len(times) >= BURST)
    await publisher.wait()
    client.disconnect()
    client.loop_stop()
    return BURST / (times[-1] - times[0])


async def _until(met: Callable[[], object]) -> None:
    while not met():  # noqa: ASYNC110 - what is waited for happens in other threads
        await asyncio.sleep(0.002)


async def _publisher(broker: BrokerAddress, count: int, rate: float) -> asyncio.subprocess.Process:
    arguments: list[Any] = [broker.port, count, rate]
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench._intake_publisher", *map(str, arguments), cwd=Path(__file__).parents[1]
    )
