"""What keeping a hub costs: backup while a collector commits, verify, restore, export, import, prune, by the commands that everybody types.

The store of the built-in offices with the lab's past (`--weeks`), and a writer that commits a report of every office up to
ten times a second, as a process of its own. Its commits during the backup are set against those before. Times are of
whole commands, their start included (`start_s`: what starting alone takes). A command that fails ends the benchmark.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from config.load import load_config
from lab.past.history import give_past, past_of
from telemetry.state.db import StateDb

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
_SLACK_S = 0.2


def arguments(parser: ArgumentParser) -> None:
    """What this benchmark may be told."""
    parser.add_argument("--weeks", type=float, default=4.0, help="of past (default: 4)")


def run(progress: Callable[[str], None], told: Namespace) -> dict[str, object]:
    """Figures by name."""
    with tempfile.TemporaryDirectory() as folder:
        return _run(progress, told.weeks, Path(folder))


def _run(progress: Callable[[str], None], weeks: float, folder: Path) -> dict[str, object]:
    config, data = load_config(), folder / "data"
    data.mkdir()
    progress(f"{weeks:g} weeks of past")
    give_past(past_of(config, weeks=weeks), config.settings.store, data, lambda _: None)
    StateDb(data / "state.db").close()
    figures: dict[str, object] = {"weeks": weeks, "offices": sum(1 for _ in config.registry.linked())}
    figures["store_mb"] = (data / "reports.db").stat().st_size / 1e6
    figures["start_s"], _ = _timed("store", "--help")
    backup = _backed_up(progress, config, data, folder / "backups", figures)
    progress("verify")
    figures["verify_backup_s"], found = _timed("store", "verify", backup, "--json")
    figures["verify_blocks"] = found["blocks"]
    progress("restore")
    back = str(folder / "back")
    figures["restore_s"], _ = _timed("store", "restore", backup, "--data", back, "--json")
    _timed("store", "verify", "--data", back, "--json")
    parquet = str(folder / "parquet")
    progress("export")
    figures["export_s"], done = _timed("store", "export", parquet, "--data", back, "--from", "52w", "--json")
    figures |= {"export_mb": done["bytes"] / 1e6, "windows": done["windows"], "rollups": done["rollups"]}
    progress("import")
    figures["import_s"], _ = _timed("store", "import", parquet, "--data", str(folder / "in"), "--json")
    progress("prune")
    old = ("--windows", "7", "--rollups", "7", "--data", back, "--json")
    figures["prune_s"], done = _timed("store", "prune", *old)
    figures["freed_mb"] = done["free_bytes"] / 1e6
    figures["compact_s"], _ = _timed("store", "prune", *old, "--compact")
    figures["store_mb_after"] = (folder / "back" / "reports.db").stat().st_size / 1e6
    return figures


def _backed_up(
    progress: Callable[[str], None], config: Config, data: Path, backups: Path, figures: dict[str, object]
) -> str:
    sites = ",".join(site.id for site in config.registry.linked())
    command = [sys.executable, "-c", _WRITER, str(data / "reports.db"), str(_WRITES_S), sites]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        progress("commits alone, then backup beside them")
        time.sleep(_BEFORE_S)
        _, made = _timed("store", "backup", str(backups), "--data", str(data), "--json")
        ended = time.monotonic()
        took = np.array(json.loads(writer.stdout.read()))
    began = ended - made["took_s"] - _SLACK_S  # copying begins when the command has started
    during = (took[:, 0] + took[:, 1] > began) & (took[:, 0] < ended)
    before = took[:, 0] + took[:, 1] < began - _BEFORE_S / 2
    figures |= {
        "backup_s": made["took_s"],
        "backup_mb": made["bytes"] / 1e6,
        "databases_within_ms": made["spread_ms"],
        "commits_during": int(during.sum()),
        "commit_p50_ms_before": float(np.median(took[before, 1])) * 1e3,
        "commit_max_ms_before": float(took[before, 1].max()) * 1e3,
        "commit_p50_ms_during": float(np.median(took[during, 1])) * 1e3 if during.any() else float("nan"),
        "commit_max_ms_during": float(took[during, 1].max()) * 1e3 if during.any() else float("nan"),
    }
    return str(made["backup"])


def _timed(*arguments: str) -> tuple[float, dict[str, Any]]:
    """How long a command took, and what it said."""
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "tatpar", *arguments], stdout=subprocess.PIPE, text=True, check=True
    )
    took_s = time.monotonic() - began
    return took_s, json.loads(done.stdout) if "--json" in arguments else {}
