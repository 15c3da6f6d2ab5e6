"""The fleet: CPU and memory of `tatpar up --lab` with the 56 linked offices and with all 92, each process by its task."""

from __future__ import annotations

import csv
import signal
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psutil

from config.load import load_config

if TYPE_CHECKING:
    from collections.abc import Callable

WARM_S: Final = 45
MEASURED_S: Final = 60
PROGRESS_S: Final = 15
_TASKS: Final = (
    ("lab.line.lines", "lines"),
    ("lab.running.agents", "agents"),
    ("mosquitto", "broker"),
    ("measuring", "measuring"),
    ("reflector", "reflector"),
)


def run(progress: Callable[[str], None]) -> dict[str, object]:
    """CPU in % of one core and resident memory in MB, by task and in all; and what 92 cost of what 56 cost."""
    figures: dict[str, object] = {}
    totals = {}
    for every_office in (False, True):
        with tempfile.TemporaryDirectory() as folder:
            offices = _deployment(Path(folder), every_office=every_office)
            progress(f"{offices} offices: {WARM_S} s to warm up, {MEASURED_S} s measured")
            cpu, memory = _measured(Path(folder), progress)
        for task in sorted(cpu):
            figures[f"{offices}_{task}_cpu_pct"] = cpu[task]
            figures[f"{offices}_{task}_mb"] = memory[task]
        totals[offices] = sum(cpu.values())
        figures[f"{offices}_all_cpu_pct"] = totals[offices]
        figures[f"{offices}_all_mb"] = sum(memory.values())
    few, many = sorted(totals)
    figures["cpu_ratio_92_to_56"] = totals[many] / totals[few]
    return figures


def _deployment(folder: Path, *, every_office: bool) -> int:
    """Write a deployment of the default registry, with its planned offices linked if wanted; the number linked."""
    source = load_config(None).sources.sites
    with source.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    for row in rows:
        row["status"] = "linked" if every_office else row["status"]
    with (folder / "sites.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    (folder / "tatpar.toml").write_text("", encoding="utf-8")
    return sum(row["status"] == "linked" for row in rows)


def _measured(folder: Path, progress: Callable[[str], None]) -> tuple[dict[str, float], dict[str, float]]:
    command = [sys.executable, "-m", "tatpar", "up", "--lab", "--history", "0", "--port", "0"]
    place = ["--config", str(folder / "tatpar.toml"), "--data", str(folder / "data")]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(  # in a session of its own: a Ctrl-C is ours, and we end it in order
            [*command, *place], stdout=log, stderr=log, start_new_session=True
        )
    try:
        _wait(WARM_S, "warming up", progress)
        if process.poll() is not None:
            raise RuntimeError((folder / "log").read_text(encoding="utf-8", errors="replace"))
        before = _used(process.pid)
        _wait(MEASURED_S, "measuring", progress)
        after = _used(process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)
    cpu: dict[str, float] = defaultdict(float)
    memory: dict[str, float] = defaultdict(float)
    for pid, (task, seconds, rss) in after.items():
        cpu[task] += 100 * (seconds - before.get(pid, ("", 0.0, 0.0))[1]) / MEASURED_S
        memory[task] += rss / 1e6
    return cpu, memory


def _wait(seconds: float, what: str, progress: Callable[[str], None]) -> None:
    """Wait, with a word every quarter of a minute."""
    end_s = time.monotonic() + seconds
    while (left_s := end_s - time.monotonic()) > 0:
        progress(f"{what}: {left_s:.0f} s left")
        time.sleep(min(left_s, PROGRESS_S))


def _used(pid: int) -> dict[int, tuple[str, float, float]]:
    """By process: its task, CPU seconds so far, bytes resident."""
    found = {}
    top = psutil.Process(pid)
    for process in [top, *top.children(recursive=True)]:
        times = process.cpu_times()
        task = "hub" if process.pid == pid else _task(" ".join(process.cmdline()))
        found[process.pid] = (task, times.user + times.system, float(process.memory_info().rss))
    return found


def _task(command: str) -> str:
    return next((task for sign, task in _TASKS if sign in command), "other")
