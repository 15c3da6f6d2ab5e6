"""Whether a line's delay swings with the day, and by how much: the last-mile survey of Fontugne et al., IMC 2020.

The public analysis (InternetHealthReport/last-mile, survey.py): medians of half an hour above their minimum, Welch's
spectrum over segments of three days, median over segments; the swing is twice the amplitude of the strongest line.

For rating a line over weeks as that survey does. Nothing in the product feeds it yet; `changes.daily` leaves the daily swing out of moved levels.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.signal import detrend, welch

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

PER_HOUR: Final = 2.0
SEGMENT: Final = 144
"""Three days of half hours: the shortest series that can be judged."""
MOST_MISSING: Final = 0.1
"""A larger share of gaps makes the swing unknown; smaller ones are bridged by straight lines."""
_DAILY: Final = (1 / 25, 1 / 23)
_CLASSES_MS: Final = (0.5, 1.0, 3.0)


class SwingClass(IntEnum):
    """The survey's words. `UNKNOWN`: no daily swing is shown, be it for want of one or for want of data."""

    UNKNOWN = 0
    LOW = 1
    MILD = 2
    SEVERE = 3


@dataclass(frozen=True, slots=True, eq=False)
class DailySwing:
    """One figure a series, shape (...)."""

    swing_ms: NDArray[np.float64]
    """Peak to peak; NaN where the series is too short or has too many gaps."""
    peak_per_hour: NDArray[np.float64]
    """Frequency of the strongest line."""
    daily: NDArray[np.bool_]
    grade: NDArray[np.int8]
    """`SwingClass`."""


def daily_swing(series_ms: ArrayLike) -> DailySwing:
    """The daily swing of half-hourly medians (..., n), NaN for gaps."""
    given = np.asarray(series_ms, dtype=np.float64)
    shape, count = given.shape[:-1], given.shape[-1]
    swing, peak = np.full(shape, np.nan), np.full(shape, np.nan)
    fit = np.isnan(given).sum(axis=-1) <= MOST_MISSING * count
    if count >= SEGMENT and fit.any():
        swing[fit], peak[fit] = _strongest(_bridged(given[fit]))
    with np.errstate(invalid="ignore"):
        daily = (peak > _DAILY[0]) & (peak < _DAILY[1])
    grade = sum((daily & (swing > limit)).astype(np.int8) for limit in _CLASSES_MS)
    return DailySwing(swing, peak, daily, np.asarray(grade, dtype=np.int8))


def _strongest(series: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    frequency, power = welch(
        series,
        PER_HOUR,
        nperseg=SEGMENT,
        scaling="spectrum",
        detrend=detrend,  # linear, by default
        average="median",
        axis=-1,
    )
    return 2 * np.sqrt(2) * np.sqrt(power.max(axis=-1)), frequency[power.argmax(axis=-1)]


def _bridged(series: NDArray[np.float64]) -> NDArray[np.float64]:
    at = np.arange(series.shape[-1])
    out = series.copy()
    for row in np.flatnonzero(np.isnan(series).any(axis=-1)):
        there = ~np.isnan(series[row])
        out[row] = np.interp(at, at[there], series[row, there])
    return out
