"""The other messages of the house: what the hub tells a probe, and what a probe says of itself."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from telemetry.messages import Count, Epoch, Name, TimeNs


class Stored(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`…/stored`, retained: every seq of `epoch` up to `through` is committed, but for `missing` ranges (inclusive)."""

    epoch: Epoch
    through: Count
    missing: tuple[tuple[int, int], ...] = ()


class Presence(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`…/presence`, retained: said by the probe, or by the broker through the last will."""

    online: bool
    since_ns: TimeNs
    version: str = ""
    boot: str = ""
    restart_reason: str = ""
    """Why the probe last started: `power`, `crash`, `update`, `operator`, `unknown`."""


class Rate(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A packet rate for a span of time towards one end, or all; the highest of the overlapping spans applies."""

    from_ns: TimeNs
    until_ns: TimeNs
    rate_pps: Annotated[float, Meta(gt=0.0, le=1000.0)]
    end: Name | Literal[""] = ""
    """The end that the meeting is connected to; empty for every end."""


class PlannedEnd(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One end to measure to; the path is `<uplink>.<end>`."""

    end: Name
    uplink: Name = "main"
    reflectors: tuple[str, ...] = ()
    """`host:port`, in order of preference; a probe's own configuration may override them."""


class Busy(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A meeting of the office, with the margin that rehearsals keep from it."""

    from_ns: TimeNs
    until_ns: TimeNs


class Plan(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`…/plan`, retained: what a probe measures, until the plan runs out and the base rate remains."""

    valid_until_ns: TimeNs
    base_rate_pps: Annotated[float, Meta(gt=0.0, le=1000.0)] = 10.0
    ends: tuple[PlannedEnd, ...] = ()
    rates: tuple[Rate, ...] = ()
    busy: tuple[Busy, ...] = ()
    """When the office must not rehearse."""
    dscp: Annotated[int, Meta(ge=0, le=63)] = 0
    """Mark of the test packets, unless the office's own settings name one; 0: none."""


class Command(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`…/command`: a request; answered on the response topic with the same correlation data."""

    verb: Annotated[str, Meta(min_length=1, max_length=32)]
    arguments: dict[str, str] = {}
    id: Annotated[str, Meta(max_length=64)] = ""
    issued_ns: TimeNs = 0
    expires_ns: TimeNs = 0
    signature: Annotated[str, Meta(max_length=128)] = ""
    """By the hub with the probe's command key (`telemetry.signing`); an enrolled probe obeys nothing without."""


class Answer(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`…/answer`: what came of a command."""

    ok: bool
    detail: str = ""
    id: Annotated[str, Meta(max_length=64)] = ""
    """Of the command that it answers."""
    signature: Annotated[str, Meta(max_length=128)] = ""
