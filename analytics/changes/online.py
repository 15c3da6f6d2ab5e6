"""Changes of level as they come, for many lines at once: decided five samples after the cut that it sees, or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analytics.changes.cuts import AFTER, BEFORE, LOOKED_AT, SPAN, Cuts, cuts, figures
from analytics.changes.series import FLOORS, carried, steadied

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analytics.changes.series import Metric
    from analytics.changes.trees import Trees

LIKELY: Final = 0.3
"""The chance from which on a level counts as moved."""
STEP_IN_NOISE: Final = 1.5
LEAST_STEP: Final = 0.3
"""In ms; for loss in hundredths of a radian, see `steadied`."""
BEYOND: Final = 4
"""So many of the samples since the cut must lie past the middle between the old level and the new."""
QUIET: Final = 6
"""After a decision the same line decides nothing for fewer than so many samples: it would be the same change."""


def moved_now(newest: NDArray[np.float64], trees: Trees, metric: Metric = "rtt") -> NDArray[np.bool_]:
    """(N,) whether each line's level moved `AFTER` samples ago, counting the newest one.

    `newest` (N, SPAN): the newest samples of N lines, oldest first, NaN where nothing was measured. Where fewer than four
    of the six since were measured nothing is decided. Only cuts at which something stepped are weighed, by `trees`
    (`tatpar.shipped.level_trees.shipped_online_trees`).
    """
    those, worth = worth_weighing(newest, metric)
    worth[worth] = trees.mean(figures(those, FLOORS[metric])) >= LIKELY
    return worth


def worth_weighing(newest: NDArray[np.float64], metric: Metric) -> tuple[Cuts, NDArray[np.bool_]]:
    """The cuts at which something stepped, and (N,) which of (N, SPAN) lines they are."""
    all_cuts = cuts(carried(steadied(_gaps_first(newest), metric)), FLOORS[metric])
    past = all_cuts.height[:, LOOKED_AT:] > 0
    known = np.isfinite(newest[:, -AFTER:]).sum(axis=-1) > AFTER // 2
    large = (all_cuts.step > STEP_IN_NOISE * all_cuts.noise) & (all_cuts.step > LEAST_STEP)
    worth = np.asarray(known & large & past[:, 0] & (past.sum(axis=-1) >= BEYOND))
    return all_cuts.only(worth), worth


def _gaps_first(newest: NDArray[np.float64]) -> NDArray[np.float64]:
    """Before the cut what was measured closes up: an outage that was carried over would look like a line without noise."""
    with_gaps = np.isnan(newest[:, :LOOKED_AT]).any(axis=-1)
    if not with_gaps.any():
        return newest
    closed = newest.copy()
    old = closed[with_gaps, :LOOKED_AT]
    order = np.argsort(np.isfinite(old), axis=-1, kind="stable")
    closed[with_gaps, :LOOKED_AT] = np.take_along_axis(old, order, axis=-1)
    return closed


def windows(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """(T, SPAN) what was known at each of (T,) samples; before the first one measured lies its own value."""
    known = np.flatnonzero(np.isfinite(values))
    first = values[known[0]] if len(known) else np.nan
    return np.lib.stride_tricks.sliding_window_view(np.concatenate([np.full(SPAN - 1, first), values]), SPAN)


def decisions(values: NDArray[np.float64], trees: Trees, metric: Metric = "rtt") -> NDArray[np.int64]:
    """Indices of the samples of (T,) values at which `moved_now` would have decided, had they come one by one."""
    if len(values) < BEFORE + AFTER:
        return np.zeros(0, dtype=np.int64)
    return once(np.flatnonzero(moved_now(windows(values), trees, metric)))


def once(hits: NDArray[np.int64]) -> NDArray[np.int64]:
    """Those of the rising sample indices that come neither too early nor in the quiet after another."""
    kept: list[int] = []
    for at in hits[hits >= BEFORE + AFTER - 1].tolist():
        if not kept or at - kept[-1] >= QUIET:
            kept.append(at)
    return np.array(kept, dtype=np.int64)
