"""What a probe reports: one envelope per probe and 15 s window, and the items it carries.

Frozen, validated types. Units stand in the names; missing is absent (None, left out on the wire), never 0
or -1. `up` is office -> headquarters, `down` is back. The codec beside this file turns them into JSON and
keeps what it does not understand. None of them can be part of a cycle, so the garbage collector need not look
at them (`gc=False`): with thousands in hand that is a quarter of the time of decoding.
"""

from __future__ import annotations

from enum import IntEnum
from operator import lt
from typing import Annotated, Final

from msgspec import Meta, Struct, field

from telemetry.histogram_grid import BINS, Sparse
from telemetry.sources import ClockState as ClockState  # noqa: PLC0414 - known from here to all who read reports
from telemetry.sources import StampSource as StampSource  # noqa: PLC0414 - as above

WIRE_VERSION: Final = 1

Name = Annotated[str, Meta(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\Z")]
"""A site or probe id: lower-case letters, digits and inner hyphens, at most 63 (one MQTT topic level)."""
PathName = Annotated[str, Meta(pattern=r"^[a-z0-9-]{1,31}\.[a-z0-9-]{1,63}\Z")]
"""A measured path, `<uplink>.<end>`, as `main.state`."""
Epoch = Annotated[str, Meta(pattern=r"^[0-9a-f]{16}\Z")]
"""64 random bits made with the spool, in hexadecimal."""
Count = Annotated[int, Meta(ge=0, le=2**53 - 1)]
TimeNs = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Ms = Annotated[float, Meta(ge=0.0, le=3.6e6)]
SignedMs = Annotated[float, Meta(ge=-1e12, le=1e12)]
Ratio = Annotated[float, Meta(ge=0.0, le=1.0)]
Bps = Annotated[float, Meta(ge=0.0, le=1e13)]


_ROUNDING: Final = 1e-9
"""A mean of equal numbers may come out a little beside them."""


class ReachOutcome(IntEnum):
    """What came of asking whether something is there."""

    ANSWERED = 1
    REFUSED = 2
    """Its machine says that nobody listens there."""
    TIMEOUT = 3
    UNREACHABLE = 4
    """No way leads there."""
    NAME_UNKNOWN = 5
    GARBLED = 6
    """Something answers, but not in the protocol."""
    TLS_FAILED = 7
    CERTIFICATE = 8
    """It answers, with a certificate that this machine does not trust."""
    EXPIRED = 9
    """It answers, with a certificate that has expired."""
    OWN_TROUBLE = 10
    """The question could not be asked: nothing is known of the other side."""


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


def _check_pairs(pairs: Sparse, where: str, most: int | None = None) -> None:
    """Refuse what is no histogram, or one of more samples than there can be."""
    if len(pairs) % 2:
        raise ValueError(f"{where} must be pairs of bin and count")
    if not pairs:
        return
    bins, counts = pairs[0::2], pairs[1::2]
    rising = all(map(lt, bins, bins[1:]))  # every histogram of every report passes here: no loop in Python
    if not (rising and bins[0] >= 0 and bins[-1] < BINS and _are_positive(counts)):
        raise ValueError(f"{where} must hold rising bins below {BINS} with positive counts")
    if most is not None and sum(counts) > most:
        raise ValueError(f"{where} holds {sum(counts)} samples of {most} packets")


def _check_worst(lost: int, sent: int) -> None:
    if lost > sent:
        raise ValueError(f"worst_200ms_lost {lost} exceeds worst_200ms_sent {sent}")


def _are_positive(counts: Sparse) -> bool:
    try:
        return 0 not in bytes(
            counts
        )  # nearly always below 256, and then this is the quickest look at all of them
    except ValueError:
        return min(counts) > 0 and max(counts) < 2**32


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
        _check_pairs(self.ipdv_hist, "ipdv_hist", arrived)
        _check_pairs(self.pdv_hist, "pdv_hist", arrived)
        _check_worst(self.worst_200ms_lost, self.worst_200ms_sent)
        if self.received + self.lost > self.sent:
            raise ValueError(f"received {self.received} + lost {self.lost} exceed sent {self.sent}")


class RoundTrip(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Round-trip time (T4-T1)-(T3-T2) over one window."""

    min_ms: Ms
    """The least."""
    mean_ms: Ms
    """The mean."""
    p50_ms: Ms
    """The median."""
    p95_ms: Ms
    """95th percentile."""
    p99_ms: Ms
    """99th percentile."""
    max_ms: Ms
    """The most."""
    hist: Sparse = ()
    """All of them as pairs of bin and count (`telemetry.histogram`)."""

    def __post_init__(self) -> None:
        _check_pairs(self.hist, "hist")
        if not self.min_ms <= self.p50_ms <= self.p95_ms <= self.p99_ms <= self.max_ms:
            raise ValueError("min_ms, p50_ms, p95_ms, p99_ms, max_ms do not rise")
        if not self.min_ms * (1 - _ROUNDING) <= self.mean_ms <= self.max_ms * (1 + _ROUNDING):
            raise ValueError(f"mean_ms {self.mean_ms} lies outside of {self.min_ms} to {self.max_ms}")


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
        _check_worst(self.worst_200ms_lost, self.worst_200ms_sent)
        if self.rtt is not None and (samples := sum(self.rtt.hist[1::2])) > self.received:
            raise ValueError(f"rtt.hist holds {samples} samples of {self.received} packets")


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


class Reach(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False, tag="reach"):
    """Whether something that a call needs answers: the room's device, the meeting platform's edge."""

    target: Annotated[str, Meta(min_length=1, max_length=64)]
    """What was asked: `room` or `edge`."""
    method: Annotated[str, Meta(min_length=1, max_length=16)]
    """`sip`, `sip+tcp`, `h323`, `tcp`, `tls`, `stun`."""
    answered: bool
    """Whether it answered."""
    took_ms: Ms | None = None
    """From the first packet to the answer, names not counted."""
    error: Annotated[str, Meta(max_length=200)] | None = None
    """Why there was none."""
    address: Annotated[str, Meta(max_length=280)] | None = None
    """`host:port`, as it was asked for."""
    outcome: ReachOutcome | None = None
    """Absent in reports of before it was told."""
    connect_ms: Ms | None = None
    """Of TLS: until TCP was connected."""
    handshake_ms: Ms | None = None
    """Of TLS: from then on."""
    certificate_until_ns: TimeNs | None = None
    """Of TLS: when the certificate expires."""


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


class Tombstone(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False, tag="tombstone"):
    """Reports that a full spool had to drop: the seq range is accounted for, its content is gone."""

    first_seq: Count
    """The first number that was dropped …"""
    last_seq: Count
    """… and the last."""
    from_ns: TimeNs
    """Begin of the time that they covered …"""
    until_ns: TimeNs
    """… and its end."""
    reason: Annotated[str, Meta(min_length=1, max_length=64)]
    """Why they were dropped."""

    def __post_init__(self) -> None:
        if self.last_seq < self.first_seq:
            raise ValueError(f"first_seq {self.first_seq} lies after last_seq {self.last_seq}")
        if self.until_ns < self.from_ns:
            raise ValueError(f"from_ns {self.from_ns} lies after until_ns {self.until_ns}")


Item = Stream | Ping | Reach | Link | Call | Rehearsal | Tombstone


class Opaque(Struct, frozen=True, gc=False):
    """An item that this version does not understand, kept as it came to be decoded after an upgrade."""

    raw: bytes
    """The item as it came."""
    reason: str
    """What was not understood."""


class Envelope(Struct, frozen=True, kw_only=True, gc=False):
    """One report of one probe: identity `(site, probe, epoch, seq)`, its window, and what was seen."""

    v: Annotated[int, Meta(ge=1)] = WIRE_VERSION
    """Version of the wire format."""
    site: Name
    """The office."""
    probe: Name
    """The probe within it."""
    epoch: Epoch
    """Of the spool: a new one begins a new count."""
    seq: Count
    """Counts without a hole within the epoch, from 1."""
    boot: Annotated[str, Meta(min_length=1, max_length=64)]
    """Of the machine: changes when it starts anew."""
    mono_ns: TimeNs
    """The monotonic clock at the start of the window."""
    start_ns: TimeNs
    """Start of the window of 15 s."""
    clock: Clock
    """The probe's clock."""
    self_report: SelfReport = field(name="self")
    """The probe's own trouble."""
    items: tuple[Item | Opaque, ...] = ()
    """What was measured."""
