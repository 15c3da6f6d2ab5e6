"""The other messages of the house: what the hub tells a probe, and what a probe says of itself."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from telemetry.messages import Count, Epoch, Name, TimeNs


class Stored(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`…/stored`, retained: every seq of `epoch` up to `through` is committed, but for `missing` ranges (inclusive)."""

    epoch: Epoch
    """Of the reports that are meant."""
    through: Count
    """Every number up to this one …"""
    missing: tuple[tuple[int, int], ...] = ()
    """… but for these ranges, both ends included."""


class Presence(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`…/presence`, retained: said by the probe, or by the broker through the last will."""

    online: bool
    """False in the last will: the connection was lost."""
    since_ns: TimeNs
    """Since when it is so, by the probe's clock."""
    version: str = ""
    """Of the probe's program."""
    boot: str = ""
    """Of the probe's machine."""
    restart_reason: str = ""
    """Why the probe last started: `power`, `crash`, `update`, `operator`, `unknown`."""
    left: bool = False
    """Off line by its own word: it was ended in order. A last will never says so."""


class Rate(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A packet rate for a span of time towards one end, or all; the highest of the overlapping spans applies."""

    from_ns: TimeNs
    """Begin."""
    until_ns: TimeNs
    """End."""
    rate_pps: Annotated[float, Meta(gt=0.0, le=1000.0)]
    """Packets a second."""
    end: Name | Literal[""] = ""
    """The end that the meeting is connected to; empty for every end."""


class PlannedEnd(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One end to measure to; the path is `<uplink>.<end>`."""

    end: Name
    """Id of a headquarters, or of an office with a reflector."""
    uplink: Name = "main"
    """The line of the office that is meant."""
    reflectors: tuple[str, ...] = ()
    """`host:port`, in order of preference; a probe's own configuration may override them."""


class Busy(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A meeting of the office, with the margin that rehearsals keep from it."""

    from_ns: TimeNs
    """Begin."""
    until_ns: TimeNs
    """End."""


class PlannedReach(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something that a call needs beside the line, to be asked for an answer."""

    target: Annotated[str, Meta(min_length=1, max_length=64)]
    """`room` or `edge`."""
    ask: Annotated[str, Meta(min_length=1, max_length=300)]
    """`method:host:port` (`config.reach`); a probe leaves out what it does not know."""


class Plan(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`…/plan`, retained: what a probe measures, until the plan runs out and the base rate remains."""

    valid_until_ns: TimeNs
    """From then on the base rate alone counts."""
    base_rate_pps: Annotated[float, Meta(gt=0.0, le=1000.0)] = 10.0
    """At all times that no other rate covers."""
    ends: tuple[PlannedEnd, ...] = ()
    """What is measured to."""
    rates: tuple[Rate, ...] = ()
    """Higher rates, for a time."""
    busy: tuple[Busy, ...] = ()
    """When the office must not rehearse."""
    dscp: Annotated[int, Meta(ge=0, le=63)] = 0
    """Mark of the test packets, unless the office's own settings name one; 0: none."""
    reach: tuple[PlannedReach, ...] = ()
    """What is asked for an answer beside the line."""
    reach_every_s: Annotated[float, Meta(ge=1.0, le=86_400.0)] = 60.0
    """How often each of them is asked."""


class Command(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`…/command`: a request; answered on the response topic with the same correlation data."""

    verb: Annotated[str, Meta(min_length=1, max_length=32)]
    """What shall be done."""
    arguments: dict[str, str] = {}
    """With what."""
    id: Annotated[str, Meta(max_length=64)] = ""
    """Its answer names it."""
    issued_ns: TimeNs = 0
    """When it was given."""
    expires_ns: TimeNs = 0
    """After which it is not obeyed."""
    signature: Annotated[str, Meta(max_length=128)] = ""
    """By the hub with the probe's command key (`telemetry.signing`); an enrolled probe obeys nothing without."""


class Answer(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`…/answer`: what came of a command."""

    ok: bool
    """Whether it was done."""
    detail: str = ""
    """What there is to say."""
    id: Annotated[str, Meta(max_length=64)] = ""
    """Of the command that it answers."""
    signature: Annotated[str, Meta(max_length=128)] = ""
    """By the probe with its command key."""
