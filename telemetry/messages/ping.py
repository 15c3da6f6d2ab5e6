"""ICMP echo over one window."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from telemetry.messages.fields import Count
from telemetry.messages.round_trip import RoundTrip
from telemetry.sources import StampSource


class Ping(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False, tag="ping"):
    """ICMP echo to one target over one window."""

    target: Annotated[str, Meta(min_length=1, max_length=64)]
    """`gateway`, or the name of an end."""
    sent: Count
    """Echo requests sent."""
    received: Count
    """Distinct replies that came in time."""
    rtt: RoundTrip | None = None
    """Absent when no reply came."""
    stamps: StampSource = StampSource.NONE
    """Where the time stamps were taken."""

    def __post_init__(self) -> None:
        if self.received > self.sent:
            raise ValueError(f"received {self.received} exceed sent {self.sent}")
