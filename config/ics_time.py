"""Dates, times, zones and durations of an iCalendar file, each refused by line when wrong (RFC 5545 section 3.3)."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Final, cast
from zoneinfo import ZoneInfo

from icalendar import Timezone
from icalendar.prop import vDuration
from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from config.errors import ConfigError
from config.zones import similar_zone, zone_names

if TYPE_CHECKING:
    from datetime import tzinfo
    from pathlib import Path

    from config.ics_lines import Block, Property

_MOMENT = re.compile(r"(\d{4})(\d{2})(\d{2})(?:T(\d{2})(\d{2})(\d{2})(Z)?)?")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_YEARS = range(2000, 2101)
EXAMPLE: Final = "20261124T110000"


def to_ns(moment: datetime) -> int:
    """Nanoseconds since the Unix epoch of an aware time."""
    return (moment - _EPOCH) // timedelta(microseconds=1) * 1000


class Times:
    """Reads the times of one file: its own zones, and the zone of times that name none."""

    def __init__(self, path: Path, calendar: Block, floating: tzinfo) -> None:
        self._path = path
        self.floating = floating
        self._own_zones = dict(self._zone(block) for block in calendar.blocks if block.name == "VTIMEZONE")

    def moment(self, prop: Property, floating: tzinfo | None = None) -> datetime:
        """The one time of a property, aware.

        Raises:
            ConfigError: it is a whole day, no time, or in an unknown zone.
        """
        found = self.moments(prop, floating)
        if len(found) != 1:
            raise self._wrong(prop, f"{prop.name} has {len(found)} times", "write one")
        if not isinstance(found[0], datetime):
            raise self._wrong(prop, f"{prop.name} is a whole day", f"write a time, as {EXAMPLE}")
        return found[0]

    def moments(self, prop: Property, floating: tzinfo | None = None) -> list[datetime | date]:
        """All times of a property; a whole day stays a date, a time without a zone is in `floating`."""
        return [self._moment(prop, text.strip(), floating or self.floating) for text in prop.value.split(",")]

    def duration(self, prop: Property) -> timedelta:
        """The length that DURATION gives."""
        try:
            found: timedelta = vDuration.from_ical(prop.value.strip())  # type: ignore[no-untyped-call]
        except ValueError:
            raise self._wrong(
                prop, f'"{prop.value}" is not a duration', "write PT1H30M for an hour and a half"
            ) from None
        return found

    def _moment(self, prop: Property, text: str, floating: tzinfo) -> datetime | date:
        match = _MOMENT.fullmatch(text)
        if match is None:
            raise self._wrong(prop, f'"{text}" is not a time', f"write it as {EXAMPLE}")
        year, month, day = (int(part) for part in match.group(1, 2, 3))
        if year not in _YEARS:
            raise self._wrong(prop, f"the year {year} cannot be meant", "write a year from 2000 to 2100")
        zone = self._zone_of(prop, match[7], floating) if match[4] else None
        try:
            if zone is None:
                return date(year, month, day)
            hour, minute, second = (int(part) for part in match.group(4, 5, 6))
            return datetime(year, month, day, hour, minute, second, tzinfo=zone)
        except ValueError:
            raise self._wrong(
                prop, f'"{text}" is no day or hour of the calendar', f"write it as {EXAMPLE}"
            ) from None

    def _zone_of(self, prop: Property, utc: str | None, floating: tzinfo) -> tzinfo:
        name = prop.params.get("TZID")
        if name is None:
            return UTC if utc else floating
        if utc:
            raise self._wrong(
                prop, "the time ends in Z (UTC) but names a zone too", "remove the Z, or the TZID"
            )
        zone = self._own_zones.get(name) or zone_of(name)
        if zone is None:
            raise self._wrong(prop, f'there is no time zone "{name}"', f"write TZID={similar_zone(name)}")
        return zone

    def _zone(self, block: Block) -> tuple[str, tzinfo]:
        names = block.all("TZID")
        if not names:
            raise ConfigError(self._path, "the VTIMEZONE has no TZID", "add: TZID:name", block.line)
        name = names[0].value
        known = zone_of(name)
        if known is not None:
            return name, known
        try:
            return name, cast("Timezone", Timezone.from_ical(block.text())).to_tz()
        except (ValueError, KeyError, AttributeError, TypeError, IndexError) as error:
            problem = f'the VTIMEZONE "{name}" cannot be used ({error})'
            raise ConfigError(
                self._path, problem, "use an IANA name, as TZID=Asia/Kolkata", block.line
            ) from None

    def _wrong(self, prop: Property, problem: str, remedy: str) -> ConfigError:
        return ConfigError(self._path, problem, remedy, prop.line)


def zone_of(name: str) -> ZoneInfo | None:
    """The zone of an IANA or Windows name, or None when there is none.

    `/vendor.example/Asia/Kolkata` is a "globally unique" name (RFC 5545 section 3.2.19): its tail is meant.
    """
    plain = WINDOWS_TO_OLSON.get(name, name)
    if plain.startswith("/"):
        plain = "/".join(plain.split("/")[-2:])
    return ZoneInfo(plain) if plain in zone_names() else None
