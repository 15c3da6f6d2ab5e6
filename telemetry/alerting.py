"""What the house keeps on record of alerts: what is wrong for whom, how far it has come, what was said of it.

The room `alerts` makes these, the state database keeps them, the wall, the command line and the reports read them.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from msgspec import Struct

from telemetry.decisions import Action, Factor, Reason


class AlertState(StrEnum):
    """How far an alert has come."""

    PENDING = "pending"
    """Seen, and held back until it has lasted."""
    FIRING = "firing"
    ACKNOWLEDGED = "acknowledged"
    """Somebody has taken it up: nobody further is told unless it gets worse."""
    RESOLVED = "resolved"


class Kind(StrEnum):
    """What is wrong, or what a message is about."""

    NOT_READY = "not_ready"
    """An office will not hold a meeting that comes, or that runs."""
    AT_RISK = "at_risk"
    DARK = "dark"
    """No contact with an office, and a meeting is near."""
    DOWN = "down"
    """No contact with an office for long, no meeting near."""
    ROOM_DEVICE = "room_device"
    """The line is good, the room's own device does not answer."""
    SHARED = "shared"
    """An incident: one fault that several offices share (provider, region, uplink)."""
    HEADQUARTERS = "headquarters"
    """An incident at headquarters."""
    NOT_YOUR_LINE = "not_your_line"
    """To an in-charge: the trouble is a shared one, there is nothing to do."""


INCIDENTS: Final = (Kind.SHARED, Kind.HEADQUARTERS)
"""What is about a fault that offices share."""


class Step(StrEnum):
    """Which message of an alert: the same kind is said otherwise when it goes up the ladder, gets worse or is over."""

    RAISED = "raised"
    REMINDED = "reminded"
    """Nobody has acknowledged it, and the meeting draws near."""
    ESCALATED = "escalated"
    """To the next rung: the one below has not acknowledged."""
    WORSE = "worse"
    """It was acknowledged and has got worse since, or what was advised no longer helps."""
    RESOLVED = "resolved"
    MANY = "many"
    """Several messages that waited for the person's limit, as one."""
    TEST = "test"


class Severity(StrEnum):
    """Follows the minutes left; urgent messages are sent in quiet hours too."""

    NOTICE = "notice"
    WARNING = "warning"
    URGENT = "urgent"


class Owed(Struct, frozen=True, omit_defaults=True):
    """A word that is owed to somebody."""

    person: str
    alert: str
    """Of which they were told."""
    lasts: bool = False
    """They were told with no meeting in mind: whatever becomes of meetings, they hear when it is over."""


class Laid(Struct, frozen=True, omit_defaults=True):
    """Somebody was told that a trouble is not their line, but a fault that several offices share."""

    person: str
    incident: str
    at_ns: int
    factor: Factor | None = None
    """What was at fault, as they were told."""


