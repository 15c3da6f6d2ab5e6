"""ruptures' PELT, of a whole past and asked as the samples come: what ours is held against."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import ruptures  # type: ignore[import-untyped,unused-ignore]
from scipy.ndimage import median_filter
from scipy.signal import medfilt

from analytics.changes.series import carried

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEAST: Final = 5
"""Samples of a segment: so much must have been seen of a level before PELT can tell it."""
DELAY: Final = 5
"""Samples that a decision on line may come after its change, as with ours."""
PAST: Final = 250
"""Samples that PELT sees at each look on line."""
QUIET: Final = 6
"""Looks after a telling in which none follows, as with ours."""
_BEGUN: Final = 20
"""Samples before the first look."""


def pelt(rtt_ms: NDArray[np.float64], penalty: float) -> NDArray[np.int64]:
    """PELT, L2, on a median filter of 9, at least 5 samples a segment, scaled by the MAD of the differences.

    Args:
        rtt_ms: (N,) round trips, NaN where missing.
        penalty: of one more change.

    Returns:
        The first sample of each new level.
    """
    filled = carried(rtt_ms)
    return _changes(medfilt(filled, 9) / _scale(filled), penalty)


def pelt_online(rtt_ms: NDArray[np.float64], penalty: float, width: int) -> NDArray[np.int64]:
    """PELT asked anew at each sample on the last `PAST`; a change at most `DELAY` samples old is told.

    Args:
        rtt_ms: (N,) round trips, NaN where missing.
        penalty: of one more change.
        width: of the median filter, whose edges repeat the outermost sample.

    Returns:
        The samples at which a decision fell.
    """
    filled = carried(rtt_ms)
    told: list[int] = []
    for now in range(_BEGUN, len(filled)):
        if told and now - told[-1] < QUIET:
            continue
        past = filled[max(0, now + 1 - PAST) : now + 1]
        found = _changes(median_filter(past, width, mode="nearest") / _scale(past), penalty)
        if found.size and len(past) - 1 - found[-1] <= DELAY:
            told.append(now)
    return np.array(told, dtype=np.int64)


def _scale(filled: NDArray[np.float64]) -> float:
    step = np.diff(filled)
    return max(float(np.median(np.abs(step - np.median(step)))), 1e-3)


def _changes(scaled: NDArray[np.float64], penalty: float) -> NDArray[np.int64]:
    model = ruptures.KernelCPD(kernel="linear", min_size=LEAST).fit(scaled[:, None])
    return np.array(model.predict(pen=penalty)[:-1], dtype=np.int64)
