"""TLVs of RFC 8972 in general: writing the standard's own, reading whatever came, and the HMAC that covers them.

`stamp_tlv` makes the two that our packets carry on the hot path; this is for the rest.
"""

from __future__ import annotations

import hmac
import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Final

from probes.stamp.stamp_auth import MAC, truncated_mac
from probes.stamp.stamp_tlv import HEADER, UNRECOGNISED

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MALFORMED: Final = 0x40
INTEGRITY_FAILED: Final = 0x20


class TlvType(IntEnum):
    """Types of RFC 8972 section 4."""

    EXTRA_PADDING = 1
    LOCATION = 2
    TIMESTAMP_INFORMATION = 3
    CLASS_OF_SERVICE = 4
    DIRECT_MEASUREMENT = 5
    ACCESS_REPORT = 6
    FOLLOW_UP = 7
    HMAC = 8


class LocationRequest(IntEnum):
    """Sub-TLVs of Location by which a sender asks what the reflector saw, with the room for the answer."""

    SOURCE_MAC = 1
    DESTINATION_IP = 4
    SOURCE_IP = 7

    @property
    def room(self) -> int:
        """Octets of the value: an EUI-64 or an IPv6 address fits."""
        return 8 if self is LocationRequest.SOURCE_MAC else 16


@dataclass(frozen=True, slots=True)
class Tlv:
    """One TLV as it stands on the wire."""

    type: int
    value: bytes
    flags: int = UNRECOGNISED

    def pack(self) -> bytes:
        """Its octets.

        Raises:
            ValueError: the value is longer than 65,535 octets.
        """
        if len(self.value) > 0xFFFF:
            raise ValueError(f"a TLV of {len(self.value)} octets cannot be written: 65,535 are the most")
        return HEADER.pack(self.flags, self.type, len(self.value)) + self.value


def extra_padding(octets: int) -> Tlv:
    """Makes a packet larger (4.1)."""
    return Tlv(TlvType.EXTRA_PADDING, bytes(octets))


def location(request: LocationRequest) -> Tlv:
    """Asks for ports and one address as the reflector saw them (4.2): shows a translation on the way."""
    return Tlv(TlvType.LOCATION, bytes(4) + Tlv(request, bytes(request.room)).pack())


def timestamp_information() -> Tlv:
    """Asks how the reflector's clock is set and where it stamps (4.3)."""
    return Tlv(TlvType.TIMESTAMP_INFORMATION, bytes(4))


def class_of_service(dscp: int) -> Tlv:
    """Asks the reflector to answer with this DSCP, and to say which one arrived (4.4): shows remarking.

    Raises:
        ValueError: no DSCP (0 to 63).
    """
    if not 0 <= dscp < 64:
        raise ValueError(f"{dscp} is no DSCP; write 0 to 63")
    return Tlv(TlvType.CLASS_OF_SERVICE, struct.pack("!I", dscp << 26))


def direct_measurement(sent: int) -> Tlv:
    """Says how many packets of the session were sent, and asks for the reflector's counts (4.5)."""
    return Tlv(TlvType.DIRECT_MEASUREMENT, struct.pack("!III", sent & 0xFFFF_FFFF, 0, 0))


def access_report(access: int, return_code: int) -> Tlv:
    """Says which access network is in use (1 3GPP, 2 other) and whether it is available (1) or not (2) (4.6)."""
    return Tlv(TlvType.ACCESS_REPORT, struct.pack("!BBH", (access & 0xF) << 4, return_code, 0))


def follow_up() -> Tlv:
    """Asks for number and time stamp of the reply before this one (4.7)."""
    return Tlv(TlvType.FOLLOW_UP, bytes(16))


def private(kind: int, enterprise: int, value: bytes) -> Tlv:
    """A TLV of an enterprise's own, 252 to 254, led by its number.

    Raises:
        ValueError: `kind` is not one of those types.
    """
    if kind not in range(252, 255):
        raise ValueError(f"type {kind} is not for private use; write 252 to 254")
    return Tlv(kind, struct.pack("!I", enterprise) + value)


def integrity(key: bytes, sequence: int, before: bytes) -> Tlv:
    """The HMAC TLV (4.8) over the packet's sequence number and all TLVs before it."""
    return Tlv(TlvType.HMAC, truncated_mac(key, struct.pack("!I", sequence) + before))


def parse(trailer: bytes) -> tuple[Tlv, ...]:
    """The TLVs of a packet, up to the first that is cut short; that one comes with the flag M set and what is there."""
    return tuple(tlv for _, tlv in _walked(trailer))


def is_intact(key: bytes, sequence: int, trailer: bytes) -> bool:
    """Whether the TLVs are those that the key's holder sent: one HMAC TLV, with at most Extra Padding behind it.

    No TLVs, or Extra Padding alone, need none.
    """
    found = list(_walked(trailer))
    bare = [tlv.type for _, tlv in found if tlv.type != TlvType.EXTRA_PADDING]
    if not bare:
        return True
    if bare[-1] != TlvType.HMAC or bare.count(TlvType.HMAC) > 1 or _cut(found):
        return False
    at, mac = next((at, tlv) for at, tlv in found if tlv.type == TlvType.HMAC)
    expected = integrity(key, sequence, trailer[:at]).value
    return len(mac.value) == MAC and hmac.compare_digest(mac.value, expected)


def _cut(found: Sequence[tuple[int, Tlv]]) -> bool:
    return any(tlv.flags & MALFORMED for _, tlv in found)


def _walked(trailer: bytes) -> Iterator[tuple[int, Tlv]]:
    at = 0
    while at + HEADER.size <= len(trailer):
        flags, kind, length = HEADER.unpack_from(trailer, at)
        value = trailer[at + HEADER.size : at + HEADER.size + length]
        if len(value) < length:
            yield at, Tlv(kind, value, flags | MALFORMED)
            return
        yield at, Tlv(kind, value, flags)
        at += HEADER.size + length
