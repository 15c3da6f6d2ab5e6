"""Values by their rank along the last axis, NaN left out: what the median of few and broken figures stands on."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

Precision = TypeVar("Precision", bound=np.floating)


def medians(values: NDArray[Precision]) -> tuple[NDArray[Precision], NDArray[np.int64]]:
    """Median of (..., T) and how many values are behind it, (...) each; NaN where there is none. As precise as the values."""
    low, high, known = middle_two(values)
    return np.asarray((low + high) / 2.0), known


def middle_two(
    values: NDArray[Precision],
) -> tuple[NDArray[Precision], NDArray[Precision], NDArray[np.int64]]:
    """The two values that the median of (..., T) lies between, and how many are known, (...) each; NaN where there is none.

    Above a bar lies the lower one only where more than half of the values do, below it the higher one likewise.
    """
    known = np.isfinite(values).sum(axis=-1)
    if not values.shape[-1]:
        nothing = np.full(values.shape[:-1], np.nan, dtype=values.dtype)
        return nothing, nothing, known
    ordered = np.sort(values, axis=-1)
    low = _at(ordered, np.maximum(known - 1, 0) // 2)
    high = _at(ordered, np.minimum(known // 2, values.shape[-1] - 1))
    return np.where(known > 0, low, np.nan), np.where(known > 0, high, np.nan), known


def tails(
    values: NDArray[np.float64], share: float | NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The values of (..., T), T > 0, that leave at most `share`, one or (...), of the known ones below, and above them: (...) each.

    Ranks are rounded towards the middle, so that a share of odd values does not show in either.
    """
    known = np.isfinite(values).sum(axis=-1)
    ordered = np.sort(values, axis=-1)
    last = np.maximum(known - 1, 0)
    aside = np.ceil(share * last - 1e-9).astype(np.int64)
    return _at(ordered, np.minimum(aside, last // 2)), _at(ordered, last - np.minimum(aside, last // 2))


def _at(ordered: NDArray[Precision], rank: NDArray[np.int64]) -> NDArray[Precision]:
    width = ordered.shape[-1]
    of_row = (
        np.arange(rank.size).reshape(rank.shape) * width
    )  # not by `take_along_axis`: of few lines it is slow
    return np.asarray(ordered.ravel().take(of_row + rank))
