"""An hour of the week that failed nearly every time: whatever a model says, such an hour is not promised again.

The fitted model weighs a line's record against what lines do on average, and four bad Mondays are few to it. A
person at the desk has seen them all. So where the record of this very hour is plain, it is called not ready. How far
below *ready* it lies is left to the model, which knows what today is like (decision 191).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analytics.guards import plain_hours
from analytics.hours import hours_of_week_between

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analytics.ground import Ground
    from config.meetings import Occurrence


def plain_record(
    ground: Ground, limit_set: int, paths: NDArray[np.int64], occurrence: Occurrence
) -> NDArray[np.float64]:
    """(S, K): the chance that an hour of the meeting fails, by `climatology`, where its own record is plain; else 0."""
    hours = hours_of_week_between(occurrence.starts_ns, occurrence.ends_ns, ground.zone)
    climate = ground.climate
    known = climate.judged(limit_set)[:, paths][..., hours]
    failed = climate.failed[limit_set][:, paths][..., hours]
    return np.asarray(plain_hours(known, failed, climate.fails[limit_set][:, paths][..., hours]).max(axis=-1))
