"""Levels of lines that moved in a week: round trip, jitter or loss that has been higher or lower ever since."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd  # type: ignore[import-untyped,unused-ignore]
from msgspec import structs

from analytics.changes.moved import LEAST_SHARE, LEAST_STEP, Moved, level_moves
from analytics.ranks import medians
from telemetry.store.line_figures import line_figures
from telemetry.windows import DAY_NS, SLOTS_PER_DAY

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from analytics.changes.series import Metric
    from reports.week import Week
    from telemetry.store.protocol import StoreReader

BEFORE_NS: Final = 21 * DAY_NS
"""What is read before the week: a move is weighed by what was there, and apart from the day's own rhythm."""


def moves(
    reader: StoreReader, sites: Sequence[str], paths: Sequence[str], week: Week, until_ns: int
) -> list[Moved]:
    """The moves of these offices' lines within the week."""
    first_ns = week.start_ns - BEFORE_NS
    found: list[Moved] = []
    for path in paths:
        figures = line_figures(reader, sites, (path,), first_ns, until_ns)
        for row, site in enumerate(sites):
            own = _candidates({metric: by_day(figures[metric][row, 0]) for metric in LEAST_STEP})
            found += joined(level_moves(own, (site,), (path,), first_ns))
    return [move for move in found if week.start_ns <= move.when_ns < until_ns]


def joined(moves_of_line: Iterable[Moved]) -> list[Moved]:
    """Steps of one figure of one line within a day of each other are one move, at the time of the largest."""
    by_metric: dict[Metric, list[Moved]] = {}
    for move in moves_of_line:
        by_metric.setdefault(move.metric, []).append(move)
    found = []
    for metric, steps in by_metric.items():
        runs: list[list[Moved]] = []
        for step in steps:
            if runs and step.when_ns - runs[-1][-1].when_ns < DAY_NS:
                runs[-1].append(step)
            else:
                runs.append([step])
        whole = (_whole(run) for run in runs)
        found += [
            move
            for move in whole
            if abs(move.after - move.before) >= max(LEAST_STEP[metric], LEAST_SHARE * move.before)
        ]
    return found


def _whole(run: list[Moved]) -> Moved:
    largest = max(run, key=lambda step: abs(step.after - step.before))
    return structs.replace(largest, before=run[0].before, after=run[-1].after)


def by_day(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The middle of the day around each slot, (1, 1, T): what lasts less than half a day, as each evening's crowd, is no level."""
    running = (
        pd.Series(values).rolling(SLOTS_PER_DAY, center=True, min_periods=SLOTS_PER_DAY * 3 // 4).median()
    )
    return np.asarray(running, dtype=np.float64)[None, None]


def _candidates(figures: Mapping[Metric, NDArray[np.float64]]) -> dict[Metric, NDArray[np.float64]]:
    """Those of one line whose days differ by a step that is told at all: the search costs far more than this look."""
    return {
        metric: values for metric, values in figures.items() if _differs(values[0, 0], LEAST_STEP[metric])
    }


def _differs(values: NDArray[np.float64], least: float) -> bool:
    days = values[: len(values) // SLOTS_PER_DAY * SLOTS_PER_DAY].reshape(-1, SLOTS_PER_DAY)
    if not len(days):
        return False
    level = medians(days)[0]
    known = level[np.isfinite(level)]
    return bool(len(known) > 1 and known.max() - known.min() >= least)
