"""The weekly report, from the store to the files: seconds for a lab past of so many offices."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from bench._report_fleet import fleet
from lab.past.history import give_past, past_of
from reports.gather import gather
from reports.week import Week
from telemetry.state.db import StateDb
from telemetry.store.by_blocks import InProcess
from telemetry.store.open import open_reader
from telemetry.windows import DAY_NS

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable


def arguments(parser: argparse.ArgumentParser) -> None:
    """How many offices."""
    parser.add_argument("--sites", type=int, nargs="+", default=[92])


def run(progress: Callable[[str], None], options: argparse.Namespace) -> dict[str, object]:
    """Seconds of the whole command (HTML, PDF, CSV), and of gathering in one process as the hub does, by number of offices."""
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
    asked = ["report", "weekly", "--week", str(week), "--lang", "hi", "--out", str(folder / "out")]
    place = ["--config", str(folder / "tatpar.toml"), "--data", str(folder)]
    begin = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "tatpar", *asked, *place], check=False, capture_output=True, text=True
    )
    if done.returncode:
        raise SystemExit(f"tatpar report ended with {done.returncode}: {done.stderr.strip()[-2000:]}")
    whole = time.perf_counter()
    with (
        contextlib.closing(open_reader(config.settings.store, folder)) as reader,
        contextlib.closing(StateDb(folder / "state.db")) as state,
    ):
        gather(config, InProcess(reader), state, week, now_ns, lambda *_: None)
    return {"whole_s": whole - begin, "gather_in_one_process_s": time.perf_counter() - whole}
