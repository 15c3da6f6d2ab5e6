"""A rehearsal as the probe saw it, step by step."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from telemetry.messages.fields import Bps, Count, PathName, SignedMs


class Rung(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One step of a rehearsal."""

    name: Annotated[str, Meta(min_length=1, max_length=32)]
    """The call profile of this step."""
    held: bool
    """Whether the line carried it."""
    bitrate_bps: Bps | None = None
    """Received."""
    lost: Count = 0
    """Packets lost …"""
    sent: Count = 0
    """… of so many sent."""
    delay_growth_ms: SignedMs | None = None
    """How much the delay grew during the step."""


class Rehearsal(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False, tag="rehearsal"):
    """A media-like load on one path, climbing the ladder of resolutions."""

    path: PathName
    """`<uplink>.<end>`."""
    rehearsal_id: Annotated[str, Meta(min_length=1, max_length=64)]
    """As the hub ordered it."""
    up: tuple[Rung, ...] = ()
    """The steps, office to headquarters."""
    down: tuple[Rung, ...] = ()
    """The steps back."""
    aborted: Annotated[str, Meta(max_length=200)] | None = None
    """Why it was broken off."""
