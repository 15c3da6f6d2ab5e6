"""A meeting through time: its rule, its exceptions and its moved occurrences, expanded over a span."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from icalendar import Calendar as IcsCalendar
from icalendar import Event
from icalendar.prop import vDDDLists, vDDDTypes
from msgspec import structs
from recurring_ical_events.query import CalendarQuery

from config.anchor import anchor
from config.ics_event import LONGEST
from config.ics_time import to_ns
from config.meetings import Meeting, Occurrence

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from config.ics_event import EventText

_MARK = "X-TATPAR-PART"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ANCHOR_HOLDS_NS = 100 * 86_400 * 10**9


class Part:
    """One VEVENT of a series with the meeting that it makes: the series itself, or one time of it that was changed."""

    def __init__(self, event: EventText, meeting: Meeting) -> None:
        self.event = event
        self.meeting = meeting
        self.duration_ns = event.duration // timedelta(microseconds=1) * 1000


class Series:
    """All parts of one UID. The library sees only times; who and what stays here, joined by a mark."""

    def __init__(self, parts: list[Part]) -> None:
        self._parts = parts
        self._anchor_ns = to_ns(parts[0].event.start)
        self._query = self._begun_at(parts[0].event.start)

    @property
    def meeting(self) -> Meeting:
        """The meeting as the series gives it."""
        return self._parts[0].meeting

    def starting(self, start_ns: int, end_ns: int) -> Iterator[Occurrence]:
        """The occurrences that start within [start, end), in no order; cancelled ones are left out."""
        for found in self._query_for(start_ns).between(_utc(start_ns), _utc(end_ns)):
            part = self._parts[int(found[_MARK])]
            starts_ns = to_ns(found["DTSTART"].dt)
            if part.event.cancelled or not start_ns <= starts_ns < end_ns:
                continue
            yield Occurrence(
                meeting=part.meeting,
                recurrence_ns=to_ns(found["RECURRENCE-ID"].dt),
                starts_ns=starts_ns,
                ends_ns=starts_ns + part.duration_ns,
            )

    def _query_for(self, start_ns: int) -> CalendarQuery:
        """The series begun not long before this time: the last one made, or a new one when time has moved on."""
        if not 0 <= start_ns - self._anchor_ns <= _ANCHOR_HOLDS_NS:
            self._anchor_ns = start_ns
            master = self._parts[0].event
            self._query = self._begun_at(anchor(master.rule, master.start, _utc(start_ns) - LONGEST))
        return self._query

    def _begun_at(self, start: datetime) -> CalendarQuery:
        master, *changes = self._parts
        calendar = IcsCalendar()
        calendar.add_component(_skeleton(structs.replace(master.event, start=start), 0))
        for mark, part in enumerate(changes, start=1):
            calendar.add_component(_skeleton(part.event, mark))
        return CalendarQuery(calendar)


def takes_place_at(event: EventText, moment: datetime) -> bool:
    """Whether the series by itself, without its exceptions, has an occurrence that starts at this time."""
    calendar = IcsCalendar()
    near = structs.replace(event, start=anchor(event.rule, event.start, moment.astimezone(UTC) - LONGEST))
    calendar.add_component(_skeleton(near, 0, exceptions=False))
    second = timedelta(seconds=1)
    found = CalendarQuery(calendar).between(moment.astimezone(UTC), moment.astimezone(UTC) + second)
    return any(to_ns(one["DTSTART"].dt) == to_ns(moment) for one in found)


def _skeleton(event: EventText, mark: int, *, exceptions: bool = True) -> Event:
    """The times of an event, and nothing else, for the library."""
    bare = Event()
    values: Mapping[str, object] = {
        "UID": event.uid,
        "DTSTART": vDDDTypes(event.start),
        "DTEND": vDDDTypes(event.start + event.duration),
        _MARK: str(mark),
    }
    for name, value in values.items():
        bare[name] = value
    if event.rule is not None:
        bare["RRULE"] = event.rule
    if event.added:
        bare["RDATE"] = vDDDLists(list(event.added))
    if event.excluded and exceptions:
        bare["EXDATE"] = vDDDLists([excluded.moment for excluded in event.excluded])
    if event.original is not None:
        bare["RECURRENCE-ID"] = vDDDTypes(event.original)
    return bare


def _utc(ns: int) -> datetime:
    return _EPOCH + timedelta(microseconds=ns // 1000)