class Alert(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One alert: an office or an incident, and what is wrong with it."""

    id: str
    """Six letters and digits that can be read over the telephone; unique for ever."""
    kind: Kind
    state: AlertState
    severity: Severity
    site: str = ""
    """The office; empty for an incident."""
    incident: str = ""
    """The incident that it is, or that explains it."""
    meeting: str = ""
    occurrence_ns: int | None = None
    starts_ns: int | None = None
    """Of the next meeting that it endangers; the alert goes on with another one of the office when that is in danger instead."""
    ends_ns: int | None = None
    reason: Reason | None = None
    action: Action = Action.NONE
    probability: float | None = None
    since_ns: int
    """When the trouble began."""
    unseen: bool = False
    """It was there when it was first looked at, or when the hub could hear again, and may have begun before: it lasted for at least as long as it was seen."""
    pending_ns: int
    """When it was first seen."""
    fired_ns: int | None = None
    acknowledged_ns: int | None = None
    acknowledged_by: str = ""
    note: str = ""
    clear_ns: int | None = None
    """Since when it has looked well again; it is over once that has lasted."""
    resolved_ns: int | None = None
    rung: int = 0
    """How far up the ladder it has gone: 0 nobody told, 1 the first rung, …"""
    rung_ns: int | None = None
    """When the present rung was told."""
    told: tuple[str, ...] = ()
    """Ids of the people who were told of it."""
    sites: tuple[str, ...] = ()
    """The offices, of an incident: those that suffer; once it looks well, all that were hit."""
    hit: tuple[str, ...] = ()
    """Every office that an incident has hit so far."""
    over_ns: int | None = None
    """When an incident itself was over; it is seen to be over, and looks well, somewhat later."""
    flaps: tuple[int, ...] = ()
    """When it came back, ns since the Unix epoch: the newest few, for the damping."""
    seen_ns: int = 0
    """When it was last looked at."""
    factor: Factor | None = None
    """What the offices have in common, of an incident and of an office that it explains."""
    severe: bool = False
    bad_ns: tuple[int, ...] = ()
    """Starts of the windows in which it was seen while it was held back, newest last."""
    crowded: bool = False
    """It began among others, and was held back for their sake."""
    said_ns: int | None = None
    """When somebody was last told anything of it."""
    rank: int = 0
    """How bad it has been at its worst; the higher the worse."""
    turn: int = 0
    """How often it was told anew: it got worse after somebody had taken it up, or has become the office's own trouble again."""
    eased: tuple[str, ...] = ()
    """Ids of the people who were told that it is not their line."""
    laid: tuple[Laid, ...] = ()
    """Of which shared faults they were told, oldest first: `incident` may be another one by now."""
    owed: tuple[Owed, ...] = ()
    """Who was told of the office's trouble before this was told in its place: they too hear when it is over."""
    own_ns: int | None = None
    """Since when the shared fault is gone that explained it, and the trouble is not."""
    overtaken_ns: int | None = None
    """Time of the acknowledgement that no longer holds, because it has got worse since."""
    told_of: tuple[int, ...] = ()
    """Starts of the meetings that people were told of, once it has gone on from one meeting of the office to another."""
    turned_ns: int | None = None
    """Since when it is about a meeting of which nobody was told."""
    advised: Action = Action.NONE
    """What its in-charges were last told to do."""
    misled_ns: int | None = None
    """Since when that asks too much of the line: see `alerts.advice`."""

    @property
    def ended_ns(self) -> int | None:
        """When the trouble ended: without the wait whether it comes back; None while it lasts."""
        if self.clear_ns is None:
            return self.resolved_ns
        return self.clear_ns if self.over_ns is None else self.over_ns

    @property
    def subject(self) -> str:
        """What it is about: at most one alert is open of each."""
        if self.kind in INCIDENTS:
            return f"incident:{self.incident}"
        if self.occurrence_ns is None:
            return f"site:{self.site}"
        return f"site:{self.site}/{self.meeting}/{self.occurrence_ns}"


class Silence(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Somebody has said that nothing is to be sent of something for a while."""

    id: str
    what: str
    """`site:agra`, `region:awadh`, `incident:…`, `alert:K7M2PQ`, `all`."""
    from_ns: int
    until_ns: int
    by: str
    note: str = ""


BODY: Final = ""
"""Name of an attachment that is no file but the mail's body once more, as HTML."""


class Attachment(Struct, frozen=True, kw_only=True):
    """A file that goes with a mail."""

    name: str
    media_type: str
    content: bytes


class Post(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A message as it goes into the outbox: written once, when it is decided, and never changed."""

    key: str
    """What makes it the same message: put in twice, it is sent once."""
    person: str
    """Id; empty when it goes to a bare address, or to a system."""
    channel: str
    """`mail`, a name under [alerts.channels], or `alertmanager`."""
    recipient: str
    template: str = ""
    """Number of the template, as `T07-hi`; empty: none (a report)."""
    variables: tuple[str, ...] = ()
    """What stands in the template's places, in their order."""
    subject: str
    body: str
    due_ns: int
    expires_ns: int | None = None
    """It helps nobody after this: not sent then, and listed as such."""
    urgent: bool = False
    alert: str = ""
    """Id of the alert that it is about; empty: none."""
    attachments: tuple[Attachment, ...] = ()
