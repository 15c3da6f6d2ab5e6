"""How many windows of a meeting break at the least, whatever comes of those that are still missing.

What is judged now may be judged otherwise when more has come. Loss is pooled with the windows before (`judge`), so that a sound one that
comes late may take back what the others proved together. And which windows are put down to the probe's own trouble (`own_trouble`) is known
when all have come; but they are no more than `MOST_WINDOWS`. A limit above the line's floor is judged by the floor as it is known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analytics.judge import POOL_WINDOWS, judge
from analytics.losses import trailing_sum
from analytics.own_trouble import MOST_WINDOWS, changed_windows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analytics.losses import Values
    from config.profiles import Limits


def least_broken(
    values: Values, cleared: Values, limits: Limits, room: int = MOST_WINDOWS
) -> NDArray[np.int64]:
    """How many windows of each line break for certain, (S, P).

    Args:
        values: windows (S, P, W) as reported, by the names of `WINDOW_VALUE_COLUMNS` (as `judge` takes them), NaN where one is missing.
        cleared: the same without all that the probe's own trouble could explain, however much of that is believed.
        limits: what breaks a window.
        room: how many windows of a line are put down to that trouble at the most.
    """
    alone, left = judge(values, limits), judge(cleared, limits)
    pooled = judge(values, limits, pool_windows=POOL_WINDOWS)
    unsure = ~alone.present | changed_windows(values, cleared)
    by_pool = pooled.breaks & (trailing_sum(unsure.astype(np.int64), POOL_WINDOWS) == 0)
    anyhow = by_pool | (alone.breaks & left.breaks)
    unless_explained = alone.breaks & ~left.breaks
    beyond = np.maximum(unless_explained.sum(axis=-1) - room, 0)
    return np.asarray(anyhow.sum(axis=-1) + beyond, dtype=np.int64)
