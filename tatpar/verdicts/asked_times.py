"""The times that `tatpar ready --at … --or …` asks of, as occurrences of a meeting that need not be in the calendar."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from config.meetings import Meeting, Occurrence
from config.settings_file import timezone_of
from config.text import one_of
from tatpar.terminal.amiss import no_uid
from tatpar.terminal.options import wrong_input
from telemetry.windows import DAY_NS, SECOND_NS

if TYPE_CHECKING:
    from config.config import Config

FARTHEST_NS: Final = 14 * DAY_NS
"""The longest lead that the model is fitted for."""
DEFAULT_MINUTES: Final = 60.0
_CLOCK: Final = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What was asked: one or two times, and what kind of meeting."""

    times: tuple[str, ...]
    uid: str | None
    minutes: float | None
    end: str | None
    profile: str | None


def occurrences(config: Config, question: Question, language: str, now_ns: int) -> list[Occurrence]:
    """One of each time asked, in order; a wrong question ends the command, in one line."""
    settings, meeting = config.settings.meetings, None
    length_ns = round((question.minutes or DEFAULT_MINUTES) * 60 * SECOND_NS)
    if question.uid is not None:
        known = {each.uid: each for each in config.calendar.meetings}
        meeting = known.get(question.uid)
        if meeting is None:
            no_uid(config, question.uid, language)
        coming = config.calendar.occurrences(now_ns, now_ns + 31 * DAY_NS)
        next_one = next((each for each in coming if each.meeting.uid == meeting.uid), None)
        if next_one is not None and question.minutes is None:
            length_ns = next_one.ends_ns - next_one.starts_ns
    end = question.end or (meeting.end if meeting else settings.default_end)
    profile = question.profile or (meeting.profile if meeting else settings.default_profile)
    if end not in config.headquarters and end not in config.registry.by_id:
        wrong_input(f'--end: there is no headquarters "{end}"; {one_of(end, config.headquarters)}')
    if profile not in config.profiles:
        wrong_input(f'--profile: there is no call profile "{profile}"; {one_of(profile, config.profiles)}')
    invited = meeting.invited if meeting else tuple(config.registry.by_id)
    asked = Meeting(uid=question.uid or "", title="", invited=invited, end=end, profile=profile)
    options = ("--at", "--or")
    starts = [_time(config, name, text, now_ns) for name, text in zip(options, question.times, strict=False)]
    return [
        Occurrence(meeting=asked, recurrence_ns=at_ns, starts_ns=at_ns, ends_ns=at_ns + length_ns)
        for at_ns in starts
    ]


def _time(config: Config, name: str, text: str, now_ns: int) -> int:
    """A time that lies ahead: of the day (the next one), or with its date; local unless it has an offset."""
    zone = timezone_of(config.settings)
    now = datetime.fromtimestamp(now_ns // SECOND_NS, zone)
    clock = _CLOCK.fullmatch(text.strip())
    if clock:
        when = now.replace(hour=int(clock[1]), minute=int(clock[2]), second=0, microsecond=0)
        when += timedelta(days=1) if when <= now else timedelta(0)
    else:
        try:
            when = datetime.fromisoformat(text.strip())
        except ValueError:
            wrong_input(f"{name}: {text!r} is no time; write 11:00, or 2026-11-26T11:00")
        when = when if when.tzinfo else when.replace(tzinfo=zone)
    at_ns = int(when.timestamp()) * SECOND_NS
    if not now_ns < at_ns <= now_ns + FARTHEST_NS:
        wrong_input(f"{name}: {text} does not lie within the next 14 days; write a time that does")
    return at_ns
