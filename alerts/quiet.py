"""Quiet hours: local times of the day in which somebody is told only what is urgent."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from telemetry.windows import SECOND_NS

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from config.people import Person

MINUTE_NS: Final = 60 * SECOND_NS
_DAY_MIN: Final = 24 * 60


def is_quiet(person: Person, now_ns: int, zone: ZoneInfo) -> bool:
    """Whether a time lies in the person's quiet hours, by the clock on the wall in `zone`."""
    return bool(person.quiet) and _hushes(person, _minute(now_ns, zone))


def quiet_until_ns(person: Person, now_ns: int, zone: ZoneInfo) -> int:
    """The first full minute from now on that is not quiet; `now_ns` itself when it is not.

    Looked for minute by minute in UTC, so that a clock that is put forward or back within the night is no matter.
    """
    at_ns = now_ns
    for _ in range(2 * _DAY_MIN):
        if not is_quiet(person, at_ns, zone):
            return at_ns
        at_ns = (at_ns // MINUTE_NS + 1) * MINUTE_NS
    return at_ns  # several spans that together leave no minute of the day: then they mean nothing


def _hushes(person: Person, minute: int) -> bool:
    return any(
        from_min <= minute < until_min if from_min < until_min else minute >= from_min or minute < until_min
        for from_min, until_min in person.quiet
    )


def _minute(now_ns: int, zone: ZoneInfo) -> int:
    moment = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=now_ns // SECOND_NS)).astimezone(zone)
    return 60 * moment.hour + moment.minute
