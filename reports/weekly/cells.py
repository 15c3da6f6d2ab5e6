"""Cells of the report's tables: as people read them, and as a machine does."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from reports.document import Cell, Column, Tone
from telemetry.windows import SECOND_NS

if TYPE_CHECKING:
    from reports.weekly.voice import Voice

_FEW_HOURS: Final = 1.0
_MANY_HOURS: Final = 8.0
"""A steady office is below the profile for less than an hour a week; one that is for a working day needs help."""


def text(words: str, tone: Tone = Tone.PLAIN) -> Cell:
    """A name or a sentence."""
    return Cell(words, words, tone)


def number(voice: Voice, value: float, tone: Tone = Tone.PLAIN) -> Cell:
    """A count."""
    return Cell(voice.number(value), value, tone)


def hours(voice: Voice, value: float) -> Cell:
    """Time below the profile, in hours."""
    return Cell(voice.hours(value), known(value, 3), tone_of_hours(value))


def span(voice: Voice, value_s: float) -> Cell:
    """A duration; the machine reads seconds."""
    return Cell(voice("none") if math.isnan(value_s) else voice.duration(value_s), known(value_s, 1))


def share(voice: Voice, value: float, *, exact: bool = False) -> Cell:
    """A share; the machine reads 0..1."""
    shown = voice.exact(value) if exact else voice.percent(value)
    return Cell(shown, known(value, 6), Tone.MISSING if math.isnan(value) else Tone.PLAIN)


def moment(voice: Voice, time_ns: int) -> Cell:
    """A moment; the machine reads RFC 3339, UTC."""
    stamp = datetime.fromtimestamp(time_ns // SECOND_NS, UTC).isoformat().replace("+00:00", "Z")
    return Cell(voice.short(time_ns), stamp)


def words(heading: str, name: str) -> Column:
    """A column of words."""
    return Column(heading, name)


def figures(heading: str, name: str) -> Column:
    """A column of figures."""
    return Column(heading, name, is_number=True)


def tone_of_hours(value: float) -> Tone:
    """Of the time that an office was below the profile in a week."""
    if math.isnan(value):
        return Tone.MISSING
    if value < _FEW_HOURS:
        return Tone.GOOD
    return Tone.WATCH if value < _MANY_HOURS else Tone.BAD


def known(value: float, digits: int) -> float | None:
    """A figure for a machine; None for one that is not known."""
    return None if math.isnan(value) else round(value, digits)
