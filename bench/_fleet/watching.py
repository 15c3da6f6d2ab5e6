"""The readiness pass over everybody, as the watch makes it: from its start until the last verdict is written down."""

from __future__ import annotations

import contextlib
import signal
import sqlite3
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Final

import psutil

if TYPE_CHECKING:
    from pathlib import Path

_LOOK_S: Final = 0.25
_MEMORY_SHARE: Final = 0.5


def watched(settings: Path, folder: Path, offices: int, limit_s: float) -> dict[str, object]:
    """Start `tatpar watch` over a store, and stop it when every office has a verdict, at the limit, or at half of this machine's memory."""
    began = time.monotonic()
    told = ["watch", "--config", str(settings), "--data", str(folder)]
    process = subprocess.Popen(
        [sys.executable, "-m", "tatpar", *told], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    watch = psutil.Process(process.pid)
    peak_mb, cpu_s, verdicts = 0.0, 0.0, 0
    most_mb = _MEMORY_SHARE * psutil.virtual_memory().total / 1e6
    while (
        verdicts < offices
        and time.monotonic() - began < limit_s
        and peak_mb < most_mb
        and process.poll() is None
    ):
        with contextlib.suppress(psutil.Error):
            peak_mb = max(peak_mb, watch.memory_info().rss / 1e6)
            cpu_s = sum(watch.cpu_times()[:2])
        time.sleep(_LOOK_S)
        verdicts = _verdicts(folder / "state.db")
    took_s = time.monotonic() - began
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    return {
        "watch: ended": "every office has a verdict"
        if verdicts >= offices
        else "memory"
        if peak_mb >= most_mb
        else "time",
        "watch: verdicts": verdicts,
        "watch: s to the last": took_s,
        "watch: CPU s": cpu_s,
        "watch: CPU ms an office": 1e3 * cpu_s / offices,
        "watch: MB at most": peak_mb,
        "watch: kB an office at most": 1e3 * peak_mb / offices,
    }


def _verdicts(state: Path) -> int:
    """Offices with a verdict; 0 while the database cannot be read."""
    with (
        contextlib.suppress(sqlite3.Error),
        contextlib.closing(sqlite3.connect(f"file:{state}?mode=ro", uri=True, timeout=1)) as database,
    ):
        return int(database.execute("SELECT COUNT(DISTINCT site) FROM verdict").fetchone()[0])
    return 0
