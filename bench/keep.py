"""What keeping a hub costs: backup while a collector commits, verify, restore, export, import, prune.

The store of the built-in offices with the lab's past (`--weeks`), and a writer that commits a report of every office up to
ten times a second, as a process of its own. Its commits during the backup are set against those before. Everything is looked through at the end.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from config.load import load_config
from tatpar.backups.making import make
from tatpar.backups.restoring import restore
from tatpar.backups.verifying import verify_backup, verify_data
from tatpar.parquet.exporting import export
from tatpar.parquet.importing import take_in
from tatpar.past import give_a_past
from telemetry.state.db import StateDb
from telemetry.store.protocol import Selection
from telemetry.store.sqlite import SqliteReader, SqliteStore

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Callable

    from config.config import Config

_WRITER = """
import json, sys, time
from pathlib import Path
from tests.telemetry.store.conftest import Fleet
from telemetry.store.sqlite import SqliteStore
fleet, store, took = Fleet(), SqliteStore(Path(sys.argv[1])), []
sites = sys.argv[3].split(",")
until = time.monotonic() + float(sys.argv[2])
number = 0
print("ready", flush=True)
while time.monotonic() < until:
    number += 1
    batch = [fleet.report(site, number) for site in sites]
    began = time.monotonic()
    store.append(batch)
    took.append((began, time.monotonic() - began))
    time.sleep(max(0.0, 0.1 - (time.monotonic() - began)))
print(json.dumps(took))
"""
_WRITES_S = 40.0
_BEFORE_S = 15.0


def arguments(parser: ArgumentParser) -> None:
    """What this benchmark may be told."""
    parser.add_argument("--weeks", type=float, default=4.0, help="of past (default: 4)")


def run(progress: Callable[[str], None], told: Namespace) -> dict[str, object]:
    """Figures by name."""
    with tempfile.TemporaryDirectory() as folder:
        return _run(progress, told.weeks, Path(folder))


def _run(progress: Callable[[str], None], weeks: float, folder: Path) -> dict[str, object]:
    config, data = load_config(), folder / "data"
    asyncio.run(give_a_past(config, data, weeks, progress))
    StateDb(data / "state.db").close()
    figures: dict[str, object] = {"weeks": weeks, "offices": sum(1 for _ in config.registry.linked())}
    figures["store_mb"] = (data / "reports.db").stat().st_size / 1e6
    backup = _backed_up(progress, config, data, folder / "backups", figures)
    progress("verify")
    figures["verify_backup_s"], found = _timed(lambda: verify_backup(backup))
    figures["faults"] = len(found.faults)  # type: ignore[attr-defined]
    figures["verify_blocks"] = found.blocks  # type: ignore[attr-defined]
    progress("restore")
    figures["restore_s"], _ = _timed(lambda: restore(backup, folder / "back"))
    figures["faults_restored"] = len(verify_data(folder / "back").faults)
    _parquet(progress, folder, figures)
    _pruned(progress, folder / "back", figures)
    return figures


def _backed_up(
    progress: Callable[[str], None], config: Config, data: Path, backups: Path, figures: dict[str, object]
) -> Path:
    sites = ",".join(site.id for site in config.registry.linked())
    command = [sys.executable, "-c", _WRITER, str(data / "reports.db"), str(_WRITES_S), sites]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        progress("commits alone, then backup beside them")
        time.sleep(_BEFORE_S)
        began = time.monotonic()
        backup, manifest = make(config, data, backups)
        ended = time.monotonic()
        took = np.array(json.loads(writer.stdout.read()))
    during = (took[:, 0] + took[:, 1] > began) & (took[:, 0] < ended)
    figures |= {
        "backup_s": ended - began,
        "backup_mb": manifest.bytes / 1e6,
        "databases_within_ms": manifest.spread_ms,
        "commits_during": int(during.sum()),
        "commit_p50_ms_before": float(np.median(took[took[:, 0] < began, 1])) * 1e3,
        "commit_max_ms_before": float(took[took[:, 0] < began, 1].max()) * 1e3,
        "commit_p50_ms_during": float(np.median(took[during, 1])) * 1e3 if during.any() else float("nan"),
        "commit_max_ms_during": float(took[during, 1].max()) * 1e3 if during.any() else float("nan"),
    }
    return backup


def _parquet(progress: Callable[[str], None], folder: Path, figures: dict[str, object]) -> None:
    progress("export")
    with closing(SqliteReader(folder / "back" / "reports.db")) as reader:
        span = Selection(0, time.time_ns())
        first = int(
            reader.rollups(span, columns=(), histograms=False, window_values=()).columns["slot_ns"].min()
        )
        figures["export_s"], done = _timed(
            lambda: export(reader, folder / "parquet", Selection(first, span.end_ns))
        )
    figures["export_mb"] = done.bytes / 1e6  # type: ignore[attr-defined]
    figures["exported_windows"], figures["exported_rollups"] = done.windows, done.rollups  # type: ignore[attr-defined]
    progress("import")
    with closing(SqliteStore(folder / "in" / "reports.db")) as store:
        figures["import_s"], _ = _timed(lambda: take_in(store, folder / "parquet"))


def _pruned(progress: Callable[[str], None], data: Path, figures: dict[str, object]) -> None:
    progress("prune")
    with closing(SqliteStore(data / "reports.db")) as store:
        cut = time.time_ns() - 7 * 86_400 * 10**9
        figures["prune_s"], _ = _timed(lambda: store.let_go(cut, cut, lambda *_: None))
        figures["freed_mb"] = store.free_bytes() / 1e6
        figures["compact_s"], _ = _timed(store.compact)
    figures["store_mb_after"] = (data / "reports.db").stat().st_size / 1e6


def _timed(work: Callable[[], object]) -> tuple[float, object]:
    began = time.monotonic()
    result = work()
    return time.monotonic() - began, result
