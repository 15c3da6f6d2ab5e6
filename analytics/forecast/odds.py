"""Shares as log-odds, in which terms add up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

EDGE: Final = 0.01
"""Log-odds of a share are taken of `EDGE..1 - EDGE`, so that never and always are finite."""


def log_odds(share: NDArray[np.floating] | float) -> NDArray[np.float64]:
    """Log-odds of a share 0..1, bounded by `EDGE`."""
    within = np.clip(share, 0.0, 1.0) * (1.0 - 2.0 * EDGE) + EDGE
    return np.asarray(np.log(within / (1.0 - within)), dtype=np.float64)
