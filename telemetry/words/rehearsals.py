"""Why a rehearsal did not hold, in words."""

from __future__ import annotations

from telemetry.rehearsal_reasons import is_known, reasons_of
from telemetry.words.speak import say

BETWEEN = " · "


def say_rehearsal_why(language: str, line: str) -> str:
    """A line of `telemetry.rehearsal_reasons` in `hi` or `en`; one whose code nobody knows stays as it came."""
    parts = reasons_of(line)
    if not all(is_known(part.code) for part in parts):
        return line
    return BETWEEN.join(_said(language, *part) for part in parts)


def _said(language: str, code: str, more: str, way: str) -> str:
    text = say(language, f"rehearsal.why.{code}")
    if more:
        text = say(language, "rehearsal.why_more", why=text, more=more)
    return say(language, f"rehearsal.way_{way}", why=text) if way else text
