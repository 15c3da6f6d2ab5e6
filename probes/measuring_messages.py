"""What the measuring process and its owner say to each other, apart from records.

Each message is one datagram of a socket pair: one octet for the kind, then an array of records, or msgpack.
"""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from telemetry.messages import Clock

SENT_TAG: Final = b"S"
STAMPED_TAG: Final = b"K"
REPLY_TAG: Final = b"R"
EVENT_TAG: Final = b"E"
MAX_MESSAGE: Final = 64_000
"""Octets of one message: well below the least send buffer."""


class Open(Struct, frozen=True, tag=True):
    """Open a session under a number that is never used again."""

    number: int
    address: str
    port: int
    ssid: Annotated[int, Meta(ge=1, le=0xFFFF)]
    rate_pps: Annotated[float, Meta(gt=0.0, le=1e6)]
    phase: Annotated[float, Meta(ge=0.0, lt=1.0)]
    """Where in its interval a session sends, so that many sessions do not send at once."""
    payload: int
    first_sequence: int = 0
    replaces: int | None = None
    """Begin with the next frame, in place of this session, so that no window has packets of both."""
    key: bytes = b""
    """HMAC key of the authenticated mode; empty: unauthenticated."""
    dscp: Annotated[int, Meta(ge=0, le=63)] = 0


class Pace(Struct, frozen=True, tag=True):
    """Send at another rate from now on."""

    number: int
    rate_pps: Annotated[float, Meta(gt=0.0, le=1e6)]


class Close(Struct, frozen=True, tag=True):
    """Send no more; replies are still read for 3 s."""

    number: int


class Opened(Struct, frozen=True, tag=True):
    """A new frame has begun: packets from here on belong to it."""

    frame: int
    start_ns: int
    """Start of the window on the grid."""
    mono_ns: int
    """Monotonic time at the start of the window."""
    opened_mono_ns: int
    """Monotonic time of the first moment in this frame; the one before it ended here."""
    clock: Clock


class Ended(Struct, frozen=True, tag=True):
    """A frame is over; what the process saw of itself in it."""

    frame: int
    cpu_ratio: float
    clock_steps: int
    not_authentic: int = 0
    """Replies of signed sessions that were not signed with their key: dropped."""


class Progress(Struct, frozen=True, tag=True):
    """Everything that the kernel had received by `mono_ns` has been handed over before this message."""

    mono_ns: int


class Damaged(Struct, frozen=True, tag=True):
    """The owner did not read for so long that records were dropped: these frames cannot be trusted."""

    first_frame: int
    last_frame: int
    messages: int


class Moved(Struct, frozen=True, tag=True):
    """This machine would now reach the session's reflector from another address: open the session anew."""

    number: int


class Trouble(Struct, frozen=True, tag=True):
    """A session's socket cannot be had; it is tried again. Empty text: it can again."""

    number: int
    text: str


Order = Open | Pace | Close
Event = Opened | Ended | Progress | Damaged | Moved | Trouble

_encoder = msgspec.msgpack.Encoder()
_orders = msgspec.msgpack.Decoder(list[Order])
_events = msgspec.msgpack.Decoder(Event)


def encode_orders(orders: list[Order]) -> list[bytes]:
    """As messages of bounded size."""
    return [_encoder.encode(orders[i : i + 250]) for i in range(0, len(orders), 250)]


def decode_orders(message: bytes) -> list[Order]:
    """Read what `encode_orders` wrote."""
    return _orders.decode(message)


def encode_event(event: Event) -> bytes:
    """One event as a message."""
    return EVENT_TAG + _encoder.encode(event)


def decode_event(body: bytes | memoryview) -> Event:
    """Read an event, without its tag."""
    event: Event = _events.decode(body)
    return event
