"""A STAMP session over one window: the whole, and each direction of it."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from telemetry.histogram_grid import Sparse
from telemetry.messages.checks import check_pairs, check_worst
from telemetry.messages.fields import Bps, Count, Ms, PathName
from telemetry.messages.round_trip import RoundTrip
from telemetry.sources import StampSource


class Stamps(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """The source of each of the four STAMP time stamps."""

    t1: StampSource = StampSource.NONE
    """The probe's, of sending."""
    t2: StampSource = StampSource.NONE
    """The reflector's, of receiving."""
    t3: StampSource = StampSource.NONE
    """The reflector's, of sending back."""
    t4: StampSource = StampSource.NONE
    """The probe's, of receiving."""


class Direction(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One direction of a path over one window.

    `received` counts distinct packets known to have arrived at the far end of this direction;
    `lost` only those whose loss in this direction is certain (`Stream.lost_unattributed` holds the rest).
    """

    sent: Count
    """Packets that entered this direction."""
    received: Count
    """Distinct packets that came out of it."""
    lost: Count
    """Packets that were certainly lost in it."""
    duplicated: Count = 0
    """Extra copies made on the way (RFC 5560 arrivals beyond the first)."""
    reordered: Count = 0
    """Reordered packets (RFC 4737 type-P-reordered)."""
    longest_loss_run: Count = 0
    """Most packets lost one after another."""
    worst_200ms_lost: Count = 0
    """Of the worst 200 ms: lost …"""
    worst_200ms_sent: Count = 0
    """… of so many sent."""
    bitrate_bps: Bps | None = None
    """IP layer, received."""
    jitter_ms: Ms | None = None
    """Mean over the window of RFC 3550 interarrival jitter J."""
    jitter_max_ms: Ms | None = None
    """The highest J of the window."""
    ipdv_p50_ms: Ms | None = None
    """|IPDV| (RFC 3393) of consecutive packets."""
    ipdv_p99_ms: Ms | None = None
    """The same, 99th percentile."""
    pdv_p50_ms: Ms | None = None
    """PDV (RFC 5481): delay above the window's least."""
    pdv_p99_ms: Ms | None = None
    """The same, 99th percentile."""
    pdv_p999_ms: Ms | None = None
    """The same, 99.9th percentile."""
    ipdv_hist: Sparse = ()
    """|IPDV| as pairs of bin and count (`telemetry.histogram`)."""
    pdv_hist: Sparse = ()
    """PDV likewise."""
    dscp: Annotated[int, Meta(ge=0, le=63)] | None = None
    """Differentiated services code point with which most of its packets arrived, where they were marked and the far end told."""

    def __post_init__(self) -> None:
        arrived = self.received + self.duplicated
        check_pairs(self.ipdv_hist, "ipdv_hist", arrived)
        check_pairs(self.pdv_hist, "pdv_hist", arrived)
        check_worst(self.worst_200ms_lost, self.worst_200ms_sent)
        if self.received + self.lost > self.sent:
            raise ValueError(f"received {self.received} + lost {self.lost} exceed sent {self.sent}")


class Stream(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False, tag="stream"):
    """A STAMP test session (RFC 8762) over one window on one path."""

    path: PathName
    """`<uplink>.<end>`."""
    stamps: Stamps
    """Where the time stamps were taken."""
    rate_pps: Annotated[float, Meta(ge=0.0, le=1e6)]
    """At which rate packets were sent."""
    sent: Count
    """Packets sent in the window."""
    received: Count
    """Distinct packets whose reply came within 3 s."""
    lost: Count
    """Those whose reply did not come in time."""
    lost_unattributed: Count = 0
    """Lost, direction not known; `up.lost + down.lost + lost_unattributed = lost`."""
    longest_loss_run: Count = 0
    """Most packets lost one after another, whatever the direction."""
    worst_200ms_lost: Count = 0
    """Worst 200 ms of the round trip, whatever the direction: lost of sent."""
    worst_200ms_sent: Count = 0
    """Sent in these 200 ms."""
    up: Direction
    """Office to headquarters."""
    down: Direction
    """Headquarters to office."""
    rtt: RoundTrip | None = None
    """Absent when no reply came."""
    straddled: Count = 0
    """Delay samples dropped because a clock stepped between their stamps."""
    reflector_restarts: Count = 0
    """Restarts of the reflector that were noticed."""
    stateful: bool = False
    """The reflector numbers its replies itself, so the direction of loss can be known."""

    def __post_init__(self) -> None:
        if self.sent != self.received + self.lost:
            raise ValueError(f"received {self.received} + lost {self.lost} are not sent {self.sent}")
        if self.up.lost + self.down.lost + self.lost_unattributed != self.lost:
            raise ValueError("up.lost + down.lost + lost_unattributed are not lost")
        if self.longest_loss_run > self.lost:
            raise ValueError(f"longest_loss_run {self.longest_loss_run} exceeds lost {self.lost}")
        check_worst(self.worst_200ms_lost, self.worst_200ms_sent)
        if self.rtt is not None and (samples := sum(self.rtt.hist[1::2])) > self.received:
            raise ValueError(f"rtt.hist holds {samples} samples of {self.received} packets")
