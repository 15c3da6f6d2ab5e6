"""What a reflector writes into the TLVs of a request (RFC 8972 section 4), in place: a reply is never longer.

A TLV that is understood loses its U flag. One that is not, or for which this reflector has no answer, comes back as it
came. One that reaches beyond the packet gets the M flag, and what follows it is not looked at.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from probes.stamp.stamp_auth import MAC, truncated_mac
from probes.stamp.stamp_tlv import FACTS, FACTS_VALUE, HEADER, UNRECOGNISED, Mode
from probes.stamp.stamp_tlv_codec import INTEGRITY_FAILED, MALFORMED, TlvType, is_intact

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from telemetry.messages import StampSource

MOST_TLVS: Final = 64
"""So many are looked at in one packet; a jumbo frame of empty ones is no reason to stand still."""
_SOFTWARE: Final = 2
"""Time stamp methods of 4.3 and 4.7: 1 hardware, 2 software, 3 control plane."""
_NTP, _LOCAL = 1, 5
"""Sources of synchronisation of 4.3. The kernel says that its clock is disciplined, not by whom; NTP is meant."""
_DESTINATION_IP, _SOURCE_IP = 4, 7
_ADDRESS_ROOM: Final = 16
_IPV4: Final = 4


@dataclass(frozen=True, slots=True)
class Seen:
    """What the reflector knows of a request beyond its octets."""

    sequence: int
    """Of the request."""
    number: int
    """Of the reply."""
    source: tuple[bytes, int]
    """Packed address and port."""
    destination: tuple[bytes, int]
    tos: int | None
    """DSCP and ECN as received; None where the kernel did not tell."""
    synchronised: bool
    t2_by: StampSource
    t3_by: StampSource
    instance: int = 0
    count: int | None = None
    """Packets of the session answered so far, this one with them; None: stateless."""
    previous: tuple[int, int] | None = None
    """Number and T3 (64-bit field) of the session's reply before this one."""
    key: bytes | None = None
    signed: bool = False
    """The base packet was authenticated, so the TLVs must be as well."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What becomes of the reply as a whole."""

    dscp: int | None = None
    """With which DSCP it is to leave, when the sender asked for one."""
    intact: bool = True
    """False: the TLVs are not those that the key's holder sent; all carry the I flag."""


def answer(trailer: memoryview, seen: Seen) -> Answered:
    """Answer the TLVs that stand in `trailer` (writable, all octets behind the base packet)."""
    if len(trailer) < HEADER.size or not trailer[0] & UNRECOGNISED:  # padding of a sender that knows no TLVs
        return Answered()
    places = list(_places(trailer))
    if not _are_intact(trailer, places, seen):
        for at, _ in places:
            trailer[at] |= INTEGRITY_FAILED
        return Answered(intact=False)
    dscp = None
    for at, size in places:
        kind = trailer[at + 1]
        value = trailer[at + HEADER.size : at + HEADER.size + size]
        if kind == TlvType.HMAC:
            _sign(trailer, at, value, seen)
            continue
        found = _ANSWERS.get(kind)
        if found is None or not found(value, seen):
            continue
        trailer[at] &= ~UNRECOGNISED & 0xFF
        if kind == TlvType.CLASS_OF_SERVICE:
            dscp = value[0] >> 2
    return Answered(dscp)


def _places(trailer: memoryview) -> Iterator[tuple[int, int]]:
    """Where each whole TLV begins, and the octets of its value; marks one that is cut."""
    at = 0
    for _ in range(MOST_TLVS):
        if at + HEADER.size > len(trailer):
            return
        _, _, size = HEADER.unpack_from(trailer, at)
        if at + HEADER.size + size > len(trailer):
            trailer[at] |= MALFORMED
            return
        yield at, size
        at += HEADER.size + size


