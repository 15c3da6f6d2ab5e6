"""ISO weeks in the deployment's time zone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Final

from telemetry.windows import SECOND_NS

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

_TEXT: Final = re.compile(r"(\d{4})-W(\d{2})")
DAYS: Final = 7


class NoSuchWeekError(ValueError):
    """A text that names no week; says what to write instead."""


@dataclass(frozen=True, slots=True)
class Week:
    """A week from Monday 00:00 to the next, local time."""

    year: int
    number: int
    zone: ZoneInfo

    @classmethod
    def of(cls, text: str, zone: ZoneInfo) -> Week:
        """The week that a text like `2026-W47` names.

        Raises:
            NoSuchWeekError: it names none.
        """
        match = _TEXT.fullmatch(text)
        if match is None:
            raise NoSuchWeekError(f"{text!r} is no week; write it as 2026-W47")
        try:
            date.fromisocalendar(int(match[1]), int(match[2]), 1)
        except ValueError:
            raise NoSuchWeekError(
                f"{text!r}: {match[1]} has no week {match[2]}; write it as 2026-W47"
            ) from None
        return cls(int(match[1]), int(match[2]), zone)

    @classmethod
    def containing(cls, time_ns: int, zone: ZoneInfo) -> Week:
        """The week that a moment lies in."""
        year, number, _ = datetime.fromtimestamp(time_ns // SECOND_NS, zone).isocalendar()
        return cls(year, number, zone)

    def day_ns(self, index: int) -> int:
        """Local midnight at which day `index` (0..7) begins, ns since the Unix epoch."""
        day = date.fromisocalendar(self.year, self.number, 1) + timedelta(days=index)
        return int(datetime.combine(day, time(), self.zone).timestamp()) * SECOND_NS

    @property
    def start_ns(self) -> int:
        """Monday 00:00."""
        return self.day_ns(0)

    @property
    def end_ns(self) -> int:
        """The next Monday 00:00."""
        return self.day_ns(DAYS)

    @property
    def before(self) -> Week:
        """The week before."""
        return Week.containing(self.start_ns - SECOND_NS, self.zone)

    def __str__(self) -> str:
        return f"{self.year}-W{self.number:02d}"
