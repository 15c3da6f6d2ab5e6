"""What the measuring process and its owner say to each other, apart from records.

Each message is one datagram of a socket pair: one octet for the kind, then an array of records, or marshalled tuples.
Both ends are the same interpreter and the same release, one started by the other, so there is nothing to check; and
the measuring process, which has to stay small, loads no codec for it.
"""

from __future__ import annotations

import marshal
from typing import Any, Final, NamedTuple

from probes.kernel.clock_discipline import Discipline

SENT_TAG: Final = b"S"
STAMPED_TAG: Final = b"K"
REPLY_TAG: Final = b"R"
EVENT_TAG: Final = b"E"
MAX_MESSAGE: Final = 64_000
"""Octets of one message: well below the least send buffer."""


class Open(NamedTuple):
    """Open a session under a number that is never used again."""

    number: int
    address: str
    port: int
    ssid: int
    """1 to 65,535."""
    rate_pps: float
    phase: float
    """0 to below 1: where in its interval a session sends, so that many sessions do not send at once."""
    payload: int
    first_sequence: int = 0
    replaces: int | None = None
    """Begin with the next frame, in place of this session, so that no window has packets of both."""
    key: bytes = b""
    """HMAC key of the authenticated mode; empty: unauthenticated."""
    dscp: int = 0
    """0 to 63; above 0 the reflector is asked with which it arrived."""
    ptp: bool = False
    """Stamp in truncated PTP (TAI), not in NTP64."""


class Pace(NamedTuple):
    """Send at another rate from now on."""

    number: int
    rate_pps: float


class Close(NamedTuple):
    """Send no more; replies are still read for 3 s."""

    number: int


class Opened(NamedTuple):
    """A new frame has begun: packets from here on belong to it."""

    frame: int
    start_ns: int
    """Start of the window on the grid."""
    mono_ns: int
    """Monotonic time at the start of the window."""
    opened_mono_ns: int
    """Monotonic time of the first moment in this frame; the one before it ended here."""
    discipline: Discipline | None
    """What the kernel said of its clock at that moment."""


class Ended(NamedTuple):
    """A frame is over; what the process saw of itself in it."""

    frame: int
    cpu_ratio: float
    clock_steps: int
    not_authentic: int = 0
    """Replies of signed sessions that were not signed with their key: dropped."""


class Progress(NamedTuple):
    """Everything that the kernel had received by `mono_ns` has been handed over before this message."""

    mono_ns: int


class Damaged(NamedTuple):
    """The owner did not read for so long that records were dropped: these frames cannot be trusted."""

    first_frame: int
    last_frame: int
    messages: int


class Moved(NamedTuple):
    """This machine would now reach the session's reflector from another address: open the session anew."""

    number: int


class Trouble(NamedTuple):
    """A session's socket cannot be had; it is tried again. Empty text: it can again."""

    number: int
    text: str


Order = Open | Pace | Close
Event = Opened | Ended | Progress | Damaged | Moved | Trouble

_ORDERS: Final[dict[str, type[Order]]] = {kind.__name__: kind for kind in (Open, Pace, Close)}
_EVENTS: Final[dict[str, type[Event]]] = {
    kind.__name__: kind for kind in (Opened, Ended, Progress, Damaged, Moved, Trouble)
}


def encode_orders(orders: list[Order]) -> list[bytes]:
    """As messages of bounded size."""
    return [
        marshal.dumps([_packed(order) for order in orders[i : i + 250]]) for i in range(0, len(orders), 250)
    ]


def decode_orders(message: bytes) -> list[Order]:
    """Read what `encode_orders` wrote."""
    return [_ORDERS[name](*fields) for name, *fields in marshal.loads(message)]  # noqa: S302 - our own owner's


def encode_event(event: Event) -> bytes:
    """One event as a message."""
    return EVENT_TAG + marshal.dumps(_packed(event))


def decode_event(body: bytes | memoryview) -> Event:
    """Read an event, without its tag."""
    name, *fields = marshal.loads(body)  # noqa: S302 - our own measuring process's
    event: Event = _EVENTS[name](*fields)
    if isinstance(event, Opened) and event.discipline is not None:
        return event._replace(discipline=Discipline(*event.discipline))
    return event


def _packed(message: Order | Event) -> Any:  # noqa: ANN401 - what marshal takes
    """Kind and fields; marshal takes plain tuples only."""
    return (
        type(message).__name__,
        *(tuple(field) if isinstance(field, tuple) else field for field in message),
    )
