"""Counters of one network interface."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from telemetry.messages.fields import Bps, Count


class Link(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False, tag="link"):
    """Counters of one network interface over one window."""

    interface: Annotated[str, Meta(min_length=1, max_length=64)]
    """Its name, as `eth0`."""
    up_bps: Bps | None = None
    """Sent by the office, mean over the window."""
    down_bps: Bps | None = None
    """Received by it."""
    errors: Count = 0
    """Frames with errors, both ways."""
    drops: Count = 0
    """Frames dropped, both ways."""
    is_up: bool = True
    """Whether the interface is up."""
