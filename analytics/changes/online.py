"""Changes of level as they come, for many lines at once: decided five samples after the change, or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analytics.changes.series import FLOORS, carried, noise, steadied

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analytics.changes.series import Metric

AFTER: Final = 5
BEFORE: Final = 20
LOOKED_AT: Final = 100
"""Samples before the cut from which the noise is taken."""
SPAN: Final = LOOKED_AT + AFTER
STEP_IN_NOISE: Final = 8.0
STEP_IN_SPREAD: Final = 4.0
LEAST_STEP: Final = 1.0
"""In ms; for loss in hundredths of a radian, see `steadied`."""
QUIET: Final = 6
"""After a decision the same line decides nothing for fewer than so many samples: it would be the same change."""


def moved(newest: NDArray[np.float64], metric: Metric = "rtt") -> NDArray[np.bool_]:
    """(N,) whether each line's level moved `AFTER` samples ago.

    `newest` (N, SPAN): the newest samples of N lines, oldest first, NaN where nothing was measured. A level moved when
    all five samples since lie past the middle between the median of the 20 before and their own, the last one before
    did not, and the step is large against the noise, against the spread and in itself. Where fewer than three of the
    five were measured nothing is decided.
    """
    filled = carried(steadied(newest, metric))
    old, new = filled[:, :LOOKED_AT], filled[:, LOOKED_AT:]
    low, high = np.median(old[:, -BEFORE:], axis=-1), np.median(new, axis=-1)
    spread = np.median(np.abs(old[:, -BEFORE:] - low[:, None]), axis=-1)
    middle, way = (low + high) / 2.0, np.sign(high - low)
    past = way[:, None] * (filled - middle[:, None]) > 0
    step = np.abs(high - low)
    known = np.isfinite(newest[:, -AFTER:]).sum(axis=-1) > AFTER // 2
    large = (step > STEP_IN_NOISE * noise(old, FLOORS[metric])) & (step > STEP_IN_SPREAD * spread)
    return np.asarray(
        known & large & (step > LEAST_STEP) & past[:, LOOKED_AT:].all(axis=-1) & ~past[:, LOOKED_AT - 1]
    )


def decisions(values: NDArray[np.float64], metric: Metric = "rtt") -> NDArray[np.int64]:
    """Indices of the samples of (T,) values at which `moved` would have decided, had they come one by one."""
    if len(values) < BEFORE + AFTER:
        return np.zeros(0, dtype=np.int64)
    known = np.flatnonzero(np.isfinite(values))
    first = values[known[0]] if len(known) else np.nan
    wide = np.concatenate([np.full(SPAN - 1, first), values])
    hit = np.flatnonzero(moved(np.lib.stride_tricks.sliding_window_view(wide, SPAN), metric))
    hit = hit[hit >= BEFORE + AFTER - 1]
    kept: list[int] = []
    for at in hit.tolist():
        if not kept or at - kept[-1] >= QUIET:
            kept.append(at)
    return np.array(kept, dtype=np.int64)
