"""Why a rehearsal, or one office's part in it, did not come to its end: the codes, and the lines that carry them.

A line is `code` or `code more`; of an office that broke, one for each way, `up loss, down delay`. Probes and hub write it,
the words say it (`rehearsal.why.<code>`), and a line of a newer probe whose code nobody knows is shown as it came.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple

WAYS: Final = ("up", "down")


class WhyNot(StrEnum):
    """Every code; the test of the words asks each of them for its words in both languages."""

    # A way broke.
    LOSS = "loss"
    BURST = "burst"
    JITTER = "jitter"
    DELAY = "delay"
    RATE = "rate"
    DARK = "dark"
    CEILING = "ceiling"
    """The line's stated rate is below the profile: a refusal, or of an office that climbed as far as it may."""

    # The office did not begin, or left off.
    MEETING = "meeting"
    LIVE_CALL = "live-call"
    NO_PLAN = "no-plan"
    NO_KEY = "no-key"
    NO_PATH = "no-path"
    BUDGET = "budget"
    OFF = "off"
    BUSY = "busy"
    TOO_LONG = "too-long"
    START = "start"
    UNREADABLE = "unreadable"
    CLOCK = "clock"
    CAPACITY = "capacity"
    NOT_OBEYED = "not-obeyed"
    """The probe refused the order altogether: an older program, or one that was not signed as it must be."""
    STOPPED = "stopped"
    SHUTDOWN = "shutdown"
    PROCESS = "process"

    # Between the two ends.
    NO_WAY = "no-way"
    NO_ANSWER = "no-answer"
    DENIED = "denied"
    DENIED_BUSY = "denied-busy"
    DENIED_BUDGET = "denied-budget"
    DENIED_TOO_MUCH = "denied-too-much"
    SILENT = "silent"
    OWN_LOAD = "own-load"
    HUB_LOAD = "hub-load"
    CLOCK_STEP = "clock-step"
    """Of an older probe: its clock was set. Today's measure by one that is not, and only note it."""

    # Notes beside the outcome.
    OWN_CLOCK = "own-clock"
    """The office's clock was set meanwhile; its figures are by a clock that was not."""
    FAR_CLOCK = "far-clock"
    """The headquarters' clock was set under a rung: its growth of one-way delay is not known, the round trip was judged."""

    # As the hub sees it.
    OFF_LINE = "off-line"
    NO_MEETING = "no-meeting"
    NO_PROFILE = "no-profile"
    NO_OFFICES = "no-offices"
    NO_HUB = "no-hub"


class Reason(NamedTuple):
    """One part of a line."""

    code: str
    """As it came; a `WhyNot`, or what a newer program says."""
    more: str = ""
    way: str = ""
    """`up` or `down` when it is one way's."""


def reasons_of(line: str) -> tuple[Reason, ...]:
    """The parts of a line: one for each way that broke, else a single one; none for an empty line."""
    parts = line.split(", ")
    if all(part.partition(" ")[0] in WAYS for part in parts):
        return tuple(_reason(rest, way) for way, _, rest in (part.partition(" ") for part in parts))
    return (_reason(line),) if line else ()


def is_known(code: str) -> bool:
    """Whether there are words for it."""
    return code in _KNOWN


def _reason(text: str, way: str = "") -> Reason:
    code, _, more = text.partition(" ")
    return Reason(code, more, way)


_KNOWN: Final = frozenset(member.value for member in WhyNot)
