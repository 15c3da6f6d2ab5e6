"""Lines that have come back: a fault too long to be forgiven is over, and the filter calls the line sound.

Its slots stand as they are, but for the one that runs: that is asked as if it had ended, and the end of a fault in it would
tell of one that goes on. So of that slot counts what came since. And since nobody knows yet whether it stays, a line that has
only just come back is not *ready* for meetings that are near (a guard, `readiness`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analytics.runs import runs
from telemetry.windows import WINDOWS_PER_SLOT

if TYPE_CHECKING:
    from numpy.typing import NDArray

JUST_BACK_WINDOWS: Final = WINDOWS_PER_SLOT
"""For five minutes a line has only just come back: then a whole slot is sound."""


def back_since(failed: NDArray[np.bool_], more_than: int) -> NDArray[np.int64]:
    """(...): of the last axis of (..., W), the first window after the last run of more than so many that failed; 0 where there was none, or it goes on."""
    windows = failed.shape[-1]
    long = runs(failed) > more_than
    last = windows - 1 - np.argmax(long[..., ::-1], axis=-1)
    return np.asarray(np.where(long.any(axis=-1) & (last < windows - 1), last + 1, 0), dtype=np.int64)


def just_back(since: NDArray[np.int64], windows: int) -> NDArray[np.bool_]:
    """Which lines came back within the last `JUST_BACK_WINDOWS` of so many windows, by `back_since`; of its shape."""
    return np.asarray((since > 0) & (windows - since < JUST_BACK_WINDOWS))
