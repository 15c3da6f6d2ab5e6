"""Percentiles by nearest rank, RFC 2330 section 11.3: the smallest x with F(x) >= p."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telemetry.arrays import np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray


def nearest_rank(values: ArrayLike, p: Sequence[float]) -> NDArray[np.float64]:
    """Percentiles `p` (each in 0..1] of the values, shape (len(p),); NaN for no values."""
    ordered = np.sort(np.asarray(values, dtype=np.float64), axis=None)
    return of_sorted(ordered, p)


def of_sorted(ordered: NDArray[np.float64], p: Sequence[float]) -> NDArray[np.float64]:
    """The same for values already in rising order."""
    n = len(ordered)
    if n == 0:
        return np.full(len(p), np.nan)
    rank = np.ceil(np.asarray(p, dtype=np.float64) * n - 1e-9).astype(np.int64)
    return ordered[np.clip(rank, 1, n) - 1]
