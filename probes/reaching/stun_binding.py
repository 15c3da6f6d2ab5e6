"""A STUN Binding request and its answer (RFC 8489 5, 6): does the platform's edge answer over UDP. Pure.

| 0 0 | message type (14)       | octets after the header (16)  |
| magic cookie 0x2112A442 (32)                                  |
| transaction id (96)                                           |
| attributes: type (16), length (16), value, padded to 32 bits  |
"""

from __future__ import annotations

import struct
from typing import Final

COOKIE: Final = 0x2112A442
BINDING: Final = 0x0001
BINDING_SUCCESS: Final = 0x0101
BINDING_ERROR: Final = 0x0111
MAPPED_ADDRESS: Final = 0x0001
XOR_MAPPED_ADDRESS: Final = 0x0020
TRANSACTION_OCTETS: Final = 12
_HEADER: Final = struct.Struct("!HHI12s")
_ATTRIBUTE: Final = struct.Struct("!HH")


def request(transaction: bytes) -> bytes:
    """A Binding request without attributes; `transaction`: 12 random octets."""
    return _HEADER.pack(BINDING, 0, COOKIE, transaction)


def answers(message: bytes, transaction: bytes) -> bool:
    """Whether a message is the answer to our request; an error of the server is one too, for it is there.

    Raises:
        ValueError: it is no STUN response at all.
    """
    if len(message) < _HEADER.size:
        raise ValueError("it answers, but not in STUN")
    kind, length, cookie, theirs = _HEADER.unpack_from(message)
    if cookie != COOKIE or length % 4 or length != len(message) - _HEADER.size:
        raise ValueError("it answers, but not in STUN")
    if kind not in {BINDING_SUCCESS, BINDING_ERROR}:
        raise ValueError("it answers, but not to a STUN Binding request")
    if theirs != transaction:
        return False
    if kind == BINDING_SUCCESS and not {MAPPED_ADDRESS, XOR_MAPPED_ADDRESS} & _attributes(message):
        raise ValueError("its STUN answer names no address")
    return True


def _attributes(message: bytes) -> set[int]:
    """The types of a message's attributes."""
    found, at = set(), _HEADER.size
    while at + _ATTRIBUTE.size <= len(message):
        kind, length = _ATTRIBUTE.unpack_from(message, at)
        at += _ATTRIBUTE.size + length + -length % 4
        if at > len(message):
            raise ValueError("its STUN answer is cut off")
        found.add(kind)
    return found
