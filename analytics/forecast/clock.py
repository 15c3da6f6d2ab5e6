"""What is asked, and how often the line failed at the asked clock hours on the days before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from analytics.forecast.same_time import same_time
from analytics.hours import HOURS_PER_DAY
from telemetry.windows import HOUR_NS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analytics.forecast.hourly import Hourly
    from analytics.forecast.standpoints import Standpoints
    from analytics.forecast.track import Asks

CLOCK_HALF_DAYS: Final = 3.0
"""What is usual at an hour changes within days: one counts half as much for every so many since."""
CLOCK_PRIOR_DAYS: Final = 0.5
"""Days' worth of the line's rate at all hours that stand beside the days of the hour itself."""
CLOCK_DAYS: Final = 28
"""Days that are looked back to; the oldest weighs a five-hundredth of the newest."""
HOURS_BESIDE: Final = 2.0
"""Trouble does not keep to the clock: an hour weighs less the farther it lies from the middle of the asked span, so far off nothing."""


@dataclass(frozen=True, slots=True)
class Moment:
    """What is asked from where.

    Attributes:
        asks: M of them.
        seen: the U lines and times that they are made from.
        base: (U,) the line's broken share of all time.
        hour: (U,) that of the last hour.
    """

    asks: Asks
    seen: Standpoints
    base: NDArray[np.float64]
    hour: NDArray[np.float64]


def clock_rate(
    hours: Hourly, failing: NDArray[np.bool_], asks: Asks, usual: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Rate of hours `failing` (N, H) at the asked clock hours on the days before: newer days and nearer hours weigh more.

    It is shrunk to `usual` (M,).
    """
    width = hours.had.shape[1]
    newest = asks.now_ns // HOUR_NS - hours.first_hour - 1
    middle = (asks.start_ns + asks.end_ns) / 2.0 / HOUR_NS - hours.first_hour - 0.5
    first = np.floor(middle).astype(np.int64)
    near = first[:, None] + np.arange(-1, 3)
    by_hour = np.maximum(0.0, 1.0 - np.abs(middle[:, None] - near) / HOURS_BESIDE)
    days = np.arange(1, CLOCK_DAYS + 1)
    every = (len(first), len(days) * near.shape[1])
    at = same_time(near[:, None, :], HOURS_PER_DAY * days[:, None], hours.ahead).reshape(every)
    flat = asks.line[:, None] * width + np.clip(at, 0, width - 1)
    known = (at >= 0) & (at <= np.minimum(newest, width - 1)[:, None]) & hours.had.ravel().take(flat)
    weight = (0.5 ** (days / CLOCK_HALF_DAYS))[:, None] * by_hour[:, None, :]
    weight = weight.reshape(every) * known
    failed = (weight * failing.ravel().take(flat)).sum(axis=1)
    return np.asarray((failed + CLOCK_PRIOR_DAYS * usual) / (weight.sum(axis=1) + CLOCK_PRIOR_DAYS))
