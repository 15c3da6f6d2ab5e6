"""What a message turned out to be, and why it was refused when it was."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collector.message import Message
    from telemetry.control import Answer, Presence
    from telemetry.messages import Envelope
    from telemetry.store.protocol import Received


class RefusalCode(StrEnum):
    """Why a message was not taken."""

    TOPIC = "topic"  # none of our topics, or one that we write ourselves
    RETAINED = "retained"  # a report kept by the broker: old news to whoever subscribes
    TOO_LARGE = "too_large"
    MALFORMED = "malformed"
    FOREIGN = "foreign"  # says another site or probe inside than its topic does
    UNKNOWN_SITE = "unknown_site"
    NOT_LINKED = "not_linked"
    NOT_ENROLLED = "not_enrolled"
    REVOKED = "revoked"
    OFF_GRID = "off_grid"
    CLOCK = "clock"  # dated where it cannot be, and its age is not known either, or it is older than anything we keep
    UNDATED = "undated"  # wrong clock, or kept by the broker: not to be told yet; for now, not accounted for
    NUMBER_TWICE = "number_twice"  # another report is stored under its number: a spool was copied or restored
    # more of one probe than it can have made: in the hour of its date, or since we met it; for now, not accounted for
    CROWDED = "crowded"
    UNSTORABLE = "unstorable"  # the store itself could not take it


@dataclass(frozen=True, slots=True)
class Accepted:
    """A report to store."""

    report: Received


@dataclass(frozen=True, slots=True)
class Misdated:
    """A sound report from a wrong clock: to be given its time by its age."""

    report: Received
    message: Message
    is_live: bool


@dataclass(frozen=True, slots=True)
class Said:
    """What a probe (or its last will) says of itself; None: the retained word was withdrawn."""

    site: str
    probe: str
    presence: Presence | None
    at_ns: int


@dataclass(frozen=True, slots=True)
class Answered:
    """A probe's answer to a command."""

    site: str
    probe: str
    answer: Answer


@dataclass(frozen=True, slots=True)
class Refused:
    """Not taken, and why. `envelope` is there when the report's seq must be accounted for."""

    code: RefusalCode
    detail: str
    message: Message
    envelope: Envelope | None = None


Outcome = Accepted | Misdated | Said | Answered | Refused
