"""Tests on a machine that stands still: every process of the run, or one of them, is stopped now and then and goes on later.

`python -m bench stalls tests/collector tests/lab [--all GAP:MOST] [--one GAP:MOST] [--workers N] [--seed S] [--json]`. A machine that is
busy holds a program up at any line; whoever waits for a fixed time meets that once in a hundred runs, here in the first. `--all 4:1.5`
stops all of them (SIGSTOP) every 4 s on average for 0.2 to 1.5 s, as a machine does whose processors somebody else has; `--one` one,
which no kind of program (`pytest`, a broker, a browser) is spared. Status 1 when a test fails; what it said is printed.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import psutil

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

HOUSE: Final = Path(__file__).parent.parent
_LEAST_S: Final = 0.2
_LOOK_S: Final = 0.05
_SAID: Final = re.compile(r"^(?:FAILED|ERROR) (\S+)", re.MULTILINE)
_PASSED: Final = re.compile(r"(\d+) passed")


class Pace(NamedTuple):
    """How often something stands still, and for how long at most."""

    gap_s: float
    most_s: float


def pace(text: str) -> Pace:
    """`4:1.5` as every 4 s on average, 1.5 s at most."""
    gap, _, most = text.partition(":")
    try:
        found = Pace(float(gap), float(most))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text}: write GAP:MOST in seconds, as 4:1.5; 0:0 for never"
        ) from None
    if found.gap_s < 0 or (found.gap_s > 0 and not _LEAST_S <= found.most_s <= 60):
        raise argparse.ArgumentTypeError(f"{text}: MOST is a number of seconds from {_LEAST_S:g} to 60")
    return found


def arguments(parser: argparse.ArgumentParser) -> None:
    """What this benchmark may be told."""
    parser.add_argument("tests", nargs="+", metavar="PATH", help="files or folders of tests")
    parser.add_argument(
        "--all", type=pace, default=Pace(4.0, 1.5), metavar="GAP:MOST", help="(default 4:1.5)"
    )
    parser.add_argument(
        "--one", type=pace, default=Pace(4.0, 1.2), metavar="GAP:MOST", help="(default 4:1.2)"
    )
    parser.add_argument("--workers", type=int, default=2, metavar="N", help="files at a time (default 2)")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="of the moments (default 1)")


class Stalls:
    """Stops a tree of processes, or one of its kinds, at moments of its own."""

    def __init__(self, root: psutil.Process, paces: dict[str, Pace], seed: int) -> None:
        self.seconds = {name: 0.0 for name, one in paces.items() if one.gap_s}
        self._root, self._paces, self._chance = root, paces, random.Random(seed)
        self._due = {name: self._next(name) for name in self.seconds}

    def _next(self, name: str) -> float:
        return time.monotonic() + self._chance.expovariate(1 / self._paces[name].gap_s)

    def look(self) -> None:
        """Stop what is due, wait, and let it go on."""
        for name, at in self._due.items():
            if time.monotonic() < at:
                continue
            for_s = self._chance.uniform(_LEAST_S, self._paces[name].most_s)
            stand_still(self._tree() if name == "all" else self._some_one(), for_s)
            self.seconds[name] += for_s
            self._due[name] = self._next(name)

    def _tree(self) -> list[psutil.Process]:
        with contextlib.suppress(psutil.Error):
            return [self._root, *self._root.children(recursive=True)]
        return []

    def _some_one(self) -> list[psutil.Process]:
        kinds: dict[str, list[psutil.Process]] = {}
        for one in self._tree()[1:]:
            with contextlib.suppress(psutil.Error):
                if one.status() != psutil.STATUS_STOPPED:  # a test may have stopped it itself
                    kinds.setdefault(" ".join(one.cmdline()[:4]), []).append(one)
        return [self._chance.choice(kinds[self._chance.choice(sorted(kinds))])] if kinds else []


def stand_still(processes: Sequence[psutil.Process], for_s: float) -> None:
    """Stop these processes for so long; whoever is stopped already stays so."""
    stopped = []
    for one in processes:
        with contextlib.suppress(psutil.Error):
            if one.status() != psutil.STATUS_STOPPED:
                one.send_signal(signal.SIGSTOP)
                stopped.append(one)
    try:
        time.sleep(for_s)
    finally:
        for one in stopped:
            with contextlib.suppress(psutil.Error):
                one.send_signal(signal.SIGCONT)


def run(progress: Callable[[str], None], chosen: argparse.Namespace) -> dict[str, object]:
    """Tests that passed and failed, and for how long what stood still."""
    words = ["-q", "-rfE", "--tb=short", "-p", "no:cacheprovider"]
    many = ["-n", str(chosen.workers), "--dist", "loadfile"] if chosen.workers > 1 else []
    began, told_s = time.monotonic(), 0.0
    with (
        tempfile.TemporaryFile("w+") as log,
        subprocess.Popen(
            [sys.executable, "-m", "pytest", *words, *many, *chosen.tests], cwd=HOUSE, stdout=log, stderr=log
        ) as process,
    ):
        stalls = Stalls(psutil.Process(process.pid), {"all": chosen.all, "one": chosen.one}, chosen.seed)
        try:
            while process.poll() is None:
                stalls.look()
                time.sleep(_LOOK_S)
                if time.monotonic() - began > told_s + 60:
                    told_s += 60
                    progress(f"{told_s:.0f} s")
        finally:
            if process.poll() is None:
                process.terminate()
        log.seek(0)
        said = log.read()
    if process.returncode:
        print(said, file=sys.stderr)
    passed = _PASSED.findall(said)
    return {
        "passed": int(passed[-1]) if passed else 0,
        "failed": _SAID.findall(said),
        "status": process.returncode,
        "seconds": round(time.monotonic() - began, 1),
        **{f"seconds that {name} stood still": round(spent, 1) for name, spent in stalls.seconds.items()},
    }


def failed(figures: dict[str, object]) -> bool:
    """Whether the figures are those of a failure."""
    return bool(figures["status"])
