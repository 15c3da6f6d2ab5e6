"""How the line would fare under other limits: hours that failed at half the limit, and at twice it.

Two lines that never failed differ by how near they came, and two that fail every evening by how far they go beyond. Both tell
of tomorrow: what fails by far fails again, what fails by a hair may not.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np

from analytics.forecast.fading import DAY, TEN_DAYS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

OTHER_LIMITS: Final = {"near": 0.5, "far": 2.0}
"""The strain beyond which a slot breaks, by name: half the limit, twice the limit."""
_SORTED: Final = sorted(OTHER_LIMITS.values())
UNKNOWN: Final = 255
FIRST_RATE: Final = 0.1
"""Of hours that fail under another limit, before any is known."""


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
    ten_had, day_had = TEN_DAYS.counts(had), DAY.counts(had)
    out = []
    for failed in others:
        fails = had & failed
        ten = TEN_DAYS.rate(TEN_DAYS.counts(fails), ten_had, FIRST_RATE)
        day = DAY.rate(DAY.counts(fails), day_had, ten)
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
