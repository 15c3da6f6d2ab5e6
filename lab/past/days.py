"""Local days of the deployment: days since 1 January 1970, and when each begins."""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

import numpy as np

from telemetry.windows import DAY_NS, SECOND_NS

if TYPE_CHECKING:
    from numpy.typing import NDArray

_EPOCH: Final = dt.date(1970, 1, 1)
_MINUTE_NS: Final = 60 * SECOND_NS


class LocalDays:
    """The days of one time zone."""

    def __init__(self, timezone: str) -> None:
        self._zone = timezone

    def midnight_ns(self, day: int) -> int:
        """When local day `day` begins."""
        return _midnight_ns(self._zone, day)

    def day_and_minute(self, times_ns: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Local day and minutes since its midnight, each of the shape given."""
        first = int(times_ns.min()) // DAY_NS - 1
        last = int(times_ns.max()) // DAY_NS + 2
        zero_ns = np.array([self.midnight_ns(day) for day in range(first, last + 1)])
        index = np.searchsorted(zero_ns, times_ns, side="right") - 1
        return index + first, (times_ns - zero_ns[index]) / _MINUTE_NS


@lru_cache(maxsize=4096)
def _midnight_ns(timezone: str, day: int) -> int:
    date = _EPOCH + dt.timedelta(days=day)
    at = dt.datetime.combine(date, dt.time(), tzinfo=ZoneInfo(timezone))
    return round(at.timestamp()) * SECOND_NS