def _are_intact(trailer: memoryview, places: list[tuple[int, int]], seen: Seen) -> bool:
    """Signed TLVs must be those that the key's holder sent; whether unsigned ones are is nobody's to say."""
    has_mac = any(trailer[at + 1] == TlvType.HMAC for at, _ in places)
    if seen.key is None or not (seen.signed or has_mac):
        return True
    return len(places) < MOST_TLVS and is_intact(seen.key, seen.sequence, bytes(trailer))


def _sign(trailer: memoryview, at: int, value: memoryview, seen: Seen) -> None:
    """The reply's own HMAC over its number and the TLVs as they are answered (4.8)."""
    if seen.key is None or len(value) != MAC:
        return
    value[:] = truncated_mac(seen.key, struct.pack("!I", seen.number) + trailer[:at])
    trailer[at] &= ~UNRECOGNISED & 0xFF


def _facts(value: memoryview, seen: Seen) -> bool:
    if len(value) != FACTS_VALUE:
        return False
    mode = Mode.STATELESS if seen.count is None else Mode.STATEFUL
    struct.pack_into("!BBBBI", value, 0, mode, seen.t2_by, seen.t3_by, 0, seen.instance)
    return True


def _padding(_value: memoryview, _seen: Seen) -> bool:
    return True


def _location(value: memoryview, seen: Seen) -> bool:
    """Ports and addresses as they arrived; no link-layer address is to be had from a UDP socket."""
    if len(value) < HEADER.size:
        return False
    struct.pack_into("!HH", value, 0, seen.destination[1], seen.source[1])
    rest = value[4:]
    for at, size in _places(rest):
        kind = rest[at + 1]
        if kind not in {_DESTINATION_IP, _SOURCE_IP} or size != _ADDRESS_ROOM:
            continue
        address = (seen.destination if kind == _DESTINATION_IP else seen.source)[0]
        rest[at] &= ~UNRECOGNISED & 0xFF
        rest[at + 1] = kind + (1 if len(address) == _IPV4 else 2)
        rest[at + HEADER.size : at + HEADER.size + size] = address.ljust(_ADDRESS_ROOM, b"\0")
    return True


def _timestamp_information(value: memoryview, seen: Seen) -> bool:
    if len(value) < 4:
        return False
    clock = _NTP if seen.synchronised else _LOCAL
    value[:4] = bytes((clock, _SOFTWARE, clock, _SOFTWARE))
    return True


def _class_of_service(value: memoryview, seen: Seen) -> bool:
    return seen.tos is not None and class_of_service(value, seen.tos)


def class_of_service(value: memoryview, tos: int) -> bool:
    """Write into the value of a Class of Service TLV how its packet arrived; False when it is none."""
    if len(value) != 4:
        return False
    wanted = value[0] >> 2
    struct.pack_into("!HH", value, 0, wanted << 10 | (tos >> 2) << 4 | (tos & 3) << 2, 0)
    return True


def _direct_measurement(value: memoryview, seen: Seen) -> bool:
    if len(value) != 12 or seen.count is None:
        return False
    struct.pack_into("!II", value, 4, seen.count & 0xFFFF_FFFF, seen.count & 0xFFFF_FFFF)
    return True


def _access_report(value: memoryview, _seen: Seen) -> bool:
    return len(value) == 4


def _follow_up(value: memoryview, seen: Seen) -> bool:
    if len(value) != 16:
        return False
    number, t3 = seen.previous or (0, 0)
    struct.pack_into("!IQB3x", value, 0, number, t3, _SOFTWARE if seen.previous else 0)
    return True


_ANSWERS: Final[dict[int, Callable[[memoryview, Seen], bool]]] = {
    TlvType.EXTRA_PADDING: _padding,
    TlvType.LOCATION: _location,
    TlvType.TIMESTAMP_INFORMATION: _timestamp_information,
    TlvType.CLASS_OF_SERVICE: _class_of_service,
    TlvType.DIRECT_MEASUREMENT: _direct_measurement,
    TlvType.ACCESS_REPORT: _access_report,
    TlvType.FOLLOW_UP: _follow_up,
    FACTS: _facts,
}
