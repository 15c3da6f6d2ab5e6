"""Reports per second through mosquitto to committed rows, how long one takes when there is no rush, and where the time goes.

Everything runs on this machine: load generator, broker, one collector or three that share a subscription, each a process
of its own. The named alternative, on the same broker with the same reports in the same run: a plain paho client in
its own loop that acknowledges what it receives and neither checks nor stores it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
import tempfile
import threading
import time
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import psutil
from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion

from bench._intake_publisher import reports
from collector.broker import bring
from config.settings import Broker
from telemetry.codec import encode

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import AsyncIterator, Callable, Sequence

    from collector.broker import BrokerAddress

BURST: Final = 30_000
PLAIN: Final = 10_000
CALM_RATE: Final = 1000.0
CALM_S: Final = 6.0
STAGED: Final = 10_000
FLEET_PER_S: Final = 56 / 15
HOUSE: Final = Path(__file__).parents[1]


def arguments(parser: ArgumentParser) -> None:
    """What this benchmark may be told."""
    parser.add_argument("--store", default="sqlite", help="[store] kind (default: sqlite)")
    parser.add_argument("--store-url", default="", help="[store] url of a server-side store")
    parser.add_argument("--reports", type=int, default=BURST, help=f"of the rush (default: {BURST})")


def run(progress: Callable[[str], None], told: Namespace | None = None) -> dict[str, object]:
    """Figures by name."""
    return asyncio.run(_run(progress, told))


async def _run(progress: Callable[[str], None], told: Namespace | None) -> dict[str, object]:
    burst = BURST if told is None else told.reports
    size = sum(len(encode(report)) for report in reports(56, "0" * 16)) / 56
    figures: dict[str, object] = {
        "load average before": os.getloadavg()[0],
        "cores": os.cpu_count(),
        "report bytes (two streams with histograms)": size,
        "a fleet of 56 needs, reports/s": FLEET_PER_S,
    }
    rates: dict[int, float] = {}
    for members in (1, 3):
        async with _scene(told, members, burst + int(CALM_S * CALM_RATE)) as scene:
            progress(f"{members} collector(s): {burst} reports to committed rows")
            rushed = await scene.rush(burst)
            rates[members] = float(rushed["reports/s"])  # type: ignore[arg-type]
            progress(f"{members} collector(s): {CALM_RATE:g}/s for {CALM_S:g} s")
            calm = await scene.calm(burst, CALM_RATE)
        figures |= {f"{members} collector(s): {name}": value for name, value in (rushed | calm).items()}
    half = rates[1] / 2
    async with _scene(told, 1, int(half * CALM_S)) as scene:
        progress(f"1 collector: half load, {half:.0f}/s for {CALM_S:g} s")
        figures |= {f"1 collector(s): {name}": value for name, value in (await scene.calm(0, half)).items()}
    async with _scene(told, 1, STAGED, "stages") as scene:
        progress(f"1 collector: {STAGED} reports by stage")
        figures |= await scene.stages(STAGED)
    progress(f"plain paho, acknowledging on receipt: {PLAIN} reports")
    plain = await _plain()
    figures["alternative: plain paho, no check, no commit, reports/s"] = plain
    figures["1 collector / plain paho"] = rates[1] / plain
    figures["load average after"] = os.getloadavg()[0]
    return figures


class Helper:
    """A process that is told lines and answers them."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.pid = process.pid

    @classmethod
    async def start(cls, module: str, *told: object) -> Helper:
        """Start a module of the benchmarks."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            module,
            *map(str, told),
            cwd=HOUSE,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=1 << 26,
        )
        return cls(process)

    async def say(self, line: str) -> None:
        """Tell it a line."""
        assert self._process.stdin is not None
        self._process.stdin.write(line.encode() + b"\n")
        await self._process.stdin.drain()

    async def hear(self) -> str:
        """Its next line."""
        assert self._process.stdout is not None
        line = (await self._process.stdout.readline()).decode().strip()
        if not line:
            raise RuntimeError(f"a process of the benchmark ended with {await self._process.wait()}")
        return line

    async def ask(self, line: str) -> str:
        """Its answer to a line."""
        await self.say(line)
        return await self.hear()

    async def end(self) -> None:
        """End its input and wait for it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            async with asyncio.timeout(20):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()

    @property
    def cpu_s(self) -> float:
        """CPU seconds that it has used."""
        return _cpu_s(self.pid)


