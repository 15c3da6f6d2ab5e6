"""Seeded faults against real processes, and at the end the count: sent = stored, exactly once.

`python -m bench faults [--schedules N] [--seed S] [--only I] [--jobs J] [--json]`. Each schedule starts mosquitto, `tatpar collect`
and the probes' agent, makes reports, and meanwhile kills, cuts, fills disks and steps clocks at moments drawn from (seed, index).
Status 1 when any schedule fails; it is then printed with its differences, and its folder is kept.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from bench._faults.campaign import campaign
from bench._faults.databases import INFLUX1, VICTORIA
from bench._faults.schedule import SQLITE, Shape

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench._faults.campaign import Outcome


def arguments(parser: argparse.ArgumentParser) -> None:
    """What this benchmark takes beside the common options."""
    parser.add_argument("--schedules", type=_some, default=20, metavar="N", help="how many (default 20)")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="of the draw (default 1)")
    parser.add_argument("--first", type=int, default=0, metavar="I", help="index of the first (default 0)")
    parser.add_argument("--only", type=int, metavar="I", help="only the schedule of this index")
    parser.add_argument("--jobs", type=_some, default=3, metavar="J", help="schedules at once (default 3)")
    parser.add_argument(
        "--collectors", type=_some, default=1, metavar="C", help="that share the load (default 1)"
    )
    parser.add_argument(
        "--store", choices=(SQLITE, INFLUX1, VICTORIA), default=SQLITE, help="where reports go"
    )
    parser.add_argument("--keep", type=Path, metavar="DIR", help="where folders of failed ones are kept")


def _some(text: str) -> int:
    """A whole number of at least 1: a campaign of nothing would prove nothing."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is too few; write a whole number of at least 1")
    return number


def run(progress: Callable[[str], None], chosen: argparse.Namespace) -> dict[str, object]:
    """Figures by name."""
    first = chosen.first if chosen.only is None else chosen.only
    indices = range(first, first + (chosen.schedules if chosen.only is None else 1))
    shape = Shape(collectors=chosen.collectors, store=chosen.store)
    began = time.monotonic()
    finished = 0

    def done(outcome: Outcome) -> None:
        nonlocal finished
        finished += 1
        if outcome.failed:
            print("\n".join(outcome.lines()), file=sys.stderr, flush=True)
        elif chosen.only is not None:
            progress("\n  ".join(outcome.schedule.lines()))
        if finished % 10 == 0 or finished == len(indices):
            progress(f"{finished} of {len(indices)} schedules in {time.monotonic() - began:.0f} s")

    total = asyncio.run(
        campaign(chosen.seed, indices, shape=shape, jobs=chosen.jobs, keep=chosen.keep, done=done)
    )
    return {
        "schedules": total.schedules,
        "failures": [outcome.schedule.name for outcome in total.failed],
        "faults": dict(total.faults.most_common()),
        "reports sent": total.sent,
        "reports stored": total.stored,
        "duplicates refused, at least": total.duplicates,
        "windows that died in a killed probe before they had a number": total.unnumbered,
        "seconds": round(time.monotonic() - began, 1),
        "longest schedule, seconds": round(total.longest_s, 1),
    }


def failed(figures: dict[str, object]) -> bool:
    """Whether the figures are those of a failure."""
    return bool(figures["failures"])
