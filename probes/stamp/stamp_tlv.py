"""The three TLVs (RFC 8972 4) that our own packets carry behind the base packet.

+-------+-------+---------------+
| Flags | Type  |    Length     |   Flags: 0x80 U not understood (a sender sets it, a reflector that knows
+-------+-------+---------------+          the type clears it), 0x40 M malformed, 0x20 I integrity failed
|  Value (Length octets)        |
+-------------------------------+

* **Facts** (type 240, from the range for experimental use): filled in by our own reflector with what a sender
  cannot know otherwise, so that a report need not guess.

      +-------+-------+-------+-------+-------------------------------+
      | mode  | T2 by | T3 by |   0   |  instance (32 bits)           |
      +-------+-------+-------+-------+-------------------------------+

  mode: 1 numbers its replies itself, 2 repeats the sender's number. T2/T3 by: `StampSource`. instance: drawn
  anew for each session that the reflector opens, so a restart shows. Every other reflector returns it unread,
  with U still set.
* **Class of Service** (type 4, RFC 8972 4.4), only from sessions that are marked with a DSCP: asks with which DSCP
  the packet arrived, and for the same mark on the reply.

      +------------+------------+-----+-----+--------------------------+
      | DSCP1 (6)  | DSCP2 (6)  | ECN | RP  |  reserved (16)           |
      +------------+------------+-----+-----+--------------------------+

  DSCP1 is ours; DSCP2 and ECN are filled in by the reflector.
* **Extra Padding** (type 1) makes the packet as large as media.

The other TLVs, and authentication, have their place here and in the reflector's `answer_tlvs`.
"""

from __future__ import annotations

import struct
from enum import IntEnum
from typing import Final

from probes.stamp.packets import BASE

UNRECOGNISED: Final = 0x80
EXTRA_PADDING: Final = 1
FACTS: Final = 240
HEADER: Final = struct.Struct("!BBH")
FACTS_TLV: Final = struct.Struct("!BBHBBBBI")
FACTS_VALUE: Final = 8
CLASS_OF_SERVICE: Final = 4
SERVICE_TLV: Final = struct.Struct("!BBHHH")
"""Flags, type, length, the two DSCPs with ECN and RP, reserved."""
SERVICE_VALUE: Final = 4
FACTS_AT: Final = BASE
PADDING_AT: Final = BASE + FACTS_TLV.size

DEFAULT_PAYLOAD: Final = 172
"""UDP payload: 200 octets with IPv4 and UDP headers, the size of an RTP packet with 20 ms of G.711."""
SIGNED_BASE: Final = 112
"""The base packet of the authenticated mode (`stamp_auth`)."""
MAC_SIZE: Final = 16
SIGNED_FACTS_AT: Final = SIGNED_BASE
SIGNED_MAC_AT: Final = SIGNED_FACTS_AT + FACTS_TLV.size
SIGNED_PADDING_AT: Final = SIGNED_MAC_AT + HEADER.size + MAC_SIZE
_HMAC: Final = 8


class Mode(IntEnum):
    """How a reflector numbers its replies."""

    UNKNOWN = 0
    STATEFUL = 1
    STATELESS = 2


def trailer(payload: int = DEFAULT_PAYLOAD, dscp: int = 0) -> bytes:
    """What follows the base packet to make a UDP payload of `payload` octets, marked with a DSCP or (0) not.

    Raises:
        ValueError: the size is below the base packet, or leaves a rest that no TLV fits.
    """
    if payload == BASE:
        return b""
    told = _facts() + _service(dscp)
    least = BASE + len(told) + HEADER.size
    if payload < least:
        raise ValueError(f"a payload of {payload} octets cannot be made: write {BASE}, or {least} and more")
    return told + _padding(payload - least)


def signed_trailer(payload: int = DEFAULT_PAYLOAD, dscp: int = 0) -> bytes:
    """The same behind a signed base packet; the value of the HMAC TLV in it is left for each packet to fill in.

    Raises:
        ValueError: the size is below the base packet, or leaves a rest that no TLV fits.
    """
    if payload == SIGNED_BASE:
        return b""
    told = _facts() + _service(dscp)
    least = SIGNED_BASE + len(told) + HEADER.size + MAC_SIZE + HEADER.size
    if payload < least:
        raise ValueError(
            f"a signed payload of {payload} octets cannot be made: write {SIGNED_BASE}, or {least} and more"
        )
    mac = HEADER.pack(UNRECOGNISED, _HMAC, MAC_SIZE) + bytes(MAC_SIZE)
    return told + mac + _padding(payload - least)


def _facts() -> bytes:
    return FACTS_TLV.pack(UNRECOGNISED, FACTS, FACTS_VALUE, 0, 0, 0, 0, 0)


def _service(dscp: int) -> bytes:
    if not dscp:
        return b""
    return SERVICE_TLV.pack(UNRECOGNISED, CLASS_OF_SERVICE, SERVICE_VALUE, dscp << 10, 0)


def _padding(octets: int) -> bytes:
    return HEADER.pack(UNRECOGNISED, EXTRA_PADDING, octets) + bytes(octets)
