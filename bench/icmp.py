"""Many ICMP targets from one process: ours beside fping and, where it is installed, icmplib, in the same run, idle and with 30 % of each core taken.

The truth is the loopback interface's own: the kernel's stamps of each echo and its reply (`_icmp/wire.py`). A tool's error is what it reports less
that, at the median and the 99th percentile of all its round trips; its cost is CPU time a ping, without its start.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import resource
import shutil
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Final

import numpy as np

from bench._icmp.tools import addresses
from bench._icmp.wire import Wire

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

LOAD: Final = 0.3
_BURN: Final = """
import os, sys, time
os.sched_setaffinity(0, {int(sys.argv[1])})
while True:
    until = time.perf_counter() + 0.003
    while time.perf_counter() < until:
        pass
    time.sleep(0.007)
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """How many targets, how long."""
    parser.add_argument(
        "--targets", type=int, default=100, help="addresses of the loopback interface, 1 to 5,000"
    )
    parser.add_argument("--rounds", type=int, default=8, help="about a second each")


def run(progress: Callable[[str], None], options: argparse.Namespace) -> dict[str, object]:
    """Every tool in turn, idle and loaded."""
    tools = ["ours"]
    tools += ["fping"] if shutil.which("fping") else []
    tools += ["icmplib"] if importlib.util.find_spec("icmplib") else []
    figures: dict[str, object] = {
        "targets": options.targets,
        "rounds": options.rounds,
        "load_average": os.getloadavg()[0],
        "cores": os.cpu_count(),
    }
    for name, share in (("idle", 0.0), ("loaded", LOAD)):
        for tool in tools:
            progress(f"{tool}, {options.targets} targets, {name}")
            with _load(share), Wire() as wire:
                round_trips_ms, cpu_s = _run_tool(tool, options.targets, options.rounds)
                time.sleep(0.3)
            for key, value in _figures(round_trips_ms, cpu_s, wire.round_trips_ns).items():
                figures[f"{name}_{tool}_{key}"] = value
    return figures


def _figures(said_ms: list[float], cpu_s: float, truth_ns: list[int]) -> dict[str, float]:
    """Of one tool: how far it is off, how widely it spreads, what it costs."""
    said, truth = np.array(said_ms) * 1e3, np.array(truth_ns) / 1e3
    figures = {"pings": float(len(said)), "lost_of_asked": float(len(truth) - len(said))}
    for percentile in (50, 99):
        ours, true = float(np.percentile(said, percentile)), float(np.percentile(truth, percentile))
        figures[f"p{percentile}_us"] = round(ours, 1)
        figures[f"p{percentile}_error_us"] = round(ours - true, 1)
    figures["cpu_us_per_ping"] = round(cpu_s * 1e6 / max(len(said), 1), 1)
    return figures


def _run_tool(tool: str, count: int, rounds: int) -> tuple[list[float], float]:
    if tool == "fping":
        return _fping(count, rounds)
    command = [sys.executable, "-m", "bench._icmp.tools", tool, str(count), str(rounds)]
    done = subprocess.run(command, capture_output=True, check=True, text=True)
    said = json.loads(done.stdout)
    return said["round_trips_ms"], said["cpu_s"]


def _fping(count: int, rounds: int) -> tuple[list[float], float]:
    """Fping sends one packet a millisecond when it is not told otherwise; all targets are spread over a second, as ours are."""
    before = _children_s()
    spread_ms = max(1, 1000 // count)
    command = ["fping", "-C", str(rounds), "-q", "-p", "1000", "-i", str(spread_ms), *addresses(count)]
    done = subprocess.run(command, capture_output=True, check=False, text=True)
    words = [word for line in done.stderr.splitlines() for word in line.partition(" : ")[2].split()]
    return [float(word) for word in words if word != "-"], _children_s() - before


def _children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@contextlib.contextmanager
def _load(share: float) -> Iterator[None]:
    """Take so much of every core."""
    burning = [
        subprocess.Popen([sys.executable, "-c", _BURN, str(core)])
        for core in (sorted(os.sched_getaffinity(0)) if share else ())
    ]
    try:
        time.sleep(0.5 if burning else 0.0)
        yield
    finally:
        for each in burning:
            each.kill()
            each.wait()
