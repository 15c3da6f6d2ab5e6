"""Packets that a client sends, parsed (MQTT 5 chapter 3; 3.1.1 where its version byte says so)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Final

from collector.broker.embedded import properties as props
from collector.broker.embedded.reasons import PacketError, Reason, malformed
from collector.broker.embedded.wire import Cursor

if TYPE_CHECKING:
    from collector.broker.embedded.properties import Properties

V311: Final = 4
V5: Final = 5


class Kind(IntEnum):
    """Control packet types (2.1.2)."""

    CONNECT = 1
    CONNACK = 2
    PUBLISH = 3
    PUBACK = 4
    PUBREC = 5
    PUBREL = 6
    PUBCOMP = 7
    SUBSCRIBE = 8
    SUBACK = 9
    UNSUBSCRIBE = 10
    UNSUBACK = 11
    PINGREQ = 12
    PINGRESP = 13
    DISCONNECT = 14
    AUTH = 15


@dataclass(frozen=True, slots=True)
class Publish:
    """A message as it is published."""

    topic: str
    payload: bytes
    qos: int = 0
    retain: bool = False
    dup: bool = False
    mid: int = 0
    properties: Properties = ()


@dataclass(frozen=True, slots=True)
class Connect:
    """A client introduces itself."""

    version: int
    client_id: str
    clean_start: bool
    keepalive_s: int
    will: Publish | None
    user: str | None
    password: bytes | None
    properties: Properties


@dataclass(frozen=True, slots=True)
class Puback:
    """A client has taken a message (or refused it, which settles it too)."""

    mid: int
    reason: int


@dataclass(frozen=True, slots=True)
class Wish:
    """One filter of a SUBSCRIBE with its options (3.8.3.1)."""

    filter: str
    qos: int
    no_local: bool = False
    retain_as_published: bool = False
    retain_handling: int = 0


@dataclass(frozen=True, slots=True)
class Subscribe:
    """A client wants messages."""

    mid: int
    wishes: tuple[Wish, ...]


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    """A client wants no more of them."""

    mid: int
    filters: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pingreq:
    """A client is alive."""


@dataclass(frozen=True, slots=True)
class Disconnect:
    """A client leaves."""

    reason: int
    session_expiry_s: int | None


Packet = Connect | Publish | Puback | Subscribe | Unsubscribe | Pingreq | Disconnect


def parse(head: int, body: bytes, version: int) -> Packet:
    """A packet from its first byte and its body; `version` is that of the connection.

    Raises:
        PacketError: it breaks the protocol, or asks for what this broker does not offer.
    """
    kind, flags = head >> 4, head & 0x0F
    cursor = Cursor(body)
    if kind == Kind.PUBLISH:
        return _publish(cursor, flags, version)
    if flags != (0x02 if kind in (Kind.SUBSCRIBE, Kind.UNSUBSCRIBE, Kind.PUBREL) else 0):
        raise malformed(f"packet type {kind} with flags 0x{flags:x}")
    packet = _other(kind, cursor, version)
    if cursor.left:
        raise malformed(f"{cursor.left} bytes too many at the end of packet type {kind}")
    return packet


def _other(kind: int, cursor: Cursor, version: int) -> Packet:
    match kind:
        case Kind.CONNECT:
            return _connect(cursor)
        case Kind.PUBACK:
            return _puback(cursor, version)
        case Kind.SUBSCRIBE:
            return _subscribe(cursor, version)
        case Kind.UNSUBSCRIBE:
            return _unsubscribe(cursor, version)
        case Kind.PINGREQ:
            return Pingreq()
        case Kind.DISCONNECT:
            return _disconnect(cursor, version)
        case Kind.PUBREC | Kind.PUBREL | Kind.PUBCOMP:
            raise PacketError(Reason.PROTOCOL_ERROR, "QoS 2 is not offered here")
    raise PacketError(Reason.PROTOCOL_ERROR, f"packet type {kind} is not for a client to send")


def _connect(cursor: Cursor) -> Connect:
    name = cursor.text()
    version = cursor.u8()
    if name != "MQTT" or version not in (V311, V5):
        raise PacketError(Reason.UNSUPPORTED_VERSION, f"protocol {name[:10]!r} level {version}")
    flags = cursor.u8()
    if flags & 0x01:
        raise malformed("reserved connect flag is set")
    keepalive_s = cursor.u16()
    properties = props.read(cursor, props.ON_CONNECT) if version == V5 else ()
    client_id = cursor.text()
    will = _will(cursor, flags, version)
    user = cursor.text() if flags & 0x80 else None
    password = cursor.binary() if flags & 0x40 else None
    if version == V311 and password is not None and user is None:
        raise malformed("password without a user")
    return Connect(version, client_id, bool(flags & 0x02), keepalive_s, will, user, password, properties)


def _will(cursor: Cursor, flags: int, version: int) -> Publish | None:
    qos, retain = flags >> 3 & 0x03, bool(flags & 0x20)
    if not flags & 0x04:
        if qos or retain:
            raise malformed("will flags without a will")
        return None
    if qos == 3:
        raise malformed("will of QoS 3")
    properties = props.read(cursor, props.ON_WILL) if version == V5 else ()
    topic, payload = cursor.text(), cursor.binary()
    return Publish(topic, payload, qos, retain, properties=properties)


def _publish(cursor: Cursor, flags: int, version: int) -> Publish:
    qos, dup = flags >> 1 & 0x03, bool(flags & 0x08)
    if qos == 3 or (dup and qos == 0):
        raise malformed(f"PUBLISH with flags 0x{flags:x}")
    if qos == 2:
        raise PacketError(Reason.QOS_NOT_SUPPORTED, "QoS 2 is not offered here")
    topic = cursor.text()
    mid = _mid(cursor) if qos else 0
    properties = props.read(cursor, props.ON_PUBLISH) if version == V5 else ()
    for identifier, _ in properties:
        if identifier == props.Property.TOPIC_ALIAS:
            raise PacketError(Reason.TOPIC_ALIAS_INVALID, "topic aliases are not offered here")
        if identifier == props.Property.SUBSCRIPTION_ID:
            raise PacketError(Reason.PROTOCOL_ERROR, "a client's PUBLISH has no subscription identifier")
    return Publish(topic, cursor.rest(), qos, bool(flags & 0x01), dup, mid, properties)


def _puback(cursor: Cursor, version: int) -> Puback:
    mid = _mid(cursor)
    reason = 0
    if version == V5 and cursor.left:
        reason = cursor.u8()
        props.read(cursor, props.ON_ACKNOWLEDGEMENT)
    return Puback(mid, reason)


def _subscribe(cursor: Cursor, version: int) -> Subscribe:
    mid = _mid(cursor)
    if version == V5:
        for identifier, _ in props.read(cursor, props.ON_SUBSCRIBE):
            if identifier == props.Property.SUBSCRIPTION_ID:
                text = "subscription identifiers are not offered here"
                raise PacketError(Reason.SUBSCRIPTION_IDS_NOT_SUPPORTED, text)
    wishes: list[Wish] = []
    while cursor.left:
        wishes.append(_wish(cursor.text(), cursor.u8(), version))
    if not wishes:
        raise PacketError(Reason.PROTOCOL_ERROR, "SUBSCRIBE without a filter")
    return Subscribe(mid, tuple(wishes))


def _wish(name: str, options: int, version: int) -> Wish:
    qos, handling = options & 0x03, options >> 4 & 0x03
    if qos == 3 or handling == 3 or options & (0xC0 if version == V5 else 0xFC):
        raise malformed(f"subscription options 0x{options:02x}")
    return Wish(name, qos, bool(options & 0x04), bool(options & 0x08), handling)


def _unsubscribe(cursor: Cursor, version: int) -> Unsubscribe:
    mid = _mid(cursor)
    if version == V5:
        props.read(cursor, props.ON_UNSUBSCRIBE)
    filters: list[str] = []
    while cursor.left:
        filters.append(cursor.text())
    if not filters:
        raise PacketError(Reason.PROTOCOL_ERROR, "UNSUBSCRIBE without a filter")
    return Unsubscribe(mid, tuple(filters))


def _disconnect(cursor: Cursor, version: int) -> Disconnect:
    if version != V5 or not cursor.left:
        return Disconnect(0, None)
    reason = cursor.u8()
    properties = props.read(cursor, props.ON_DISCONNECT)
    expiry_s = props.number(properties, props.Property.SESSION_EXPIRY, -1)
    return Disconnect(reason, expiry_s if expiry_s >= 0 else None)


def _mid(cursor: Cursor) -> int:
    mid = cursor.u16()
    if mid == 0:
        raise malformed("packet identifier 0")
    return mid
