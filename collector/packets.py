"""The packets of MQTT 5 that a collector sends and receives, as pure functions (OASIS MQTT 5.0, chapter 3).

The receiving of PUBLISH is the path that every report takes, so it parses in place and looks only at what is
needed; everything else goes through the strict parser of our own broker.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from collector.broker.embedded import properties as props
from collector.broker.embedded import wire
from collector.broker.embedded.packets import Kind
from collector.broker.embedded.properties import Property
from collector.broker.embedded.reasons import PacketError, Reason, malformed

if TYPE_CHECKING:
    from collections.abc import Iterable

PINGREQ: Final = b"\xc0\x00"
DISCONNECT: Final = b"\xe0\x00"
FAILURE: Final = 0x80
"""Reason codes from here on say that it went wrong."""
_ANY: Final = frozenset(Property)
_LARGEST_U16: Final = 65_535
_AGE: Final = b"age-ms"
_AGE_CLOCK: Final = b"age-clock"
_MONOTONIC: Final = b"monotonic"
_U16: Final = struct.Struct("!H")
_FIXED: Final = {0x01: 1, 0x02: 4, 0x23: 2}
"""Bytes of the properties of a PUBLISH that have a fixed length."""
_STRINGS: Final = frozenset({0x03, 0x08, 0x09})
_USER: Final = 0x26


class RetainHandling(IntEnum):
    """Which retained messages a subscription wants (3.8.3.1)."""

    SEND = 0
    DO_NOT_SEND = 2


@dataclass(frozen=True, slots=True)
class Wish:
    """One filter to subscribe to."""

    filter: str
    qos: int = 1
    retained: RetainHandling = RetainHandling.SEND


@dataclass(frozen=True, slots=True)
class Connack:
    """What the broker answers to CONNECT."""

    reason: int
    session_present: bool
    receive_maximum: int
    keepalive_s: int | None
    """The broker's own wish, which counts instead of ours."""


class Published(NamedTuple):
    """A PUBLISH as it came."""

    topic: bytes
    payload: bytes
    qos: int
    retained: bool
    mid: int
    age_ms: int | None
    """User property `age-ms`, when the probe's monotonic clock vouches for it."""


def connect(  # noqa: PLR0913 - what the packet says
    client_id: str,
    *,
    clean_start: bool,
    keepalive_s: int,
    session_expiry_s: int,
    receive_maximum: int,
    max_packet_bytes: int,
    user: str = "",
    password: str = "",
) -> bytes:
    """CONNECT (3.1); without a will, for a collector's silence is seen by its lease."""
    flags = clean_start << 1 | (0x80 if user else 0) | (0x40 if user and password else 0)
    body = wire.text("MQTT") + bytes([5, flags]) + wire.u16(keepalive_s)
    body += props.write(
        [
            (Property.SESSION_EXPIRY, session_expiry_s),
            (Property.RECEIVE_MAXIMUM, receive_maximum),
            (Property.MAXIMUM_PACKET_SIZE, max_packet_bytes),
        ]
    )
    body += wire.text(client_id)
    if user:
        body += wire.text(user)
        if password:
            body += wire.binary(password.encode())
    return _packet(Kind.CONNECT << 4, body)


def subscribe(mid: int, wishes: Iterable[Wish]) -> bytes:
    """SUBSCRIBE (3.8)."""
    filters = b"".join(wire.text(wish.filter) + bytes([wish.qos | wish.retained << 4]) for wish in wishes)
    return _packet(Kind.SUBSCRIBE << 4 | 0x02, wire.u16(mid) + b"\x00" + filters)


def unsubscribe(mid: int, filters: Iterable[str]) -> bytes:
    """UNSUBSCRIBE (3.10)."""
    return _packet(Kind.UNSUBSCRIBE << 4 | 0x02, wire.u16(mid) + b"\x00" + b"".join(map(wire.text, filters)))


def publish(  # noqa: PLR0913 - what the packet says
    topic: str, payload: bytes, qos: int, mid: int, *, retain: bool, properties: bytes = b"\x00"
) -> bytes:
    """PUBLISH (3.3); `properties` with their length, none by default."""
    body = wire.text(topic) + (wire.u16(mid) if qos else b"") + properties + payload
    return _packet(Kind.PUBLISH << 4 | qos << 1 | retain, body)


def puback(mid: int, reason: int = Reason.SUCCESS) -> bytes:
    """PUBACK (3.4); success is said by saying nothing."""
    if reason == Reason.SUCCESS:
        return b"\x40\x02" + _U16.pack(mid)
    return b"\x40\x03" + _U16.pack(mid) + bytes([reason])


