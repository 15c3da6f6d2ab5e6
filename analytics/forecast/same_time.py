"""The same time of the day on the days before, by the clock on the office's wall: the day on which it is set back has 25 hours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analytics.forecast.seen import slots_in
from telemetry.windows import DAY_NS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analytics.forecast.track import Track


def same_time(
    at: NDArray[np.int64], ago: NDArray[np.int64], ahead: NDArray[np.int64] | None
) -> NDArray[np.int64]:
    """Places `ago` before `at` on a grid of slots or hours, by the wall; of the shapes together.

    Args:
        at: places; they may lie beyond the grid, where the clock is as it is at the grid's edge.
        ago: so many slots or hours of whole days.
        ahead: (T,) by how many of them the clock is ahead of UTC; None: by the same all the time.
    """
    before = at - ago
    if ahead is None:
        return before
    then, before_that = (ahead[np.clip(place, 0, len(ahead) - 1)] for place in (at, before))
    return np.asarray(before + then - before_that)


def slots_ago(track: Track, slot: NDArray[np.int64], days: NDArray[np.int64]) -> NDArray[np.int64]:
    """Slots of a track so many days before `slot`; of the shapes together."""
    return same_time(slot, days * slots_in(track, DAY_NS), track.ahead)
