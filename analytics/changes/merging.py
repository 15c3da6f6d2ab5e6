"""Segments of steady level, by merging neighbours from the bottom up (Ward 1963, neighbours in time only).

Every sample begins as a segment of its own. The price of a boundary is what merging its two segments adds to the
sum of squares, n1 n2 / (n1 + n2) (m1 - m2)^2: the price that PELT's penalty is compared with. Boundaries go from the
cheapest on, so one pass says of every boundary up to which penalty it stands, for all penalties at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

PENALTIES: Final = np.geomspace(10.0, 100_000.0, 25)
"""The ladder of penalties, in squared noise; a rung is 1.47 times the one below."""


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
        while len(start) > 1:
            price = _prices(sums, count)
            goes = _cheapest_around(price) & (price < penalty)
            if not goes.any():
                break
            keeps = np.concatenate([[True], ~goes])
            group = np.cumsum(keeps) - 1
            start = start[keeps]
            sums, count = np.bincount(group, sums), np.bincount(group, count).astype(np.float64)
        stands[start[1:]] = penalty
    return stands


def _prices(sums: NDArray[np.float64], count: NDArray[np.float64]) -> NDArray[np.float64]:
    apart = np.diff(sums / count)
    return np.asarray(count[:-1] * count[1:] / (count[:-1] + count[1:]) * apart**2)


def _cheapest_around(price: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Boundaries that cost less than both neighbours (the later one of equals): they can go in one stroke."""
    wide = np.pad(price, 1, constant_values=np.inf)
    return np.asarray((price <= wide[:-2]) & (price < wide[2:]))
