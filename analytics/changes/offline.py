"""Changes of level in a whole past, for reports: boundaries weighed by trees for round trips, one penalty for the others.

The same settings for every line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analytics.changes.boundaries import boundaries
from analytics.changes.merging import persistence
from analytics.changes.series import FLOORS, carried, noise, steadied, without_spikes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analytics.changes.series import Metric
    from analytics.changes.trees import Trees

LIKELY: Final = 0.3
"""The chance from which on a boundary of round trips counts as a change."""
APART: Final = 4
"""Of two boundaries at most so many samples apart only the likelier counts."""
LEAST_SAMPLES: Final = 20
"""Of fewer nothing is said."""
PENALTY: Final = 3000.0
"""In squared noise (the rung that it stands for is 3162): a step of 10 noises needs 64 samples on both sides, one of 30 needs 8."""
WIDTH: Final = 9
"""The running median's: an excursion of fewer than five samples is a spike, not a level."""


def changes(values: NDArray[np.float64], trees: Trees) -> NDArray[np.int64]:
    """Indices of the first samples of new levels in (T,) round trips in ms; NaN where nothing was measured."""
    if len(values) < LEAST_SAMPLES:
        return np.zeros(0, dtype=np.int64)
    those = boundaries(carried(values))
    return chosen(those.at, trees.mean(those.figures))


def chosen(at: NDArray[np.int64], chance: NDArray[np.float64]) -> NDArray[np.int64]:
    """The boundaries (C,) that count by their chances (C,): the likeliest first, and none beside another."""
    kept: list[int] = []
    for i in np.argsort(-chance, kind="stable").tolist():
        if chance[i] < LIKELY:
            break
        if all(abs(int(at[i]) - other) > APART for other in kept):
            kept.append(int(at[i]))
    return np.array(sorted(kept), dtype=np.int64)


def standing(values: NDArray[np.float64], metric: Metric) -> NDArray[np.int64]:
    """Indices of the first samples of new levels in (T,) values of any metric, by one penalty: what nobody has labelled."""
    if len(values) < WIDTH:
        return np.zeros(0, dtype=np.int64)
    filled = carried(steadied(values, metric))
    scale = noise(filled, FLOORS[metric])
    return np.flatnonzero(persistence(without_spikes(filled, WIDTH) / scale) >= PENALTY)
