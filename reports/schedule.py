"""When the weekly report is due: the newest week that is over and whose hour has come."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Final

from reports.week import Week
from telemetry.windows import SECOND_NS

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from config.settings import Reports

_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def due_week(settings: Reports, zone: ZoneInfo, now_ns: int) -> Week | None:
    """The week to be reported by now, also when its hour was missed; None when reports are switched off."""
    if settings.day not in _DAYS:
        return None
    this = Week.containing(now_ns, zone)
    return this.before if now_ns >= _hour_ns(settings, this) else this.before.before


def _hour_ns(settings: Reports, week: Week) -> int:
    """The moment within a week at which the week before it is reported; local, so it stays when the clocks change."""
    day = date.fromisocalendar(week.year, week.number, 1) + timedelta(days=_DAYS.index(settings.day))
    minutes = round(settings.hour * 60)
    at = datetime.combine(day, time(minutes // 60, minutes % 60), week.zone)
    return int(at.timestamp()) * SECOND_NS
