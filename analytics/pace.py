"""How fast offices are linked, and when all would be: a straight line through the last four weeks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

SPAN_DAYS: Final = 28
LEAST_DAYS: Final = 7
"""Of less than a week nothing is said: a delivery of one morning is no pace."""
FARTHEST_DAYS: Final = 3650
"""Beyond ten years a straight line says nothing."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Offices a week, and in how many days all are linked; None where the line does not get there."""

    per_week: float
    days_left: float | None


def pace(days: NDArray[np.int64], linked: NDArray[np.int64], total: int) -> Pace | None:
    """The least-squares slope of the last `SPAN_DAYS`, carried on from today's count; None when too little is known.

    Args:
        days: (n,) days since the Unix epoch, ascending; the last is today.
        linked: (n,) offices that were linked on each.
        total: all offices, linked and planned, today.
    """
    recent = days > days[-1] - SPAN_DAYS if len(days) else days > 0
    x, y = days[recent].astype(float), linked[recent].astype(float)
    if len(x) < 2 or x[-1] - x[0] < LEAST_DAYS:
        return None
    x -= x.mean()
    slope = float((x * (y - y.mean())).sum() / (x * x).sum())
    left = total - int(linked[-1])
    if left <= 0:
        return Pace(7 * slope, 0.0)
    days_left = left / slope if slope > 0 else np.inf
    return Pace(7 * slope, days_left if days_left <= FARTHEST_DAYS else None)
