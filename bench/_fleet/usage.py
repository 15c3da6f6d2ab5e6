"""CPU and memory of groups of processes."""

from __future__ import annotations

import contextlib
import os
import time
from typing import TYPE_CHECKING, Final

import psutil

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_MB: Final = 1e6


class Usage:
    """Who takes how much of a core, and how much memory at most, between `begin` and `shares`."""

    def __init__(self, groups: Mapping[str, Sequence[int]]) -> None:
        self._groups = {name: [psutil.Process(pid) for pid in pids] for name, pids in groups.items()}
        self._peak_mb = dict.fromkeys(groups, 0.0)
        self._began = 0.0
        self._before: dict[str, float] = {}

    def begin(self) -> None:
        """From here on."""
        self._began = time.monotonic()
        self._before = {name: _cpu_s(those) for name, those in self._groups.items()}

    def look(self) -> None:
        """Note the memory of this moment."""
        for name, those in self._groups.items():
            self._peak_mb[name] = max(self._peak_mb[name], sum(one.memory_info().rss for one in those) / _MB)

    def shares(self) -> dict[str, object]:
        """Cores taken and most memory by group; and which group took the most."""
        span_s = time.monotonic() - self._began
        cores = {name: (_cpu_s(those) - self._before[name]) / span_s for name, those in self._groups.items()}
        figures: dict[str, object] = {f"{name}: cores": value for name, value in cores.items()}
        figures |= {f"{name}: MB at most": value for name, value in self._peak_mb.items()}
        figures["cores taken by all"] = sum(cores.values())
        figures["takes most"] = max(cores, key=lambda name: cores[name])
        return figures


def broker_pid(folder: Path) -> int:
    """The process id of the mosquitto that serves a folder, not of what holds its leash."""
    for process in psutil.Process(os.getpid()).children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if process.name() == "mosquitto" and str(folder) in " ".join(process.cmdline()):
                return process.pid
    raise RuntimeError("there is no mosquitto among our processes")


def _cpu_s(processes: Sequence[psutil.Process]) -> float:
    return sum(sum(one.cpu_times()[:2]) for one in processes)
