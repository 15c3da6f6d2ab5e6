"""A media flow of a live call."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from telemetry.messages.fields import Bps, Count, Ms, Ratio


class Call(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False, tag="call"):
    """One media flow of a live call, seen passively."""

    flow: Annotated[str, Meta(min_length=1, max_length=64)]
    """Tells the flows of a window apart; no address."""
    media: Annotated[str, Meta(min_length=1, max_length=16)]
    """`audio`, `video`, `screen`, or another word."""
    direction: Annotated[str, Meta(pattern=r"^(up|down)\Z")]
    """`up` or `down`."""
    packets: Count
    """Packets seen."""
    lost: Count
    """Missing by their sequence numbers."""
    bitrate_bps: Bps | None = None
    """Mean over the window."""
    jitter_ms: Ms | None = None
    """RFC 3550 interarrival jitter, by the media's clock."""
    frames_per_s: Annotated[float, Meta(ge=0.0, le=1000.0)] | None = None
    """Of video."""
    freezes: Count = 0
    """Gaps between frames that people see."""
    longest_loss_run: Count = 0
    """Most packets lost one after another."""
    burst_density: Ratio | None = None
    """Share lost within bursts (RFC 3611)."""
    gap_density: Ratio | None = None
    """Share lost between them."""
    estimated: bool = False
    """True where packets carry no sequence numbers in the clear: figures are estimates."""
