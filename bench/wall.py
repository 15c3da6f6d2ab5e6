"""The wall: time to the first full picture, what updates cost, and many open walls on one server.

Pictures are timed in the system's Chromium against a `tatpar wall` in a process of its own. An update is one report of every office, committed at
once: the worst that a window can bring. The open walls are connections that read the stream as a browser does; their lag is from
the commit to the last byte of the change at the last of them.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

import numpy as np
import psutil

from bench._wall_fleet import offices, window
from dashboards.wall.web.files import Files
from telemetry.store.sqlite import SqliteStore
from telemetry.windows import WINDOW_NS

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

FIRST_WINDOWS: Final = 8
FULL: Final = """() => document.querySelector('.attention')
  && document.querySelector('svg.map:not([hidden]) .marks a, .map-frame canvas:not([hidden])')"""
FLAGS: Final = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"]


def arguments(parser: argparse.ArgumentParser) -> None:
    """How many offices, walls and updates."""
    parser.add_argument("--sites", type=int, nargs="+", default=[92, 5_000])
    parser.add_argument("--walls", type=int, default=200)
    parser.add_argument("--quick", action="store_true", help="few loads and updates")


def run(progress: Callable[[str], None], options: argparse.Namespace) -> dict[str, object]:
    """By number of offices: seconds to the picture, CPU and lag of updates without and with open walls; memory."""
    files = Files()
    figures: dict[str, object] = {"front_end_packed_kb": sum(files.packed_bytes().values()) / 1e3}
    loads, updates = (2, 3) if options.quick else (5, 10)
    for count in options.sites:
        with tempfile.TemporaryDirectory() as folder:
            with _Wall(Path(folder), count) as wall:
                progress(f"{count} offices: first picture in Chromium, {loads} times")
                told = _first_pictures(wall.url, loads)
                progress(f"{count} offices: {updates} updates, nobody looks")
                told |= _cost(wall, updates, "alone")
                progress(f"{count} offices: {updates} updates, {options.walls} walls are open")
                told |= asyncio.run(_crowd(wall, updates, options.walls))
            figures |= {f"{count}_{name}": value for name, value in told.items()}
    return figures


class _Wall:
    """A wall over a store that this process writes."""

    def __init__(self, folder: Path, count: int) -> None:
        self._folder = folder
        self._sites = offices(folder, count)
        self._seq = 0
        self.store = SqliteStore(folder / "reports.db")
        newest = time.time_ns() // WINDOW_NS * WINDOW_NS - 2 * WINDOW_NS
        self._next_ns = newest - FIRST_WINDOWS * WINDOW_NS
        for _ in range(FIRST_WINDOWS):
            self.update()

    def __enter__(self) -> Self:
        place = ["--config", str(self._folder / "tatpar.toml"), "--data", str(self._folder)]
        asked = [sys.executable, "-m", "tatpar", "wall", "--port", "0", *place]
        self._process = subprocess.Popen(asked, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().split()[-1].rstrip("/")
        with urllib.request.urlopen(f"{self.url}/api/snapshot", timeout=120) as answer:
            answer.read()
        self.server = psutil.Process(self._process.pid)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(60)
        assert self._process.stdout is not None
        self._process.stdout.close()
        self.store.close()

    def update(self) -> None:
        """Every office reports one window."""
        self._seq += 1
        self.store.append(window(self._sites, self._next_ns, self._seq))
        self._next_ns += WINDOW_NS

    def cpu_s(self) -> float:
        """CPU seconds of the server so far."""
        times = self.server.cpu_times()
        return float(times.user + times.system)


def _first_pictures(url: str, loads: int) -> dict[str, float]:
    """Seconds from asking for the address until map and list stand, nothing cached."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - of the developer's tools

    program = shutil.which("chromium")
    if program is None:
        raise SystemExit("bench wall: no chromium on this machine; apt-get install chromium")
    seconds = []
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=FLAGS)
        for _ in range(loads):
            context = browser.new_context(viewport={"width": 1920, "height": 1080})
            page = context.new_page()
            page.set_default_timeout(120_000)
            begin = time.perf_counter()
            page.goto(url, wait_until="commit")
            page.wait_for_function(FULL)
            page.evaluate(
                "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
            )
            seconds.append(time.perf_counter() - begin)
            context.close()
        browser.close()
    return {"first_picture_s_median": float(np.median(seconds)), "first_picture_s_max": max(seconds)}


def _cost(wall: _Wall, updates: int, name: str) -> dict[str, float]:
    """Share of a core that the server takes at rest, and while every office reports every 1.5 s."""
    rest_s, begin = wall.cpu_s(), time.perf_counter()
    time.sleep(5)
    rest = (wall.cpu_s() - rest_s) / (time.perf_counter() - begin)
    before, begin = wall.cpu_s(), time.perf_counter()
    for _ in range(updates):
        wall.update()
        time.sleep(1.5)
    took = time.perf_counter() - begin
    return {
        f"{name}_rest_cpu_ratio": rest,
        f"{name}_updated_cpu_ratio": (wall.cpu_s() - before) / took,
        f"{name}_memory_mb": wall.server.memory_info().rss / 1e6,
    }


class _Viewer:
    """Reads the stream; when it last got a change, and how many bytes."""

    def __init__(self) -> None:
        self.changed_s = 0.0
        self.bytes = 0

    async def look(self, host: str, port: int) -> None:
        reader, writer = await asyncio.open_connection(host, port, limit=1 << 24)
        writer.write(b"GET /api/stream HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n")
        try:
            while line := await reader.readline():
                self.bytes += len(line)
                if line.startswith(b"data:") and len(line) > 200:
                    self.changed_s = time.perf_counter()
        finally:
            writer.close()


async def _crowd(wall: _Wall, updates: int, walls: int) -> dict[str, float]:
    """The same while so many walls look, with an update every 3 s."""
    host, _, port = wall.url.removeprefix("http://").partition(":")
    viewers = [_Viewer() for _ in range(walls)]
    tasks = [asyncio.create_task(viewer.look(host, int(port))) for viewer in viewers]
    await asyncio.sleep(5)
    rest_s, begin = wall.cpu_s(), time.perf_counter()
    await asyncio.sleep(5)
    rest = (wall.cpu_s() - rest_s) / (time.perf_counter() - begin)
    lags: list[float] = []
    before, begin = wall.cpu_s(), time.perf_counter()
    for _ in range(updates):
        await asyncio.to_thread(wall.update)
        committed_s = time.perf_counter()
        await asyncio.sleep(3)
        lags += [viewer.changed_s - committed_s for viewer in viewers if viewer.changed_s > committed_s]
    took = time.perf_counter() - begin
    busy = (wall.cpu_s() - before) / took
    for task in tasks:
        task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.gather(*tasks, return_exceptions=True)
    p50, p99 = np.percentile(lags, (50, 99)).tolist() if lags else (float("nan"), float("nan"))
    return {
        "walls": walls,
        "walls_told_ratio": len(lags) / (updates * walls),
        "walls_rest_cpu_ratio": rest,
        "walls_updated_cpu_ratio": busy,
        "walls_memory_mb": wall.server.memory_info().rss / 1e6,
        "walls_lag_s_p50": p50,
        "walls_lag_s_p99": p99,
        "walls_bytes_each_per_update": float(np.mean([viewer.bytes for viewer in viewers])) / updates,
    }
