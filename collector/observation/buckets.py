"""Durations counted into buckets, many at a time, so that the commit path pays nothing that could be seen."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

LAG_S: Final = (0.05, 0.1, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)
"""A probe spreads its publishing over a second: finer below two, coarser above."""
INTAKE_S: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
COMMIT_S: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Buckets:
    """A histogram with fixed upper bounds in seconds; a value on a bound belongs below it, as Prometheus wants."""

    def __init__(self, bounds_s: Sequence[float]) -> None:
        self._bounds = np.array(bounds_s, np.float64)
        self._counts = np.zeros(len(bounds_s) + 1, np.int64)
        self.sum_s = 0.0

    def add(self, values_s: ArrayLike) -> None:
        """Count values, shape (n,); one below zero counts as zero (it is a clock's error, not a duration)."""
        values = np.maximum(np.asarray(values_s, np.float64), 0.0)
        if values.size:
            at = np.searchsorted(self._bounds, values, side="left")
            self._counts += np.bincount(at, minlength=len(self._counts))
            self.sum_s += float(values.sum())

    @property
    def count(self) -> int:
        """Values counted."""
        return int(self._counts.sum())

    def cumulative(self) -> list[tuple[str, float]]:
        """Per upper bound, `+Inf` last, how many values are not above it."""
        names = [*(f"{bound:g}" for bound in self._bounds.tolist()), "+Inf"]
        return [(name, float(n)) for name, n in zip(names, accumulate(self._counts.tolist()), strict=True)]
