"""The .ics files read into a calendar: strictly, and explained by line when wrong."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING

from msgspec import Struct

from config.attendees import FORMS, GuestBook
from config.calendar import Calendar
from config.errors import ConfigError
from config.ics_event import EventText, read_event
from config.ics_lines import read_calendars
from config.ics_time import Times
from config.meetings import Meeting
from config.profiles import CallProfile
from config.series import Part, Series, takes_place_at
from config.settings_file import DEFAULTS
from config.site_columns import CellError
from config.text import one_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from config.ics_lines import Property


class Surroundings(Struct, frozen=True, kw_only=True):
    """What a calendar refers to."""

    guests: GuestBook
    profiles: Mapping[str, CallProfile]
    headquarters: tuple[str, ...]
    """Ids of what a meeting may connect to; an office is allowed, too."""
    offices: Mapping[str, object]
    floating: tzinfo
    """The zone of times that name none."""
    default_profile: str
    default_end: str


def calendar_paths(places: Iterable[Path]) -> list[Path]:
    """The .ics files that files and folders stand for, a folder's in the order of their names.

    Raises:
        ConfigError: a folder cannot be read.
    """
    paths: list[Path] = []
    for place in places:
        paths += _in_folder(place) if place.is_dir() else [place]
    return paths


def _in_folder(folder: Path) -> list[Path]:
    try:
        inside = sorted(folder.iterdir())
    except OSError as error:
        problem = f"the folder cannot be read ({error.strerror})"
        raise ConfigError(folder, problem, "let the user of this process read it") from error
    return [path for path in inside if path.suffix.lower() == ".ics" and not path.name.startswith(".")]


def read_calendar(paths: Iterable[Path], around: Surroundings) -> Calendar:
    """All meetings of the files.

    Raises:
        ConfigError: with file and line, for the first mistake.
    """
    reader = _Reader(around)
    events = [event for path in paths for event in _events(path, around.floating)]
    return reader.calendar(events)


def _events(path: Path, floating: tzinfo) -> list[EventText]:
    events: list[EventText] = []
    for calendar in read_calendars(path):
        times = Times(path, calendar, floating)
        events += [read_event(path, block, times) for block in calendar.blocks if block.name == "VEVENT"]
    return events


class _Reader:
    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._remarks: list[str] = []
        self._without_offices: list[EventText] = []
        """Built-in meetings whose regions have no offices, or are none here."""

    def calendar(self, events: list[EventText]) -> Calendar:
        masters = self._masters(events)
        changes: dict[str, list[EventText]] = {}
        for event in events:
            if event.original is not None:
                changes.setdefault(event.uid, []).append(event)
        for uid, own in changes.items():
            self._check_changes(masters.get(uid), own)
        series = [self._series(master, changes.get(uid, [])) for uid, master in masters.items()]
        if self._without_offices:
            uids = ", ".join(event.uid for event in self._without_offices)
            self._remarks.append(f"built-in meetings whose regions have no offices here are left out: {uids}")
        return Calendar([one for one in series if one is not None], self._remarks)

    def _masters(self, events: list[EventText]) -> dict[str, EventText]:
        masters: dict[str, EventText] = {}
        for event in events:
            if event.original is not None:
                continue
            first = masters.setdefault(event.uid, event)
            if first is not event and is_built_in(event.path):
                self._remark_once(
                    f"the built-in meeting {event.uid} gives way to the one of {first.path}:{first.line}"
                )
            elif first is not event:
                problem = (
                    f'the UID "{event.uid}" belongs to the meeting at {first.path.name}:{first.line} already'
                )
                raise event.wrong(problem, "give this meeting another UID", "UID")
        return masters

    def _check_changes(self, master: EventText | None, own: list[EventText]) -> None:
        seen: dict[object, EventText] = {}
        for event in own:
            assert event.original is not None
            if master is None:
                problem = f'no meeting has the UID "{event.uid}" whose time could be changed'
                raise event.wrong(problem, "write that meeting too, or remove RECURRENCE-ID", "RECURRENCE-ID")
            first = seen.setdefault(event.original, event)
            if first is not event:
                problem = f"this time of the meeting is changed on line {first.line} already"
                raise event.wrong(problem, "keep one of the two", "RECURRENCE-ID")
            if not takes_place_at(master, event.original):
                problem = f"the meeting does not take place at {event.original:%Y-%m-%d %H:%M %Z}"
                remedy = f"write one of its own start times, as the series on {master.path.name}:{master.line} gives them"
                raise event.wrong(problem, remedy, "RECURRENCE-ID")

    def _series(self, master: EventText, changes: list[EventText]) -> Series | None:
        meeting = self._meeting(master, None)
        parts = [Part(master, meeting), *(Part(event, self._meeting(event, meeting)) for event in changes)]
        if master.cancelled:
            return None
        if not any(part.meeting.invited for part in parts):
            if is_built_in(master.path):
                self._without_offices.append(master)
                return None
            self._remarks.append(
                f"{master.path}:{master.line}: the regions invited have no offices; left out"
            )
            return None
        self._remark_exclusions(master)
        try:
            return Series(parts)
        except (ValueError, TypeError, KeyError) as error:
            raise master.wrong(
                f"RRULE cannot be followed ({error})", "write it as FREQ=WEEKLY;BYDAY=MO", "RRULE"
            ) from None

    def _meeting(self, event: EventText, series: Meeting | None) -> Meeting:
        """The meeting of an event; a changed time takes what it does not say from its series."""
        end = self._end(event, series)
        return Meeting(
            uid=event.uid,
            title=self._title(event, series),
            invited=self._invited(event, series, end),
            end=end,
            profile=self._profile(event, series),
            title_en=event.title("X-TATPAR-TITLE-EN") or (series.title_en if series else ""),
            organiser_email=_mail(event.text("ORGANIZER")) or (series.organiser_email if series else ""),
            source=f"{event.path}:{event.line}",
        )

    def _title(self, event: EventText, series: Meeting | None) -> str:
        title = event.title("SUMMARY") or (series.title if series else "")
        if not title:
            raise event.wrong("the meeting has no title", "add: SUMMARY:समीक्षा बैठक", "SUMMARY")
        return title

    def _end(self, event: EventText, series: Meeting | None) -> str:
        end = event.text("X-TATPAR-END") or (series.end if series else self._around.default_end)
        if end not in self._around.headquarters and end not in self._around.offices:
            if is_built_in(event.path):
                instead = self._around.default_end
                self._remark_once(
                    f'there is no headquarters "{end}" here: built-in meetings there connect to "{instead}"'
                )
                return instead
            problem = f'the end "{end}" is neither a headquarters nor an office'
            raise event.wrong(problem, one_of(end, self._around.headquarters), "X-TATPAR-END")
        return end

    def _profile(self, event: EventText, series: Meeting | None) -> str:
        profile = event.text("X-TATPAR-PROFILE") or (
            series.profile if series else self._around.default_profile
        )
        if profile not in self._around.profiles:
            raise event.wrong(
                f'there is no call profile "{profile}"',
                one_of(profile, self._around.profiles),
                "X-TATPAR-PROFILE",
            )
        return profile

    def _invited(self, event: EventText, series: Meeting | None, end: str) -> tuple[str, ...]:
        if not event.attendees:
            if series is None:
                raise event.wrong("the meeting has no attendees", f"add a line ATTENDEE: with {FORMS}")
            invited = series.invited
        else:
            guests = frozenset[str]().union(*(self._guests(event, prop) for prop in event.attendees))
            invited = self._around.guests.seat(guests)
        if end in invited:
            invited = tuple(site for site in invited if site != end)
        if not invited and not self._around.guests.are_group(prop.value for prop in event.attendees):
            raise event.wrong("no office is invited", f"add a line ATTENDEE: with {FORMS}")
        return invited

    def _guests(self, event: EventText, prop: Property) -> frozenset[str]:
        try:
            found = self._around.guests.find(prop.value)
        except CellError as bad:
            if is_built_in(event.path):  # written for our regions, which are not the operator's
                return frozenset()
            raise ConfigError(event.path, bad.problem, bad.remedy, prop.line) from None
        if found.stranger:
            self._remarks.append(
                f"{event.path}:{prop.line}: {prop.value} is no office's contact; taken as a person"
            )
        return found.sites

    def _remark_once(self, remark: str) -> None:
        if remark not in self._remarks:
            self._remarks.append(remark)

    def _remark_exclusions(self, master: EventText) -> None:
        for moment, line in master.excluded:
            if isinstance(moment, datetime) and not takes_place_at(master, moment):
                self._remarks.append(
                    f"{master.path}:{line}: EXDATE {moment:%Y-%m-%d %H:%M} excludes nothing; "
                    "the meeting does not take place at that time anyway"
                )


def is_built_in(path: Path) -> bool:
    """Whether a file is ours: it is made to fit, since no mistake in it is the operator's."""
    return path.is_relative_to(DEFAULTS)


def _mail(value: str) -> str:
    return value[7:] if value.lower().startswith("mailto:") else value
