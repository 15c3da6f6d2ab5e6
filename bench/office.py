"""The office machine: memory, CPU and start-up of the real `tatpar probe` at 50 packets/s, and thirty days of spool.

The agent and its measuring process run against our reflector and a real mosquitto; a plan asks for 50 packets/s, as
during a meeting. Memory and CPU are those of steady state, after the first minute. The target is held against the plain
sum of both processes' resident memory, in which shared pages count twice. The alternative beside it is a bare
interpreter that imports what any MQTT probe in Python needs (paho, numpy): what no saving of ours could go below.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psutil

from bench._office.hub import SITE, Hub, broker
from bench._office.month import DAYS, fill
from bench._office.tree import Memory, cpu_s, memory, peak_mb
from probes.reflecting.reflector_process import ReflectorProcess
from telemetry.codec import decode
from telemetry.messages import Stream

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Callable

    from bench._office.hub import Doors

RATE_PPS: Final = 50.0
WARM_UP_S: Final = 75.0
SECONDS: Final = 180.0
MEMORY_TARGET_MB: Final = 60.0
CPU_TARGET_RATIO: Final = 0.02
_BARE: Final = "import sys, numpy, paho.mqtt.client; print('in', flush=True); sys.stdin.read()"


def arguments(parser: ArgumentParser) -> None:
    """What this benchmark may be told."""
    parser.add_argument(
        "--quick", action="store_true", help="45 s instead of 180, one day of spool instead of 30"
    )
    parser.add_argument("--seconds", type=float, default=None, help="of steady state (default: 180)")
    parser.add_argument("--tls", action="store_true", help="the agent speaks to the broker over TLS")
    parser.add_argument("--rate", type=float, default=RATE_PPS, help="packets/s (default: 50)")


def run(progress: Callable[[str], None], told: Namespace) -> dict[str, object]:
    """Figures by name."""
    seconds = told.seconds or (45.0 if told.quick else SECONDS)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with broker(folder, tls=told.tls) as doors, ReflectorProcess([("127.0.0.1", 0)]) as reflector:
            hub = Hub(doors.port)
            try:
                hub.plan(told.rate)
                figures = _steady(folder, doors, reflector.addresses[0][1], hub, seconds, progress)
            finally:
                hub.close()
        figures["bare_python_mb"] = _bare_mb()
        figures |= fill(folder / "month.db", hub.payloads[2:], 1 if told.quick else DAYS, progress)
    figures["load_average"] = os.getloadavg()[0]
    return figures


def failed(figures: dict[str, object]) -> bool:
    """Whether a target was missed."""
    held = figures["rss_mb_sum_max"], figures["cpu_ratio"]
    return not (held[0] < MEMORY_TARGET_MB and held[1] < CPU_TARGET_RATIO)  # type: ignore[operator]


def _steady(  # noqa: PLR0913, PLR0917 - what one run is made of
    folder: Path, doors: Doors, end: int, hub: Hub, seconds: float, progress: Callable[[str], None]
) -> dict[str, object]:
    settings = folder / "probe.toml"
    settings.write_text(
        f'site = "{SITE}"\n{doors.settings()}[ends]\nstate = "127.0.0.1:{end}"\n[ping]\ntargets = ["ends"]\n',
        encoding="utf-8",
    )
    began = time.perf_counter()
    command = [
        sys.executable,
        "-m",
        "tatpar",
        "probe",
        "--config",
        str(settings),
        "--data",
        str(folder / "data"),
    ]
    with subprocess.Popen(command) as process:
        try:
            if not hub.online.wait(120):
                raise RuntimeError("the probe did not reach the broker")
            online_s = time.perf_counter() - began
            progress(f"on line after {online_s:.2f} s; {WARM_UP_S:.0f} s until it is steady")
            time.sleep(WARM_UP_S)
            figures = _watch(psutil.Process(process.pid), hub, seconds, progress)
        finally:
            process.terminate()
    return {"online_s": online_s, **figures}


def _watch(
    root: psutil.Process, hub: Hub, seconds: float, progress: Callable[[str], None]
) -> dict[str, object]:
    progress(f"{seconds:.0f} s of steady state")
    seen, before, began = len(hub.payloads), cpu_s(root), time.perf_counter()
    samples: list[Memory] = []
    while time.perf_counter() - began < seconds:
        time.sleep(1.0)
        samples.append(memory(root))
    span = time.perf_counter() - began
    ratio = (cpu_s(root) - before) / span
    streams = [item for one in hub.payloads[seen:] for item in decode(one).items if isinstance(item, Stream)]
    sums = [sum(one.rss_mb.values()) for one in samples]
    figures: dict[str, object] = {"rss_mb_sum": statistics.median(sums), "rss_mb_sum_max": max(sums)}
    for name in samples[0].rss_mb:
        figures[f"rss_mb_of_{name}"] = statistics.median(one.rss_mb[name] for one in samples)
    figures["rss_mb_sum_growth"] = _growth(sums)
    figures["peak_rss_mb_sum"] = peak_mb(root)
    figures |= {
        "packets_per_s": sum(item.sent for item in streams) / max(len(streams), 1) / 15,
        "lost": sum(item.lost for item in streams),
        "cpu_ratio": ratio,
        "cpu_us_per_packet": ratio * 1e6 / RATE_PPS,
    }
    figures["pss_mb"] = statistics.median(one.pss_mb for one in samples)
    figures["memory_alone_mb"] = statistics.median(one.alone_mb for one in samples)
    figures["memory_alone_mb_max"] = max(one.alone_mb for one in samples)
    return figures


def _growth(figures: list[float]) -> float:
    """Median of the last tenth less that of the first."""
    tenth = max(len(figures) // 10, 1)
    return statistics.median(figures[-tenth:]) - statistics.median(figures[:tenth])


def _bare_mb() -> float:
    """Resident memory of an interpreter with numpy and paho, in the same account."""
    with subprocess.Popen(
        [sys.executable, "-c", _BARE], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        if process.stdout is None or process.stdin is None:
            raise RuntimeError("no pipes")
        process.stdout.readline()
        found = memory(psutil.Process(process.pid)).alone_mb
        process.stdin.close()
    return found
