"""Where the levels of lines moved, apart from the day's own rhythm: what a report tells of a week, and a desk of an office."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np
from msgspec import Struct

from analytics.changes.daily import explained_by_hour
from analytics.changes.offline import changes, standing
from analytics.changes.series import METRICS, Metric
from analytics.ranks import medians
from telemetry.windows import SLOT_NS, SLOTS_PER_DAY

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from analytics.changes.trees import Trees

LEAST_STEP: Final[dict[Metric, float]] = {"rtt": 2.0, "jitter": 1.0, "loss": 0.002}
LEAST_SHARE: Final = 0.1
"""A move is told when it is at least so large, and that share of the level before."""
LEAST_DAYS: Final = 5
"""Days of which a rhythm is believed."""


class Moved(Struct, frozen=True, kw_only=True):
    """A level that moved: the medians of the slots between this change and its neighbours, in ms, or a ratio for loss."""

    site: str
    path: str
    metric: Metric
    when_ns: int
    before: float
    after: float


def level_moves(
    figures: Mapping[Metric, NDArray[np.float64]],
    sites: Sequence[str],
    paths: Sequence[str],
    first_ns: int,
    trees: Trees | None = None,
) -> tuple[Moved, ...]:
    """Every move of these lines, by time; of those at one time by office, line and figure.

    Args:
        figures: (S, P, T) of each metric that is asked, five-minute slots, NaN where nothing was measured: round trip
            and jitter in ms, loss as a ratio 0..1 (`telemetry.store.line_figures`). Some weeks of them: a move is weighed
            by what came before and after it, and a day's rhythm is believed from `LEAST_DAYS` on.
        sites: the S offices.
        paths: the P lines.
        first_ns: start of the first slot.
        trees: what weighs the boundaries of round trips; None: one penalty does, as for jitter and loss.
    """
    found = [
        move
        for metric in METRICS
        if metric in figures
        for row, site in enumerate(sites)
        for column, path in enumerate(paths)
        for move in _of_line(site, path, metric, figures[metric][row, column], first_ns, trees)
    ]
    found.sort(
        key=lambda move: (
            move.when_ns,
            sites.index(move.site),
            paths.index(move.path),
            METRICS.index(move.metric),
        )
    )
    return tuple(found)


def _of_line(  # noqa: PLR0913, PLR0917 - a line's names, its figures, how to look
    site: str,
    path: str,
    metric: Metric,
    values: NDArray[np.float64],
    first_ns: int,
    trees: Trees | None,
) -> list[Moved]:
    """Levels are of the figures as measured, less the slots in which they are off as they often are at that time of the day."""
    if not np.isfinite(values).any():
        return []
    values = np.where(explained_by_hour(values, LEAST_STEP[metric], LEAST_SHARE), np.nan, values)
    plain = _without_habit(values)
    found = standing(plain, metric) if trees is None or metric != "rtt" else changes(plain, trees)
    while True:  # a cut that is not told joins its two sides, and their neighbours are weighed anew
        cuts = [0, *found.tolist(), len(values)]
        level = np.array([_median(values[low:high]) for low, high in pairwise(cuts)])
        before, after = level[:-1], level[1:]
        told = np.abs(after - before) >= np.maximum(LEAST_STEP[metric], LEAST_SHARE * before)
        if told.all():
            break
        found = found[told]
    return [
        Moved(site=site, path=path, metric=metric, when_ns=first_ns + cut * SLOT_NS, before=low, after=high)
        for cut, low, high in zip(found.tolist(), before.tolist(), after.tolist(), strict=True)
    ]


def _without_habit(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Figures less what the time of day adds to them: the median of that slot of all days over that of all slots."""
    days = -(-len(values) // SLOTS_PER_DAY)
    if days < LEAST_DAYS:
        return values
    whole = np.full(days * SLOTS_PER_DAY, np.nan)
    whole[: len(values)] = values
    by_day = whole.reshape(days, SLOTS_PER_DAY)
    habit, known = medians(by_day.T)
    added = np.where(known >= LEAST_DAYS, habit - medians(values)[0], 0.0)
    return np.asarray(np.maximum(by_day - added, 0.0).ravel()[: len(values)])


def _median(values: NDArray[np.float64]) -> float:
    return round(float(medians(values)[0]), 5)
