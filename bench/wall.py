"""The wall: time to the first full picture with 92 and 5,000 offices in Chromium, what one update costs, 200 open walls on one server.

The server is a process of its own, as `tatpar wall` runs it; all offices report once each 15 s window, as they do. A page is opened
with an empty cache; "full" is the second frame after every office is there. Chromium, the walls that listen and the server share this
machine. Beside them stand a page of one office over eight weeks, and what the front end weighs as it travels.
"""

from __future__ import annotations

import asyncio
import contextlib
import statistics
import tempfile
import time
from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psutil

from bench._wall.browser import chromium, cost_of_updates, opened
from bench._wall.fleet import give_past, reports, write_deployment
from bench._wall.listening import Heard, Walls
from bench._wall.server import serving
from config.load import load_config
from dashboards.wall.web.files import Files
from lab.past.history import past_of, write_history
from telemetry.state.db import StateDb
from telemetry.store.sqlite import SqliteStore
from telemetry.windows import SECOND_NS, WINDOW_NS

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

    from playwright.sync_api import Page

    from config.config import Config

SIZES: Final = (92, 5_000)
WALLS: Final = 200
LONG_WEEKS: Final = 8
_ARRIVED_S: Final = 2.0
_AFTER_NS: Final = SECOND_NS
"""So long after the begin of a window its predecessor is reported, as probes do."""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--offices", type=int, nargs="+", default=list(SIZES), metavar="N", help="fleets to show"
    )
    parser.add_argument(
        "--quick", action="store_true", help="one opening, two updates, 40 walls: to see that it works"
    )


def run(progress: Callable[[str], None], options: argparse.Namespace) -> dict[str, object]:
    """Figures by the number of offices; times in ms, memory in MB, CPU in % of one core."""
    figures: dict[str, object] = {"front_end_packed_kb": front_end_bytes() / 1000}
    for offices in options.offices:
        with tempfile.TemporaryDirectory() as folder:
            found = _with_offices(Path(folder), offices, progress, quick=options.quick)
        figures |= {f"{offices}_{name}": value for name, value in found.items()}
    return figures


def front_end_bytes() -> int:
    """Everything of the front end as it travels, without the texts of the licences."""
    return sum(size for name, size in Files().packed_bytes().items() if not name.endswith(".txt"))


def _with_offices(
    folder: Path, offices: int, progress: Callable[[str], None], *, quick: bool
) -> dict[str, float]:
    progress(f"{offices} offices: writing a past")
    settings = write_deployment(folder, offices)
    config = load_config(settings)
    sites = [site.id for site in config.registry.linked()]
    StateDb(folder / "state.db").close()
    with contextlib.closing(SqliteStore(folder / "reports.db")) as store:
        if offices == SIZES[0]:
            _give_long_past(store, config, sites[0])
        give_past(store, sites)
        fleet = _Fleet(store, sites)
        with serving(settings, folder) as (url, process):
            figures = _seen(url, fleet, progress, quick=quick)
            if offices == SIZES[0]:
                figures |= asyncio.run(_listened(url, process, fleet, progress, quick=quick))
            figures["server_mb"] = psutil.Process(process).memory_info().rss / 1e6
    return figures


class _Fleet:
    """Offices that report at their time."""

    def __init__(self, store: SqliteStore, sites: Sequence[str]) -> None:
        self._store = store
        self.sites = sites
        self._seq = 0

    def report(self) -> float:
        """Wait for the next window, and store a report of every office; when (`perf_counter`) that was committed."""
        time.sleep(((-time.time_ns()) % WINDOW_NS + _AFTER_NS) / SECOND_NS)
        self._seq += 1
        self._store.append(reports(self.sites, self._seq))
        return time.perf_counter()


def _give_long_past(store: SqliteStore, config: Config, site: str) -> None:
    plan = past_of(config, weeks=LONG_WEEKS)
    only = copy(plan.places)
    only.sites = tuple(each for each in only.sites if each.id == site)
    write_history(replace(plan, places=only), store, lambda _: None, workers=0)