def read_connack(body: bytes) -> Connack:
    """CONNACK (3.2).

    Raises:
        PacketError: it is malformed.
    """
    cursor = wire.Cursor(body)
    flags, reason = cursor.u8(), cursor.u8()
    said = props.read(cursor, _ANY)
    keepalive_s = props.number(said, Property.SERVER_KEEPALIVE, -1)
    return Connack(
        reason,
        bool(flags & 1),
        props.number(said, Property.RECEIVE_MAXIMUM, _LARGEST_U16),
        keepalive_s if keepalive_s >= 0 else None,
    )


def read_puback(body: bytes) -> tuple[int, int]:
    """Message id and reason of a PUBACK.

    Raises:
        PacketError: it is malformed.
    """
    cursor = wire.Cursor(body)
    return cursor.u16(), cursor.u8() if cursor.left else Reason.SUCCESS


def read_suback(body: bytes) -> list[int]:
    """The reasons of a SUBACK, one for each filter.

    Raises:
        PacketError: it is malformed.
    """
    cursor = wire.Cursor(body)
    cursor.u16()
    props.read(cursor, _ANY)
    return list(cursor.rest())


def read_disconnect(body: bytes) -> int:
    """The reason of a DISCONNECT; 0 when none is given."""
    return body[0] if body else 0


def reason_text(reason: int) -> str:
    """A reason code in words, as far as we know it."""
    try:
        name = Reason(reason).name.replace("_", " ").lower()
    except ValueError:
        return f"reason 0x{reason:02x}"
    return f"{name} (0x{reason:02x})"


def frame_at(buffer: memoryview, at: int, end: int, max_bytes: int) -> tuple[int, int] | None:
    """Where the body of the packet at `at` begins and where the packet ends; None when it is not whole before `end`.

    Raises:
        PacketError: its length is malformed or above `max_bytes`.
    """
    length = shift = 0
    for i in range(at + 1, min(at + 5, end)):
        byte = buffer[i]
        length |= (byte & 0x7F) << shift
        if byte < 0x80:
            stop = i + 1 + length
            if stop - at > max_bytes:
                raise PacketError(Reason.PACKET_TOO_LARGE, f"packet of {stop - at} bytes")
            return (i + 1, stop) if stop <= end else None
        shift += 7
    if end - at >= 5:
        raise malformed("remaining length of more than four bytes")
    return None


def read_publish(head: int, buffer: memoryview, at: int, end: int) -> Published:
    """A PUBLISH (3.3) whose body is `buffer[at:end]`.

    Raises:
        PacketError: it is malformed, or of QoS 2, which was not asked for.
    """
    qos = head >> 1 & 0x03
    if qos > 1:
        raise PacketError(Reason.QOS_NOT_SUPPORTED, f"PUBLISH of QoS {qos}")
    try:
        start = at + 2
        at = start + (buffer[at] << 8 | buffer[at + 1])
        topic = bytes(buffer[start:at])
        mid = 0
        if qos:
            mid = buffer[at] << 8 | buffer[at + 1]
            at += 2
        size, at = _varint(buffer, at)
    except IndexError:
        raise malformed("PUBLISH ends too early") from None
    body = at + size
    if body > end:
        raise malformed("PUBLISH ends too early")
    age_ms = _age_ms(bytes(buffer[at:body])) if size else None
    return Published(topic, bytes(buffer[body:end]), qos, bool(head & 0x01), mid, age_ms)


def _varint(buffer: memoryview, at: int) -> tuple[int, int]:
    """A variable byte integer, and where it ends."""
    value = buffer[at]
    at += 1
    if value < 0x80:
        return value, at
    value &= 0x7F
    for shift in (7, 14, 21):
        byte = buffer[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise malformed("variable byte integer of more than four bytes")


def _age_ms(block: bytes) -> int | None:
    """What the properties of a PUBLISH say of the report's age.

    Raises:
        PacketError: they are malformed.
    """
    age: bytes | None = None
    at, end = 0, len(block)
    while at < end:
        identifier = block[at]
        at += 1
        if identifier == _USER:
            name, at = _string(block, at)
            value, at = _string(block, at)
            if name == _AGE:
                age = value
            elif name == _AGE_CLOCK and value != _MONOTONIC:
                return None
        elif identifier in _STRINGS:
            _, at = _string(block, at)
        elif identifier in _FIXED:
            at += _FIXED[identifier]
        elif identifier == Property.SUBSCRIPTION_ID:
            while at < end and block[at] >= 0x80:
                at += 1
            at += 1
        else:
            raise malformed(f"PUBLISH with property 0x{identifier:02x}")
    if at != end:
        raise malformed("properties end too early")
    return int(age) if age is not None and len(age) <= 15 and age.isdigit() else None


def _string(block: bytes, at: int) -> tuple[bytes, int]:
    start = at + 2
    if start > len(block):
        raise malformed("properties end too early")
    stop = start + (block[at] << 8 | block[at + 1])
    if stop > len(block):
        raise malformed("properties end too early")
    return block[start:stop], stop


def _packet(head: int, body: bytes) -> bytes:
    return bytes([head]) + wire.varint(len(body)) + body
