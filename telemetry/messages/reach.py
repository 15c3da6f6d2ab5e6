"""Whether something that a call needs answers, and what came of asking."""

from __future__ import annotations

from enum import IntEnum
from typing import Annotated

from msgspec import Meta, Struct

from telemetry.messages.fields import Ms, TimeNs


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