def _seen(url: str, fleet: _Fleet, progress: Callable[[str], None], *, quick: bool) -> dict[str, float]:
    """What a browser sees."""
    figures: dict[str, float] = {}
    fleet.report()
    with chromium() as browser:
        for view in ("map", "grid"):
            times = []
            for _ in range(1 if quick else 5):
                page, took_ms = opened(browser, url, view)
                times.append(took_ms)
                page.context.close()
            progress(f"{len(fleet.sites)} offices: first {view} after {statistics.median(times):.0f} ms")
            figures[f"first_{view}_ms"] = statistics.median(times)
        for view in ("map", "grid"):
            page, _ = opened(browser, url, view)
            costs = cost_of_updates(page, fleet.sites[0], fleet.report, 2 if quick else 4, progress)
            figures |= {f"{view}_{name}": value for name, value in costs.items()}
            page.context.close()
        if len(fleet.sites) == SIZES[0]:
            figures |= _long_view(browser.new_page(), url, fleet.sites[0])
    return figures


def _long_view(page: Page, url: str, site: str) -> dict[str, float]:
    """Eight weeks of one line: from the address to the drawn charts, and the server's answers alone."""
    page.goto(f"{url}?lang=en#/site/{site}?range=8w")
    page.wait_for_selector(".u-wrap canvas")
    drawn_ms = float(page.evaluate("performance.now()"))
    page.wait_for_selector(".charts > .source:has-text('usual')")
    entries = page.evaluate(
        "performance.getEntriesByType('resource').filter(e => e.name.includes('/api/site/')).map(e => [e.name, e.duration])"
    )
    page.close()
    took = {
        part: duration for name, duration in entries for part in ("series", "past") if f"/{part}?" in name
    }
    return {
        "site_8_weeks_drawn_ms": drawn_ms,
        "site_8_weeks_series_ms": took["series"],
        "site_8_weeks_past_ms": took["past"],
    }


async def _listened(
    url: str, process: int, fleet: _Fleet, progress: Callable[[str], None], *, quick: bool
) -> dict[str, float]:
    """Many walls at once: CPU, memory and lag of one server."""
    host, port = url.removeprefix("http://").rstrip("/").split(":")
    walls, server = Walls(host, int(port)), psutil.Process(process)
    count = 40 if quick else WALLS
    alone_mb = server.memory_info().rss / 1e6
    packed, _ = await walls.snapshot()
    await walls.open(count, progress)
    lags: list[float] = []
    await asyncio.to_thread(_committed, fleet)
    await asyncio.sleep(
        _ARRIVED_S
    )  # the pictures of the beginning, and this report, are on their way no more
    walls.bytes = walls.wholes = 0
    used, began = server.cpu_times(), time.monotonic()
    rounds = 2 if quick else 8
    for n in range(rounds):
        progress(f"{count} walls: window {n + 1} of {rounds}")
        walls.heard = heard = Heard(fleet.sites[0], count)
        committed = await asyncio.to_thread(_committed, fleet)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(heard.by_all.wait(), 10)
        await asyncio.sleep(_ARRIVED_S)
        lags += [(at - committed) / 1e6 for at in heard.at_ns]
    spent, now = time.monotonic() - began, server.cpu_times()
    figures = {
        "walls": float(count),
        "walls_server_cpu_pct": 100 * (now.user + now.system - used.user - used.system) / spent,
        "walls_server_mb": server.memory_info().rss / 1e6,
        "walls_server_mb_before": alone_mb,
        "walls_lag_p50_ms": statistics.median(lags),
        "walls_lag_p99_ms": statistics.quantiles(lags, n=100)[98],
        "walls_heard_of_sent": len(lags) / (count * rounds),
        "walls_bytes_per_wall_and_window": walls.bytes / count / rounds,
        "walls_whole_pictures_resent": float(walls.wholes),
        "snapshot_packed_kb": packed / 1000,
    }
    await walls.close()
    return figures


def _committed(fleet: _Fleet) -> int:
    fleet.report()
    return time.monotonic_ns()
