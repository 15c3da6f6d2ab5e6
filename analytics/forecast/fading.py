"""Failed hours as they are remembered: an hour weighs half as much for every half-life that has gone by since.

What is known of a short memory is little, so its rate is shrunk to that of the next longer one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from scipy.signal import lfilter

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.floating]


class Fading(NamedTuple):
    """A memory: its half-life, and how many hours the next longer memory's rate counts like in its own; both in hours."""

    half_hours: float
    prior_hours: float

    def counts(self, of: NDArray[np.bool_]) -> NDArray[np.float64]:
        """(N, H + 1) fading counts of hours (N, H), before the first hour and after each; the newest one weighs 1."""
        keep = 0.5 ** (1.0 / self.half_hours)
        counts = np.zeros((of.shape[0], of.shape[1] + 1))
        counts[:, 1:] = lfilter([1.0], [1.0, -keep], of.astype(np.float64), axis=1)
        return counts

    def rate(self, failed: Floats, had: Floats, longer: Floats | float) -> NDArray[np.float64]:
        """The rate of failures by counts of the hours that failed and that were known, shrunk to the `longer` rate; all of one shape."""
        return np.asarray((failed + self.prior_hours * longer) / (had + self.prior_hours), dtype=np.float64)


TEN_DAYS: Final = Fading(240.0, 24.0)
THREE_DAYS: Final = Fading(72.0, 12.0)
DAY: Final = Fading(24.0, 6.0)
SIX_HOURS: Final = Fading(6.0, 2.0)
