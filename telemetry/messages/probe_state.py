"""What a probe says of itself in a window: its clock, and its own trouble."""

from __future__ import annotations

from msgspec import Struct

from telemetry.messages.fields import Count, Ms, Ratio, SignedMs
from telemetry.sources import ClockState


class Clock(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """The probe's own clock at the start of the window."""

    state: ClockState = ClockState.UNKNOWN
    offset_ms: SignedMs | None = None
    """How far the clock is off, as its discipline estimates."""
    error_ms: Ms | None = None
    """How far it may be off at most, by the same."""


class SelfReport(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """The probe's own trouble in the window, so that a bad probe is not taken for a bad network."""

    late_sends: Count = 0
    """Packets that left more than 5 ms after their time."""
    late_max_ms: Ms | None = None
    """The latest of them."""
    cpu_ratio: Ratio | None = None
    """CPU share of the measuring process, of one core."""
    rx_drops: Count = 0
    """Datagrams that the kernel dropped at our sockets (SO_RXQ_OVFL)."""
    clock_steps: Count = 0
    """Own clock steps noticed in the window."""
    spool_rows: Count | None = None
    """Reports that waited in the spool."""
