"""The daily swing of a line's figures: slots in which it stands off its level as it often does at that time of the day."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.ndimage import maximum_filter1d, median_filter

from analytics.ranks import medians
from telemetry.windows import SLOTS_PER_DAY

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEAST_OTHERS: Final = 3
"""So many other days must show it at that time of the day, ..."""
LEAST_SHARE_OF_DAYS: Final = 0.125
"""... and that share of all days: a swing of one weekday is a seventh of them."""
ALIKE: Final = 0.5
"""Another day shows it when it is off to the same side at least so far, as a share."""
OFF_FROM: Final = 0.5
"""Off its level is a line from half of what would be told on: else the feet of a swing stay and look like small moves."""
LATE_SLOTS: Final = 25
"""Rush hours do not keep time: an hour earlier or later is the same time of the day."""
_SMOOTH: Final = 7
_AROUND: Final = 3
"""Days, the one itself in the middle, whose median is the level."""


def explained_by_hour(
    values: NDArray[np.float64], least_step: float, least_share: float
) -> NDArray[np.bool_]:
    """(T,) whether the usual hour explains that a slot is off its level.

    Args:
        values: (T,) five-minute slots without holes in time, NaN where nothing was measured.
        least_step: the least move that is told, in the unit of the values; what is off by less than half of it is at its level.
        least_share: the same as a share of the level; the larger of both counts.

    The level is the median of the day and its two neighbours, slot by slot. A slot is of the daily swing when it is off, and on at least
    three other days and an eighth of all, within an hour of that time, the line was off to the same side at least half as far.
    """
    count = len(values)
    days = -(-count // SLOTS_PER_DAY)
    if days <= LEAST_OTHERS:
        return np.zeros(count, dtype=np.bool_)
    level = _level(values)
    known = np.isfinite(values)
    off = median_filter(np.where(known, values - level, 0.0), _SMOOTH, mode="nearest")
    least = np.maximum(least_step, least_share * level) * OFF_FROM
    others = max(LEAST_OTHERS, int(np.ceil(LEAST_SHARE_OF_DAYS * days)))
    out = np.zeros(count, dtype=np.bool_)
    for side in (off, -off):
        out |= (side >= least) & (_shown(side, days, others)[:count] >= np.maximum(least, ALIKE * side))
    return out & known


def _shown(side: NDArray[np.float64], days: int, others: int) -> NDArray[np.float64]:
    """How far off at least so many other days have been at that time of the day, an hour more or less."""
    reached = maximum_filter1d(side, LATE_SLOTS, mode="nearest")
    whole = np.full(days * SLOTS_PER_DAY, -np.inf)
    whole[: len(side)] = reached
    by_day = whole.reshape(days, SLOTS_PER_DAY)
    rank = max(days - others - 1, 0)  # one more than the others: the day itself is among them
    return np.tile(np.partition(by_day, rank, axis=0)[rank], days)


def _level(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """(T,) the running median over three days, from one slot in six; the nearest known one where nothing was measured."""
    step = 6
    thin = values[::step]
    half = _AROUND * SLOTS_PER_DAY // step // 2
    wide = np.pad(thin, half, constant_values=np.nan)
    level = medians(np.lib.stride_tricks.sliding_window_view(wide, 2 * half + 1))[0]
    at = np.arange(len(thin))
    there = np.isfinite(level)
    if not there.any():
        return np.zeros(len(values))
    return np.repeat(np.interp(at, at[there], level[there]), step)[: len(values)]
