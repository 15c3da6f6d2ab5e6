"""Packets that the broker sends, written (MQTT 5 chapter 3, and 3.1.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from collector.broker.embedded import properties as props
from collector.broker.embedded import wire
from collector.broker.embedded.packets import V5, Kind
from collector.broker.embedded.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Sequence

    from collector.broker.embedded.packets import Publish
    from collector.broker.embedded.properties import Properties

PINGRESP: Final = bytes([Kind.PINGRESP << 4, 0])
_V311_REFUSALS: Final = {
    Reason.UNSUPPORTED_VERSION: 1,
    Reason.CLIENT_ID_INVALID: 2,
    Reason.BAD_USER_OR_PASSWORD: 4,
    Reason.NOT_AUTHORISED: 5,
}
_V311_UNAVAILABLE: Final = 3
_V311_SUBSCRIBE_FAILED: Final = 0x80


def connack(version: int, reason: Reason, properties: Properties = (), *, resumed: bool = False) -> bytes:
    """Whether the client is accepted, and whether it has a session."""
    flags = 1 if resumed and reason is Reason.SUCCESS else 0
    if version == V5:
        return _packet(Kind.CONNACK, bytes([flags, reason]) + props.write(properties))
    code = 0 if reason is Reason.SUCCESS else _V311_REFUSALS.get(reason, _V311_UNAVAILABLE)
    return _packet(Kind.CONNACK, bytes([flags, code]))


def publish(version: int, message: Publish) -> bytes:
    """A message to a subscriber."""
    flags = message.dup << 3 | message.qos << 1 | message.retain
    body = wire.text(message.topic)
    if message.qos:
        body += wire.u16(message.mid)
    if version == V5:
        body += props.write(message.properties)
    return (
        bytes([Kind.PUBLISH << 4 | flags])
        + wire.varint(len(body) + len(message.payload))
        + body
        + message.payload
    )


def puback(version: int, mid: int, reason: Reason) -> bytes:
    """A publisher's message was taken, or why not. In 3.1.1 it can only have been taken."""
    if version == V5 and reason is not Reason.SUCCESS:
        return _packet(Kind.PUBACK, wire.u16(mid) + bytes([reason]))
    return _packet(Kind.PUBACK, wire.u16(mid))


def suback(version: int, mid: int, reasons: Sequence[Reason]) -> bytes:
    """What became of each filter of a SUBSCRIBE."""
    if version == V5:
        return _packet(Kind.SUBACK, wire.u16(mid) + b"\x00" + bytes(reasons))
    codes = [reason if reason < Reason.UNSPECIFIED else _V311_SUBSCRIBE_FAILED for reason in reasons]
    return _packet(Kind.SUBACK, wire.u16(mid) + bytes(codes))


def unsuback(version: int, mid: int, reasons: Sequence[Reason]) -> bytes:
    """What became of each filter of an UNSUBSCRIBE."""
    if version == V5:
        return _packet(Kind.UNSUBACK, wire.u16(mid) + b"\x00" + bytes(reasons))
    return _packet(Kind.UNSUBACK, wire.u16(mid))


def disconnect(version: int, reason: Reason) -> bytes:
    """Why the broker closes the connection; 3.1.1 has no words for it."""
    return _packet(Kind.DISCONNECT, bytes([reason])) if version == V5 else b""


def _packet(kind: Kind, body: bytes) -> bytes:
    return bytes([kind << 4]) + wire.varint(len(body)) + body
