"""What the signed packets of a rehearsal say, beside their common head."""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

NONCE: Final = 16
COOKIE: Final = 16


class Wish(NamedTuple):
    """HELLO and START: a number of the office's own, the cookie (START), and what it wants at most."""

    nonce: bytes
    cookie: bytes
    challenged_ns: int
    """When the headquarters made the cookie, by its own clock; 0 in HELLO."""
    up_bps: int
    down_bps: int
    seconds: int


class Granted(NamedTuple):
    """GRANT: what was given. DENY carries its reason in `seconds`."""

    up_bps: int
    down_bps: int
    seconds: int


class StepWish(NamedTuple):
    """STEP: a load both ways; a rate of 0 is none."""

    up_bps: int
    down_bps: int
    frames_up: int
    """Frames a second, in tenths."""
    frames_down: int
    milliseconds: int


class Feedback(NamedTuple):
    """FEEDBACK: of the running step, what has arrived on the way up; `delay` is without a common zero, ns."""

    received: int
    expected: int
    """One more than the highest number that has arrived."""
    least_delay_ns: int
    """In the last interval; NONE_NS when nothing arrived in it."""
    late_ms: int
    """How late the headquarters' own sending is."""


class Figures(NamedTuple):
    """FIGURES: what arrived on the way up in the step; and what was sent down."""

    received: int
    octets: int
    span_us: int
    jitter_us: int
    worst_lost: int
    worst_sent: int
    p95_delay_ns: int
    least_delay_ns: int
    sent_down: int
    overrun: int
    """1: the headquarters' own buffers ran over."""


NONE_NS: Final = -(2**63)
_WISH: Final = struct.Struct(f"!{NONCE}s{COOKIE}sQIIH")
_GRANTED: Final = struct.Struct("!IIH")
_STEP: Final = struct.Struct("!IIHHI")
_FEEDBACK: Final = struct.Struct("!IIqI")
_FIGURES: Final = struct.Struct("!IQIIIIqqIB")


def wish_body(wish: Wish) -> bytes:
    """As octets."""
    return _WISH.pack(*wish)


def read_wish(body: bytes) -> Wish:
    """From octets."""
    return Wish(*_WISH.unpack_from(body))


def granted_body(granted: Granted) -> bytes:
    """As octets."""
    return _GRANTED.pack(*granted)


def read_granted(body: bytes) -> Granted:
    """From octets."""
    return Granted(*_GRANTED.unpack_from(body))


def step_body(step: StepWish) -> bytes:
    """As octets."""
    return _STEP.pack(*step)


def read_step(body: bytes) -> StepWish:
    """From octets."""
    return StepWish(*_STEP.unpack_from(body))


def feedback_body(feedback: Feedback) -> bytes:
    """As octets."""
    return _FEEDBACK.pack(*feedback)


def read_feedback(body: bytes) -> Feedback:
    """From octets."""
    return Feedback(*_FEEDBACK.unpack_from(body))


def figures_body(figures: Figures) -> bytes:
    """As octets."""
    return _FIGURES.pack(*figures)


def read_figures(body: bytes) -> Figures:
    """From octets."""
    return Figures(*_FIGURES.unpack_from(body))
