"""How long a fault lasts: the chance that what is broken now is still broken later.

Faults are heavy-tailed: most are over in minutes, some last for days, and one that has lasted long will go
on longer. The Lomax law says so with two numbers: P(T > t) = (1 + t / SCALE) ** -SHAPE, and of a fault that
has lasted `age`, P(T > age + t | T > age) = ((SCALE + age) / (SCALE + age + t)) ** SHAPE.
With 15 min and 0.4, a fresh fault is still there after 30 min with 0.64, after 2 h with 0.42, after 10 h
with 0.23, after 24 h with 0.16. These are priors, not measured here (decision 052).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from telemetry.windows import SECOND_NS

if TYPE_CHECKING:
    from numpy.typing import NDArray

SCALE_S: Final = 900.0
SHAPE: Final = 0.4


def still_broken(lead_ns: int | NDArray[np.int64], age_ns: NDArray[np.int64]) -> NDArray[np.float64]:
    """Chance (shape of `age_ns`) that a fault of that age is there `lead_ns` from now; 1 for a lead of 0."""
    past = SCALE_S + np.maximum(age_ns, 0) / SECOND_NS
    return np.asarray((past / (past + np.maximum(lead_ns, 0) / SECOND_NS)) ** SHAPE)
