"""Start-up: whole-process wall time of `tatpar --help`, beside a bare interpreter in the same run."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

RUNS: Final = 15


def _seconds(command: Sequence[str]) -> float:
    begin = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begin


def run(progress: Callable[[str], None]) -> dict[str, object]:
    """Median seconds of both, taken in turn, and their ratio."""
    ours = [sys.executable, "-m", "tatpar", "--help"]
    bare = [sys.executable, "-c", "pass"]
    _seconds(ours)
    progress(f"{RUNS} pairs of runs")
    pairs = [(_seconds(ours), _seconds(bare)) for _ in range(RUNS)]
    help_s = statistics.median(a for a, _ in pairs)
    bare_s = statistics.median(b for _, b in pairs)
    return {"tatpar_help_s": help_s, "bare_python_s": bare_s, "ratio": help_s / bare_s}
