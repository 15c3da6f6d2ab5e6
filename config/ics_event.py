"""One VEVENT read into a typed record: when, how often, who, to which end; refused by line when wrong."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from icalendar.prop import vRecur
from msgspec import Struct

from config.errors import ConfigError
from config.ics_lines import Property
from config.recurrence import read_rule
from config.text import one_of

if TYPE_CHECKING:
    from config.ics_lines import Block
    from config.ics_time import Times

LONGEST: Final = timedelta(hours=24)
OWN_PROPERTIES: Final = ("X-TATPAR-PROFILE", "X-TATPAR-END", "X-TATPAR-TITLE-EN")
_ONCE: Final = (
    "UID",
    "DTSTART",
    "DTEND",
    "DURATION",
    "SUMMARY",
    "RRULE",
    "RECURRENCE-ID",
    "STATUS",
    "ORGANIZER",
    *OWN_PROPERTIES,
)


class Excluded(NamedTuple):
    """A time that does not take place; a date excludes the whole day."""

    moment: datetime | date
    line: int


class EventText(Struct, frozen=True, kw_only=True):
    """What one VEVENT says; times are aware."""

    path: Path
    line: int
    uid: str
    start: datetime
    duration: timedelta
    """Exact, also across a change of the clocks (RFC 5545 section 3.8.5.3)."""
    rule: vRecur | None
    excluded: tuple[Excluded, ...]
    added: tuple[datetime, ...]
    original: datetime | None
    """RECURRENCE-ID: which time of the series this one replaces."""
    cancelled: bool
    properties: dict[str, Property]
    attendees: tuple[Property, ...]

    def text(self, name: str) -> str:
        """The value of a property that stands at most once, or nothing."""
        prop = self.properties.get(name)
        return prop.value.strip() if prop else ""

    def title(self, name: str) -> str:
        """The same on one line: it will stand in messages and their headings."""
        return " ".join(self.text(name).split())

    def wrong(self, problem: str, remedy: str, name: str = "") -> ConfigError:
        """The error about one property of this event, or about the event."""
        prop = self.properties.get(name)
        return ConfigError(self.path, problem, remedy, prop.line if prop else self.line)


def read_event(path: Path, block: Block, times: Times) -> EventText:
    """The event of a VEVENT block.

    Raises:
        ConfigError: with the line, for any mistake that shows within the block.
    """
    return _Event(path, block, times).read()


class _Event:
    def __init__(self, path: Path, block: Block, times: Times) -> None:
        self._path = path
        self._block = block
        self._times = times
        self._found = self._single()

    def read(self) -> EventText:
        uid = self._required("UID", "add: UID:daily-review@office.example").value.strip()
        if not uid:
            raise self._wrong("UID", "the UID is empty", "write a name that no other meeting has")
        start = self._times.moment(
            self._required("DTSTART", "add: DTSTART;TZID=Asia/Kolkata:20261124T110000")
        )
        rule = self._found.get("RRULE")
        original = self._original(start)
        return EventText(
            path=self._path,
            line=self._block.line,
            uid=uid,
            start=start,
            duration=self._duration(start),
            rule=read_rule(self._path, rule, start) if rule else None,
            excluded=self._excluded(start),
            added=self._added(start),
            original=original,
            cancelled=self._cancelled(),
            properties=self._found,
            attendees=tuple(self._block.all("ATTENDEE")),
        )

    def _single(self) -> dict[str, Property]:
        found: dict[str, Property] = {}
        for prop in self._block.properties:
            if prop.name.startswith("X-TATPAR-") and prop.name not in OWN_PROPERTIES:
                problem = f"there is no property {prop.name}"
                raise ConfigError(self._path, problem, one_of(prop.name, OWN_PROPERTIES), prop.line)
            if prop.name in found and prop.name in _ONCE:
                problem = f"{prop.name} stands twice in this meeting (first on line {found[prop.name].line})"
                raise ConfigError(self._path, problem, "keep one of the two", prop.line)
            found[prop.name] = prop
        return found

    def _required(self, name: str, remedy: str) -> Property:
        if name not in self._found:
            raise self._wrong(name, f"the meeting has no {name}", remedy)
        return self._found[name]

    def _duration(self, start: datetime) -> timedelta:
        by_length, by_end = self._found.get("DURATION"), self._found.get("DTEND")
        if by_length and by_end:
            raise self._wrong("DURATION", "the meeting has both DTEND and DURATION", "keep one of the two")
        if by_length:
            length, name = self._times.duration(by_length), "DURATION"
        elif by_end:
            end = self._times.moment(by_end, start.tzinfo)
            length, name = timedelta(seconds=end.timestamp() - start.timestamp()), "DTEND"
        else:
            raise self._wrong("DTSTART", "the meeting has no end", "add: DURATION:PT1H")
        if length <= timedelta(0):
            raise self._wrong(name, "the meeting ends before or when it begins", "write a later end")
        if length > LONGEST:
            hours = length.total_seconds() / 3600
            raise self._wrong(
                name, f"the meeting lasts {hours:g} hours", "write at most 24, one event for each day"
            )
        return length

    def _original(self, start: datetime) -> datetime | None:
        prop = self._found.get("RECURRENCE-ID")
        if prop is None:
            return None
        if "RANGE" in prop.params:
            remedy = "end the series with UNTIL and write a new meeting"
            raise self._wrong("RECURRENCE-ID", "RANGE moves all later meetings at once", remedy)
        if "RRULE" in self._found:
            raise self._wrong(
                "RRULE", "a moved meeting cannot repeat itself", "remove RRULE or RECURRENCE-ID"
            )
        return self._times.moment(prop, start.tzinfo)

    def _excluded(self, start: datetime) -> tuple[Excluded, ...]:
        return tuple(
            Excluded(moment, prop.line)
            for prop in self._block.all("EXDATE")
            for moment in self._times.moments(prop, start.tzinfo)
        )

    def _added(self, start: datetime) -> tuple[datetime, ...]:
        added: list[datetime] = []
        for prop in self._block.all("RDATE"):
            if prop.params.get("VALUE", "").upper() == "PERIOD" or "/" in prop.value:
                raise ConfigError(self._path, "RDATE gives a period", "write only the start times", prop.line)
            for moment in self._times.moments(prop, start.tzinfo):
                if not isinstance(moment, datetime):
                    raise ConfigError(
                        self._path, "RDATE is a whole day", "write start times, as 20261124T110000", prop.line
                    )
                added.append(moment)
        return tuple(added)

    def _cancelled(self) -> bool:
        prop = self._found.get("STATUS")
        if prop is None:
            return False
        status = prop.value.strip().upper()
        known = ("CONFIRMED", "TENTATIVE", "CANCELLED")
        if status not in known:
            raise self._wrong("STATUS", f'STATUS "{prop.value}" is none of a meeting', one_of(status, known))
        return status == "CANCELLED"

    def _wrong(self, name: str, problem: str, remedy: str) -> ConfigError:
        prop = self._found.get(name)
        return ConfigError(self._path, problem, remedy, prop.line if prop else self._block.line)
