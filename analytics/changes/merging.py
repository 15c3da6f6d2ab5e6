"""Segments of steady level, by merging neighbours from the bottom up (Ward 1963, neighbours in time only).

Every sample begins as a segment of its own. The price of a boundary is what merging its two segments adds to the
sum of squares, n1 n2 / (n1 + n2) (m1 - m2)^2: the price that PELT's penalty is compared with. Boundaries go from the
cheapest on, so one pass says of every boundary up to which penalty it stands, for all penalties at once.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

PENALTIES: Final = np.geomspace(10.0, 100_000.0, 25)
"""The ladder of penalties, in squared noise; a rung is 1.47 times the one below."""
PASSES: Final = 20
"""So many times all boundaries of a penalty are looked at together. Where equal samples follow each other, an outage that
was carried over, only one goes each time: from then on only what lies beside the last that went is looked at."""


def persistence(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """(T,) the highest penalty of the ladder at which a boundary before each sample still stands; 0 where none does.

    `values` (T,) are in units of their noise and without NaN.
    """
    total = len(values)
    stands = np.zeros(total)
    start = np.arange(total)
    sums = values - values.mean() if total else values
    count: NDArray[np.float64] = np.ones(total)
    for penalty in PENALTIES:
        for _ in range(PASSES):
            price = _prices(sums, count)
            goes = _cheapest_around(price) & (price < penalty)
            if not goes.any():
                break
            keeps = np.concatenate([[True], ~goes])
            start, sums, count = _merged(keeps, start, sums, count)
        else:
            keeps, sums, count = _rest(sums, count, penalty)
            start = start[keeps]
        stands[start[1:]] = penalty
    return stands


def _merged(
    keeps: NDArray[np.bool_], start: NDArray[np.int64], sums: NDArray[np.float64], count: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    group = np.cumsum(keeps) - 1
    return start[keeps], _by_group(group, sums), _by_group(group, count)


def _by_group(group: NDArray[np.int64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.bincount(group, values).astype(np.float64)


def _rest(
    sums: NDArray[np.float64], count: NDArray[np.float64], penalty: float
) -> tuple[NDArray[np.bool_], NDArray[np.float64], NDArray[np.float64]]:
    """Which segments (N,) keep their boundaries up to this penalty, and the sums and counts of those.

    The very passes that looking at all boundaries would be: only those beside one that just went can have become cheapest.
    """
    total, own, size = len(sums), sums.tolist(), count.tolist()
    price = [math.inf, *_prices(sums, count).tolist(), math.inf]
    before, after = list(range(-1, total)), list(range(1, total + 2))
    keeps = np.ones(total, dtype=np.bool_)
    look: Iterable[int] = range(1, total)
    while goes := [i for i in look if price[before[i]] >= price[i] < price[after[i]] and price[i] < penalty]:
        beside: set[int] = set()
        for i in goes:
            left, right = before[i], after[i]
            own[left] += own[i]
            size[left] += size[i]
            after[left], before[right] = right, left
            beside |= {left, right}
        keeps[goes] = False
        beside -= {0, total}
        for i in beside:
            left = before[i]
            apart = own[i] / size[i] - own[left] / size[left]
            price[i] = size[left] * size[i] / (size[left] + size[i]) * (apart * apart)
        look = beside.union((before[i] for i in beside), (after[i] for i in beside)) - {0, total}
    return keeps, np.array(own)[keeps], np.array(size)[keeps]


def _prices(sums: NDArray[np.float64], count: NDArray[np.float64]) -> NDArray[np.float64]:
    apart = np.diff(sums / count)
    return np.asarray(count[:-1] * count[1:] / (count[:-1] + count[1:]) * apart**2)


def _cheapest_around(price: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Boundaries that cost less than both neighbours (the later one of equals): they can go in one stroke."""
    wide = np.pad(price, 1, constant_values=np.inf)
    return np.asarray((price <= wide[:-2]) & (price < wide[2:]))
