"""The weekly report, from the store to the files: seconds for a lab past of so many offices, store and drawing apart."""

from __future__ import annotations

import contextlib
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from bench._report_fleet import fleet
from lab.history import give_past, past_of
from reports.files import write
from reports.gather import gather
from reports.week import Week
from telemetry.state.db import StateDb
from telemetry.store.open import open_reader
from telemetry.windows import DAY_NS

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable


def arguments(parser: argparse.ArgumentParser) -> None:
    """How many offices."""
    parser.add_argument("--sites", type=int, nargs="+", default=[92])


def run(progress: Callable[[str], None], options: argparse.Namespace) -> dict[str, object]:
    """Seconds of gathering and of drawing HTML, PDF and CSV, by number of offices."""
    figures: dict[str, object] = {}
    for sites in options.sites:
        with tempfile.TemporaryDirectory() as folder:
            figures[str(sites)] = _measured(Path(folder), sites, progress)
    return figures


def _measured(folder: Path, sites: int, progress: Callable[[str], None]) -> dict[str, float]:
    config = fleet(folder, sites)
    progress(f"{sites} offices: five weeks of past")
    give_past(past_of(config, weeks=5), config.settings.store, folder, lambda _: None)
    zone = ZoneInfo(config.settings.deployment.timezone)
    now_ns = time.time_ns()
    week = Week.containing(now_ns - 7 * DAY_NS, zone)
    progress("the report")
    with (
        contextlib.closing(open_reader(config.settings.store, folder)) as reader,
        contextlib.closing(StateDb(folder / "state.db")) as state,
    ):
        begin = time.perf_counter()
        found = gather(config, reader, state, week, now_ns, lambda *_: None)
        gathered = time.perf_counter()
        write(found, config, "hi", now_ns, folder / "out")
        end = time.perf_counter()
    return {"gather_s": gathered - begin, "draw_s": end - gathered, "whole_s": end - begin}
