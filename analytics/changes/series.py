"""A line's samples made ready to be searched: gaps carried over, noise measured, spikes taken out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

Metric: TypeAlias = Literal["rtt", "jitter", "loss"]
METRICS: Final[tuple[Metric, ...]] = ("rtt", "jitter", "loss")
FLOORS: Final[dict[Metric, float]] = {"rtt": 0.05, "jitter": 0.05, "loss": 0.9}
"""The least noise that is believed: ms, ms, and what 3,000 packets leave in a loss as `steadied` turns it."""
MAD_TO_SIGMA: Final = 1.4826
_HALF_WIDTHS: Final = 1.0 / np.sqrt(2.0)
"""The difference of two samples is wider than one sample by the square root of two."""


def carried(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """(..., T) with every NaN replaced by the last value before it, and leading ones by the first; all NaN becomes 0."""
    known = np.isfinite(values)
    at = np.where(known, np.arange(values.shape[-1]), -1)
    at = np.maximum.accumulate(at, axis=-1)
    first = np.argmax(known, axis=-1)[..., None]
    filled = np.take_along_axis(values, np.where(at < 0, first, at), axis=-1)
    return np.asarray(np.nan_to_num(filled))


def noise(values: NDArray[np.float64], floor: float) -> NDArray[np.float64]:
    """(...,) the noise of (..., T) samples: the median step from one to the next, as a standard deviation; at least `floor`."""
    steps = np.abs(np.diff(values, axis=-1))
    if not steps.shape[-1]:
        return np.full(values.shape[:-1], floor)
    return np.asarray(np.maximum(MAD_TO_SIGMA * _HALF_WIDTHS * np.median(steps, axis=-1), floor))


def without_spikes(values: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    """(T,) the running median over `width` (odd) samples; the ends repeat the outermost sample."""
    wide = np.pad(values, width // 2, mode="edge")
    return np.asarray(np.median(np.lib.stride_tricks.sliding_window_view(wide, width), axis=-1))


def beside(values: NDArray[np.float64], at: NDArray[np.int64], reach: int) -> NDArray[np.float64]:
    """(C, 2 reach) the samples on both sides of each boundary, NaN beyond the ends."""
    wide = np.pad(values, reach, constant_values=np.nan)
    return np.lib.stride_tricks.sliding_window_view(wide, 2 * reach)[at]


def steadied(values: NDArray[np.float64], metric: Metric) -> NDArray[np.float64]:
    """Values whose noise does not hang on their level: loss, a ratio 0..1, as 100 asin(sqrt(ratio)); ms as they are.

    0.1 % loss becomes 3.2, 2 % becomes 14.2, and of 3,000 packets (five minutes at ten a second) the noise is 0.9 at either.
    """
    if metric != "loss":
        return values
    return np.asarray(100.0 * np.arcsin(np.sqrt(np.clip(values, 0.0, 1.0))))
