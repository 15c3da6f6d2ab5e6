"""Meetings and their occurrences, as the calendar gives them."""

from __future__ import annotations

from msgspec import Struct


class Meeting(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One VEVENT: who is invited, to which end, under which call profile."""

    uid: str
    title: str
    """In the language of the calendar, usually Hindi."""
    invited: tuple[str, ...]
    """Ids of linked and planned sites, `all` and regions resolved, in registry order."""
    end: str
    """The headquarters (or site with a reflector) that the offices are connected to."""
    profile: str
    title_en: str = ""
    organiser_email: str = ""
    source: str = ""
    """File and line, for messages."""

    def name(self, language: str) -> str:
        """The meeting's name in `hi` or `en`; in the calendar's own words when it has no English ones."""
        return self.title_en if language == "en" and self.title_en else self.title


class Occurrence(Struct, frozen=True, kw_only=True):
    """One time that a meeting takes place; identity is `UID + RECURRENCE-ID` (UTC ns)."""

    meeting: Meeting
    recurrence_ns: int
    starts_ns: int
    ends_ns: int
