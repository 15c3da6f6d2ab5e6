"""The packets of a rehearsal. They share the reflector's port, and no STAMP implementation answers one.

 0                   1                   2                   3
+---------------------------------------------------------------+
|  magic "TPR1"                                                  |  0
+---------------+---------------+-------------------------------+
|  kind         |  step         |  flags                        |  4
+---------------+---------------+-------------------------------+
|  zero                                                         |  8
+-------------------------------+-------------------------------+
|  zero (STAMP: error estimate) |  SSID                         | 12
+-------------------------------+-------------------------------+
|  token: of the session, drawn by the headquarters             | 16
|                                                               |
+---------------------------------------------------------------+
|  time of sending, ns since the Unix epoch as the sender had   | 24
|  it when the session began (`probes.kernel.steady_time`)             |
+---------------------------------------------------------------+
|  number                                                       | 32
+---------------------------------------------------------------+
|  DATA: padding to its size    |  all others: 60 octets        | 36
|                               +-------------------------------+
|                               |  HMAC-SHA-256, 16 octets      | 96
+-------------------------------+-------------------------------+

Where STAMP has its error estimate these have zeros: a multiplier of 0, which RFC 8762 bids every reflector discard.
Every packet but DATA has 112 octets whoever sends it, so that no answer is longer than its question; it is signed
with the office's key over octets 0 to 95. DATA carries the token, which only the two ends know.
"""

from __future__ import annotations

import hmac
import struct
from enum import IntEnum
from typing import Final, NamedTuple

from probes.stamp.stamp_auth import truncated_mac

MAGIC: Final = b"TPR1"
HEADER: Final = struct.Struct("!4sBBH4xHHQQI")
"""Magic, kind, step, flags, zero, SSID, token, time, number."""
CONTROL: Final = 112
_SIGNED: Final = 96
BODY: Final = _SIGNED - HEADER.size
IP_UDP: Final = 28
"""Octets of IPv4 and UDP headers; loads and bitrates count them."""


class Kind(IntEnum):
    """What a packet is."""

    HELLO = 1
    """Office: may I? With a number of its own and what it wants."""
    CHALLENGE = 2
    """Headquarters: whoever can read this may ask again, with this cookie."""
    START = 3
    """Office: here is the cookie."""
    GRANT = 4
    """Headquarters: so much, so long."""
    DENY = 5
    STEP = 6
    """Office: from now on this load both ways."""
    STEPPED = 7
    FEEDBACK = 8
    """Headquarters, ten times a second: what has arrived of the step."""
    KEEP = 9
    """Office, ten times a second: go on. Without it the headquarters falls silent."""
    ASK = 10
    """Office: the figures of the step, please."""
    FIGURES = 11
    BYE = 12
    DATA = 13


class Control(NamedTuple):
    """A signed packet."""

    kind: Kind
    step: int
    ssid: int
    token: int
    time_ns: int
    number: int
    body: bytes


def is_ours(data: bytes | memoryview) -> bool:
    """Whether a datagram is one of a rehearsal, signed or not."""
    return len(data) >= HEADER.size and data[:4] == MAGIC and not any(data[8:14])


def pack(key: bytes, packet: Control) -> bytes:
    """A signed packet of 112 octets."""
    head = HEADER.pack(
        MAGIC, packet.kind, packet.step, 0, 0, packet.ssid, packet.token, packet.time_ns, packet.number
    )
    signed = (head + packet.body).ljust(_SIGNED, b"\0")
    return signed + truncated_mac(key, signed)


def peeked_ssid(data: bytes | memoryview) -> int | None:
    """Whose key a packet claims to be signed with; None when it is none of our signed packets."""
    if len(data) != CONTROL or not is_ours(data) or data[4] not in _SIGNED_KINDS:
        return None
    return int.from_bytes(data[14:16])


def unpack(key: bytes, data: bytes) -> Control | None:
    """A signed packet; None when it is not signed with this key, or is none."""
    if peeked_ssid(data) is None:
        return None
    if not hmac.compare_digest(truncated_mac(key, data[:_SIGNED]), data[_SIGNED:]):
        return None
    _, kind, step, _, _, ssid, token, time_ns, number = HEADER.unpack_from(data)
    return Control(Kind(kind), step, ssid, token, time_ns, number, data[HEADER.size : _SIGNED])


_SIGNED_KINDS: Final = frozenset(int(kind) for kind in Kind if kind is not Kind.DATA)
