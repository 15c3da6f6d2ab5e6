"""How the line would fare under other limits: hours that failed at half the limit, and at twice it.

Two lines that never failed differ by how near they came, and two that fail every evening by how far they go beyond. Both tell
of tomorrow: what fails by far fails again, what fails by a hair may not.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.signal import lfilter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

OTHER_LIMITS: Final = {"near": 0.5, "far": 2.0}
"""The strain beyond which a slot breaks, by name: half the limit, twice the limit."""
_SORTED: Final = sorted(OTHER_LIMITS.values())
UNKNOWN: Final = 255
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


def margins(had: NDArray[np.bool_], others: Sequence[NDArray[np.bool_]]) -> tuple[Margin, ...]:
    """The rates of known hours (N, H), judged by each of some other limits."""
    hours = [_fading(had, half) for half in (TEN_DAYS_HOURS, DAY_HOURS)]
    out = []
    for failed in others:
        count = [_fading(had & failed, half) for half in (TEN_DAYS_HOURS, DAY_HOURS)]
        ten = (count[0] + TEN_DAYS_PRIOR_HOURS * FIRST_RATE) / (hours[0] + TEN_DAYS_PRIOR_HOURS)
        day = (count[1] + DAY_PRIOR_HOURS * ten) / (hours[1] + DAY_PRIOR_HOURS)
        out.append(Margin(failed, ten.astype(np.float32), day.astype(np.float32)))
    return tuple(out)


def coarse(strain: NDArray[np.float32]) -> NDArray[np.uint8]:
    """As much of a strain as is looked at here: how many of the limits it lies beyond; `UNKNOWN` where it is not known."""
    between = np.digitize(strain, _SORTED, right=True).astype(np.uint8)
    return np.where(np.isnan(strain), np.uint8(UNKNOWN), between)


def strain_of(classes: NDArray[np.uint8]) -> NDArray[np.float32]:
    """A strain of each class of `coarse`, which is coarse again."""
    known = np.array([0.0, *((low + high) / 2.0 for low, high in pairwise(_SORTED)), 2.0 * _SORTED[-1]])
    table = np.full(UNKNOWN + 1, np.nan, dtype=np.float32)
    table[: len(known)] = known
    return np.asarray(table[classes])


def _fading(of: NDArray[np.bool_], half_hours: float) -> Floats:
    """Fading counts (N, H + 1) before the first hour and after each."""
    keep = 0.5 ** (1.0 / half_hours)
    counts = np.zeros((of.shape[0], of.shape[1] + 1))
    counts[:, 1:] = lfilter([1.0], [1.0, -keep], of.astype(np.float64), axis=1)
    return counts