@asynccontextmanager
async def _scene(told: Namespace | None, members: int, count: int, *more: str) -> AsyncIterator[_Scene]:
    """A broker, its collectors and a publisher that has everything prepared."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        _settings(data, told)
        async with bring(Broker(bring="mosquitto"), data) as broker:
            publisher = await Helper.start("bench._intake_publisher", broker.port, count)
            kind = "shared" if members > 1 else "alone"
            collectors = [
                await Helper.start("bench._intake_collector", data, broker.port, kind, *more)
                for _ in range(members)
            ]
            try:
                for helper in (*collectors, publisher):
                    await helper.hear()
                yield _Scene(publisher, collectors, _broker_pid(data))
            finally:
                for helper in (publisher, *collectors):
                    await helper.end()


def _settings(data: Path, told: Namespace | None) -> None:
    if told is not None and told.store != "sqlite":
        lines = [
            "[store]",
            f'kind = "{told.store}"',
            *([f'url = "{told.store_url}"'] if told.store_url else []),
        ]
        (data / "tatpar.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")


class _Scene:
    """What can be measured with a broker, collectors and a publisher."""

    def __init__(self, publisher: Helper, collectors: Sequence[Helper], broker_pid: int) -> None:
        self._publisher = publisher
        self._collectors = collectors
        self._broker_pid = broker_pid

    async def rush(self, count: int) -> dict[str, object]:
        """As fast as it goes."""
        for one in self._collectors:
            await one.ask("reset")
        broker_s, publisher_s = _cpu_s(self._broker_pid), self._publisher.cpu_s
        began_ns = time.time_ns()
        await self._publisher.say(f"0 {count} 0")
        found = await self._all(count)
        await self._publisher.hear()
        took_s = (max(one["last_ns"] for one in found) - began_ns) / 1e9
        collectors_s = sum(one["cpu_s"] for one in found)
        broker_s, publisher_s = _cpu_s(self._broker_pid) - broker_s, self._publisher.cpu_s - publisher_s
        each = 1e6 / count
        return {
            "reports/s": count / took_s,
            "reports/s per core": count / took_s / (os.cpu_count() or 1),
            "CPU us/report, collectors": collectors_s * each,
            "CPU us/report, broker": broker_s * each,
            "CPU us/report, load generator": publisher_s * each,
            "commits": sum(one["commits"] for one in found),
            "longest commit ms": max(max(one["commit_ms"]) for one in found),
            "queue at most, reports": max(one["queue_high_messages"] for one in found),
            "pauses of reading": sum(one["pauses"] for one in found),
            "stored twice or refused": sum(one["duplicates"] + one["deferred"] for one in found),
            "memory of each at most, MB": max(one["rss_max_mb"] for one in found),
        }

    async def calm(self, first: int, rate: float) -> dict[str, object]:
        """At a rate: how long from the sending of a report until it is durable."""
        count = int(rate * CALM_S)
        for one in self._collectors:
            await one.ask("reset")
        await self._publisher.ask(f"{first} {first + count} {rate}")
        found = await self._all(count)
        lags = np.concatenate([np.array(one["lags_ms"]) for one in found])
        p50, p99 = np.percentile(lags, [50, 99]).tolist()
        return {f"lag at {rate:.0f}/s, p50 ms": p50, f"lag at {rate:.0f}/s, p99 ms": p99}

    async def stages(self, count: int) -> dict[str, object]:
        """CPU time by stage."""
        await self._collectors[0].ask("reset")
        await self._publisher.say(f"0 {count} 0")
        [found] = await self._all(count)
        await self._publisher.hear()
        return {
            f"stage: {stage}": f"{part['us']:.1f} us/report, {part['pct']:.0f} %"
            for stage, part in found["stages"].items()
        }

    async def _all(self, count: int) -> list[dict[str, Any]]:
        """Wait until all are committed; the figures of every collector."""
        while True:
            rows = [json.loads(await one.ask("rows"))["rows"] for one in self._collectors]
            if sum(rows) >= count:
                break
            await asyncio.sleep(0.05)
        return [json.loads(await one.ask("figures")) for one in self._collectors]


async def _plain() -> float:
    """Reports per second that paho alone receives and acknowledges."""
    with tempfile.TemporaryDirectory() as folder:
        async with bring(Broker(bring="mosquitto"), Path(folder)) as broker:
            return await _plain_at(broker)


async def _plain_at(broker: BrokerAddress) -> float:
    times: list[float] = []
    client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTv5)
    subscribed = threading.Event()
    client.on_message = lambda *_: times.append(time.perf_counter())
    client.on_subscribe = lambda *_: subscribed.set()
    client.connect(broker.host, broker.port)
    client.subscribe("tatpar/1/+/+/report", 1)
    client.loop_start()
    await asyncio.to_thread(subscribed.wait, 5)
    publisher = await Helper.start("bench._intake_publisher", broker.port, PLAIN)
    await publisher.hear()
    await publisher.ask(f"0 {PLAIN} 0")
    while len(times) < PLAIN:  # noqa: ASYNC110 - what is waited for happens in paho's thread
        await asyncio.sleep(0.01)
    await publisher.end()
    client.disconnect()
    client.loop_stop()
    return PLAIN / (times[-1] - times[0])


def _broker_pid(data: Path) -> int:
    """The process id of the broker itself, not of what holds its leash."""
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if process.name() == "mosquitto" and str(data) in " ".join(process.cmdline()):
                return process.pid
    raise RuntimeError("there is no mosquitto among our processes")


def _cpu_s(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)
