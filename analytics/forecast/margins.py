"""How the line would fare under other limits: hours that failed at half the limit, and at twice it.

Two lines that never failed differ by how near they came, and two that fail every evening by how far they go beyond. Both tell
of tomorrow: what fails by far fails again, what fails by a hair may not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.signal import lfilter

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

OTHER_LIMITS: Final = {"near": 0.5, "far": 2.0}
"""The strain beyond which a slot breaks, by name: half the limit, twice the limit."""
TEN_DAYS_HOURS: Final = 240.0
TEN_DAYS_PRIOR_HOURS: Final = 24.0
DAY_HOURS: Final = 24.0
DAY_PRIOR_HOURS: Final = 6.0
FIRST_RATE: Final = 0.1


@dataclass(frozen=True, slots=True)
class Margin:
    """Hours of N lines judged by another limit.

    Attributes:
        failed: (N, H) the hour would have failed.
        ten: (N, H + 1) the rate of that, halving in ten days, before the first hour and after each.
        day: (N, H + 1) the same, halving in a day, shrunk to `ten`.
    """

    failed: NDArray[np.bool_]
    ten: NDArray[np.float32]
    day: NDArray[np.float32]


def margin(had: NDArray[np.bool_], failed: NDArray[np.bool_]) -> Margin:
    """The rates of hours (N, H)."""
    ten = _rate(had, failed, TEN_DAYS_HOURS, FIRST_RATE, TEN_DAYS_PRIOR_HOURS)
    day = _rate(had, failed, DAY_HOURS, ten, DAY_PRIOR_HOURS)
    return Margin(failed, ten.astype(np.float32), day.astype(np.float32))


def _rate(
    had: NDArray[np.bool_],
    failed: NDArray[np.bool_],
    half_hours: float,
    prior: Floats | float,
    worth_hours: float,
) -> Floats:
    keep = 0.5 ** (1.0 / half_hours)
    sums = [
        np.asarray(lfilter([1.0], [1.0, -keep], np.pad(of.astype(np.float64), ((0, 0), (1, 0))), axis=1))
        for of in (had & failed, had)
    ]
    return np.asarray((sums[0] + worth_hours * prior) / (sums[1] + worth_hours))
