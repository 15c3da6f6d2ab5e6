"""Changes of level in a whole past, for reports: the boundaries that stand up to one penalty, the same for every line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analytics.changes.merging import persistence
from analytics.changes.series import FLOORS, carried, noise, steadied, without_spikes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analytics.changes.series import Metric

PENALTY: Final = 3000.0
"""In squared noise (the rung that it stands for is 3162): a step of 10 noises needs 64 samples on both sides, one of 30 needs 8."""
WIDTH: Final = 9
"""The running median's: an excursion of fewer than five samples is a spike, not a level."""


def changes(values: NDArray[np.float64], metric: Metric = "rtt") -> NDArray[np.int64]:
    """Indices of the first samples of new levels in (T,) values of `metric`; NaN where nothing was measured."""
    if len(values) < WIDTH:
        return np.zeros(0, dtype=np.int64)
    filled = carried(steadied(values, metric))
    scale = noise(filled, FLOORS[metric])
    return np.flatnonzero(persistence(without_spikes(filled, WIDTH) / scale) >= PENALTY)
