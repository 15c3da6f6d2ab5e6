"""The RRULE of a meeting, checked and made exact (RFC 5545 section 3.3.10)."""

from __future__ import annotations

import calendar
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from icalendar.prop import vRecur

from config.errors import ConfigError
from config.text import one_of

if TYPE_CHECKING:
    from pathlib import Path

    from config.ics_lines import Property

FREQUENCIES: Final = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
END_OF_TIME: Final = datetime(2101, 1, 1, tzinfo=UTC)
"""A rule without an end gets this one, so that one that never comes true is found out soon."""
_WEEKDAYS: Final = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_RANGES: Final = {
    "INTERVAL": (1, 1000),
    "COUNT": (1, 100_000),
    "BYHOUR": (0, 23),
    "BYMINUTE": (0, 59),
    "BYSECOND": (0, 59),
    "BYMONTH": (1, 12),
    "BYMONTHDAY": (-31, 31),
    "BYYEARDAY": (-366, 366),
    "BYWEEKNO": (-53, 53),
    "BYSETPOS": (-366, 366),
}
_KNOWN: Final = ("FREQ", "UNTIL", "BYDAY", "WKST", *_RANGES)


def read_rule(path: Path, prop: Property, start: datetime) -> vRecur:
    """The rule with UNTIL in UTC; an UNTIL that is a day includes that day, one without a zone is in the start's.

    Raises:
        ConfigError: with the line, for any part that is unknown, out of range or contradictory.
    """
    _check_parts(path, prop)
    try:
        rule: vRecur = vRecur.from_ical(prop.value)
    except ValueError as error:
        raise _wrong(path, prop, f"RRULE: {error}", "write it as FREQ=WEEKLY;BYDAY=MO,WE") from None
    _check_frequency(path, prop, rule)
    for part, (least, most) in _RANGES.items():
        for value in rule.get(part, []):
            if not least <= value <= most or (value == 0 and least < 0):
                raise _wrong(path, prop, f"RRULE: {part}={value}", f"write {part} from {least} to {most}")
    _check_start(path, prop, rule, start)
    if "UNTIL" in rule:
        rule["UNTIL"] = [_until(path, prop, rule["UNTIL"][0], start)]
    elif "COUNT" not in rule:
        rule["UNTIL"] = [END_OF_TIME]
    return rule


def _check_parts(path: Path, prop: Property) -> None:
    seen: set[str] = set()
    for part in prop.value.rstrip(";").split(";"):
        name, equals, value = part.partition("=")
        if not equals or not value:
            raise _wrong(
                path, prop, f'RRULE: "{part}" is not NAME=value', "write it as FREQ=WEEKLY;BYDAY=MO,WE"
            )
        if name.upper() not in _KNOWN:
            raise _wrong(path, prop, f'RRULE has no part "{name}"', one_of(name.upper(), _KNOWN))
        if name.upper() in seen:
            raise _wrong(path, prop, f"RRULE: {name} stands twice", f"join the values: {name}=a,b")
        seen.add(name.upper())


def _check_frequency(path: Path, prop: Property, rule: vRecur) -> None:
    frequency = str(rule.get("FREQ", [""])[0])
    if not frequency:
        raise _wrong(path, prop, "RRULE has no FREQ", "begin with FREQ=DAILY, WEEKLY, MONTHLY or YEARLY")
    if frequency not in FREQUENCIES:
        raise _wrong(
            path,
            prop,
            f"RRULE: no meeting is FREQ={frequency}",
            "write FREQ=DAILY;BYHOUR=9,10,11 for every hour",
        )
    if "COUNT" in rule and "UNTIL" in rule:
        raise _wrong(path, prop, "RRULE has both COUNT and UNTIL", "keep one of the two")
    for part in ("BYSETPOS", "BYWEEKNO", "BYYEARDAY"):
        if part in rule and "COUNT" in rule:  # might never come true, and be looked for until the year 9999
            raise _wrong(path, prop, f"RRULE has {part} and COUNT", "write UNTIL instead of COUNT")


def _check_start(path: Path, prop: Property, rule: vRecur, start: datetime) -> None:
    """A series that begins at a time of its own is undefined in the RFC, and always a slip of the pen."""
    for part, own in _own_values(start).items():
        asked = [str(value) for value in rule.get(part, [])]
        if asked and not own.intersection(asked) and not _counts_in_year(rule, part):
            problem = f"DTSTART ({start:%Y-%m-%d %H:%M}, {_WEEKDAYS[start.weekday()]}) does not fit {part}={','.join(asked)}"
            raise _wrong(path, prop, problem, "begin at a time that RRULE gives, or change RRULE")


def _own_values(start: datetime) -> dict[str, set[str]]:
    """What each part of a rule must include, one of them, for the rule to hold at its start."""
    days_in_month = calendar.monthrange(start.year, start.month)[1]
    from_end = start.day - days_in_month - 1
    day = _WEEKDAYS[start.weekday()]
    return {
        "BYMONTH": {str(start.month)},
        "BYMONTHDAY": {str(start.day), str(from_end)},
        "BYDAY": {
            day,
            f"{(start.day - 1) // 7 + 1}{day}",
            f"+{(start.day - 1) // 7 + 1}{day}",
            f"{(from_end + 1) // 7 - 1}{day}",
        },
        "BYHOUR": {str(start.hour)},
        "BYMINUTE": {str(start.minute)},
        "BYSECOND": {str(start.second)},
    }


def _counts_in_year(rule: vRecur, part: str) -> bool:
    """Whether weekdays are counted through the year (`20MO`), which no meeting of ours does and we do not check."""
    return part == "BYDAY" and str(rule["FREQ"][0]) == "YEARLY" and "BYMONTH" not in rule


def _until(path: Path, prop: Property, until: object, start: datetime) -> datetime:
    if not isinstance(until, datetime):
        day_end = datetime.combine(until, datetime.max.time(), start.tzinfo)  # type: ignore[arg-type]
        until = day_end.replace(microsecond=0)
    elif until.tzinfo is None:
        until = until.replace(tzinfo=start.tzinfo)
    if until < start:
        raise _wrong(path, prop, "RRULE: UNTIL is before DTSTART", "write a later UNTIL")
    return until.astimezone(UTC)


def _wrong(path: Path, prop: Property, problem: str, remedy: str) -> ConfigError:
    return ConfigError(path, problem, remedy, prop.line)
