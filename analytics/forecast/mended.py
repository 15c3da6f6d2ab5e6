"""By how much a line has outlasted the pauses of its trouble: what says that the trouble is over, and not only resting.

A line that fails in spells of days has been sound for days before, and failed again; one that broke for weeks and was then mended
has not. What is told is the logarithm of the hours that held since the last failure, by the longest pause between two failures.
How long the line had held before the first failure is no pause: that it was sound for long speaks for it, and not for a relapse.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

BESIDE: Final = 1.0
"""Hours that are added to both: the first hour that holds after a fault without a pause doubles it, and no more."""


def outlasted(had: NDArray[np.float32], failed: NDArray[np.float32]) -> NDArray[np.float64]:
    """(M,) log-ratio of the pause that a line is in to its longest one before; 0 where that was longer, or nothing failed.

    Args:
        had: (M, H) 1 where an hour is known, else 0; newest first. What is not known neither ends a pause nor makes it longer.
        failed: (M, H) 1 where it failed, else 0.
    """
    fails = failed > 0.0
    held = np.cumsum(had - failed, axis=1)
    until = np.maximum.accumulate(np.where(fails, held, -1.0), axis=1)
    later, pause = until[:, :-1], held[:, 1:] - until[:, :-1]
    longest = np.where(fails[:, 1:] & (later >= 0.0), pause, 0.0).max(axis=1, initial=0.0)
    since = np.where(fails.any(axis=1), held[np.arange(len(held)), fails.argmax(axis=1)], 0.0)
    ratio = (since.astype(np.float64) + BESIDE) / (longest.astype(np.float64) + BESIDE)
    return np.asarray(np.maximum(np.log(ratio), 0.0))
