"""Local hours: what recurs, recurs by the clock on the office's wall.

An hour is an integer: local hours since 1970-01-01 00:00 on the deployment's clock. Where the clock is set
back two real hours share one number, where it is set forward one number stays empty.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING, Final

import numpy as np

from telemetry.windows import DAY_NS, HOUR_NS, SECOND_NS

if TYPE_CHECKING:
    from numpy.typing import NDArray

HOURS_PER_DAY: Final = 24
HOURS_PER_WEEK: Final = 168
_MONDAY_SHIFT: Final = 72
"""1970-01-01 was a Thursday."""


@dataclass(frozen=True, slots=True)
class HourSpan:
    """`count` local hours from `first` on, by the clock of `zone`."""

    first: int
    count: int
    zone: tzinfo


def local_hour(time_ns: int, zone: tzinfo) -> int:
    """The local hour that a moment lies in."""
    return (time_ns + _offset_ns(time_ns, zone)) // HOUR_NS


def local_hours(times_ns: NDArray[np.int64], zone: tzinfo) -> NDArray[np.int64]:
    """Local hour of each moment; shape as given."""
    return np.asarray((times_ns + ahead_ns(times_ns, zone)) // HOUR_NS)


def ahead_ns(times_ns: NDArray[np.int64], zone: tzinfo) -> NDArray[np.int64]:
    """By how much the clock on the wall is ahead of UTC at each moment; shape as given.

    The zone is asked at the bounds of each UTC day. Only on a day between whose bounds the clock was changed is each moment asked: Adelaide
    changes it at half past of an hour UTC, Lord Howe by half an hour. No zone has changed it twice on one UTC day since 1970.
    """
    days, of_day = np.unique(times_ns // DAY_NS, return_inverse=True)
    of_day = of_day.reshape(times_ns.shape)
    first, then = _offsets_ns(days * DAY_NS, zone), _offsets_ns((days + 1) * DAY_NS, zone)
    ahead, changed = np.array(first[of_day]), (first != then)[of_day]
    ahead[changed] = _offsets_ns(times_ns[changed], zone)
    return ahead


def starts_ns(hour: int, zone: tzinfo) -> int:
    """When a local hour begins: where the clock was set back, for the first time; one that was skipped, when it would have."""
    around = {_offset_ns(hour * HOUR_NS + side, zone) for side in (-DAY_NS, DAY_NS)}
    begins = sorted(hour * HOUR_NS - each for each in around)
    return next((each for each in begins if local_hour(each, zone) == hour), begins[0])


def utc_bounds_ns(span: HourSpan) -> tuple[int, int]:
    """UTC bounds that hold a span of local hours, an hour wider on both sides for clocks that were changed."""
    first_ns, end_ns = span.first * HOUR_NS, (span.first + span.count) * HOUR_NS
    return (
        first_ns - _offset_ns(first_ns, span.zone) - HOUR_NS,
        end_ns - _offset_ns(end_ns, span.zone) + HOUR_NS,
    )


def hour_of_week(hours: NDArray[np.int64]) -> NDArray[np.int64]:
    """0..167 from Monday 00:00, of local hours; shape as given."""
    return np.asarray((hours + _MONDAY_SHIFT) % HOURS_PER_WEEK)


def hours_of_week_between(start_ns: int, end_ns: int, zone: tzinfo) -> NDArray[np.int64]:
    """(K,): the hours of the week that `[start_ns, end_ns)` touches, in order; at most a week of them."""
    first, last = local_hour(start_ns, zone), local_hour(max(end_ns - 1, start_ns), zone)
    return hour_of_week(np.arange(first, min(last, first + HOURS_PER_WEEK - 1) + 1))


def _offsets_ns(times_ns: NDArray[np.int64], zone: tzinfo) -> NDArray[np.int64]:
    """Of each moment (M,); the zone is asked once for those that are the same."""
    moments, inverse = np.unique(times_ns, return_inverse=True)
    asked = np.array([_offset_ns(int(each), zone) for each in moments], dtype=np.int64)
    return np.asarray(asked[inverse])


def _offset_ns(time_ns: int, zone: tzinfo) -> int:
    offset = datetime.fromtimestamp(time_ns // SECOND_NS, tz=UTC).astimezone(zone).utcoffset()
    return int(offset.total_seconds()) * SECOND_NS if offset else 0
