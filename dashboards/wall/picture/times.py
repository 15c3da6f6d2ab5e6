"""Times on their way to the browser, and the name of an occurrence in an address."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from telemetry.windows import MS_NS, SECOND_NS

_BASIC: Final = "%Y%m%dT%H%M%SZ"


def ms(time_ns: int) -> int:
    """Whole milliseconds since the Unix epoch: a number that JavaScript holds exactly."""
    return time_ns // MS_NS


def recurrence_name(recurrence_ns: int) -> str:
    """RECURRENCE-ID as RFC 5545 3.3.5 writes a UTC time, `20251124T053000Z`."""
    return datetime.fromtimestamp(recurrence_ns // SECOND_NS, tz=UTC).strftime(_BASIC)


def recurrence_ns(name: str) -> int:
    """The reverse; raises ValueError for anything else."""
    found = datetime.strptime(name, _BASIC).replace(tzinfo=UTC)
    if not 1970 <= found.year < 2200:  # beyond, no calendar is unrolled and no nanosecond counted
        raise ValueError(f"{name} lies outside of what is counted")
    return int(found.timestamp()) * SECOND_NS


def meeting_key(uid: str, occurrence_ns: int) -> str:
    """Identity of an occurrence as the picture keys it."""
    return f"{uid} {recurrence_name(occurrence_ns)}"
