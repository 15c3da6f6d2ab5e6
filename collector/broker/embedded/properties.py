"""Properties (MQTT 5, 2.2.2): which there are, what they hold, where they may stand."""

from __future__ import annotations

from enum import Enum, IntEnum
from typing import TYPE_CHECKING, Final

from collector.broker.embedded import wire
from collector.broker.embedded.reasons import PacketError, Reason, malformed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Value = int | str | bytes | tuple[str, str]
Properties = tuple[tuple[int, Value], ...]
"""Pairs of identifier and value in the order of the wire; only the user property may come twice."""


class Property(IntEnum):
    """Property identifiers."""

    PAYLOAD_FORMAT = 0x01
    MESSAGE_EXPIRY = 0x02
    CONTENT_TYPE = 0x03
    RESPONSE_TOPIC = 0x08
    CORRELATION_DATA = 0x09
    SUBSCRIPTION_ID = 0x0B
    SESSION_EXPIRY = 0x11
    ASSIGNED_CLIENT_ID = 0x12
    SERVER_KEEPALIVE = 0x13
    AUTH_METHOD = 0x15
    AUTH_DATA = 0x16
    REQUEST_PROBLEM_INFO = 0x17
    WILL_DELAY = 0x18
    REQUEST_RESPONSE_INFO = 0x19
    RESPONSE_INFO = 0x1A
    SERVER_REFERENCE = 0x1C
    REASON_STRING = 0x1F
    RECEIVE_MAXIMUM = 0x21
    TOPIC_ALIAS_MAXIMUM = 0x22
    TOPIC_ALIAS = 0x23
    MAXIMUM_QOS = 0x24
    RETAIN_AVAILABLE = 0x25
    USER = 0x26
    MAXIMUM_PACKET_SIZE = 0x27
    WILDCARDS_AVAILABLE = 0x28
    SUBSCRIPTION_IDS_AVAILABLE = 0x29
    SHARED_AVAILABLE = 0x2A


class _Form(Enum):
    BYTE = 0
    U16 = 1
    U32 = 2
    VARINT = 3
    TEXT = 4
    BINARY = 5
    PAIR = 6


_P = Property
_FORMS: Final[dict[int, _Form]] = {
    **dict.fromkeys(
        (
            _P.PAYLOAD_FORMAT,
            _P.REQUEST_PROBLEM_INFO,
            _P.REQUEST_RESPONSE_INFO,
            _P.MAXIMUM_QOS,
            _P.RETAIN_AVAILABLE,
            _P.WILDCARDS_AVAILABLE,
            _P.SUBSCRIPTION_IDS_AVAILABLE,
            _P.SHARED_AVAILABLE,
        ),
        _Form.BYTE,
    ),
    **dict.fromkeys(
        (_P.SERVER_KEEPALIVE, _P.RECEIVE_MAXIMUM, _P.TOPIC_ALIAS_MAXIMUM, _P.TOPIC_ALIAS), _Form.U16
    ),
    **dict.fromkeys((_P.MESSAGE_EXPIRY, _P.SESSION_EXPIRY, _P.WILL_DELAY, _P.MAXIMUM_PACKET_SIZE), _Form.U32),
    _P.SUBSCRIPTION_ID: _Form.VARINT,
    **dict.fromkeys(
        (
            _P.CONTENT_TYPE,
            _P.RESPONSE_TOPIC,
            _P.ASSIGNED_CLIENT_ID,
            _P.AUTH_METHOD,
            _P.RESPONSE_INFO,
            _P.SERVER_REFERENCE,
            _P.REASON_STRING,
        ),
        _Form.TEXT,
    ),
    _P.CORRELATION_DATA: _Form.BINARY,
    _P.AUTH_DATA: _Form.BINARY,
    _P.USER: _Form.PAIR,
}

ON_MESSAGE: Final = frozenset(
    {
        _P.PAYLOAD_FORMAT,
        _P.MESSAGE_EXPIRY,
        _P.CONTENT_TYPE,
        _P.RESPONSE_TOPIC,
        _P.CORRELATION_DATA,
        _P.USER,
    }
)
"""What belongs to a message and is passed on to its subscribers."""
ON_PUBLISH: Final = ON_MESSAGE | {_P.TOPIC_ALIAS, _P.SUBSCRIPTION_ID}
ON_WILL: Final = ON_MESSAGE | {_P.WILL_DELAY}
ON_CONNECT: Final = frozenset(
    {
        _P.SESSION_EXPIRY,
        _P.RECEIVE_MAXIMUM,
        _P.MAXIMUM_PACKET_SIZE,
        _P.TOPIC_ALIAS_MAXIMUM,
        _P.REQUEST_RESPONSE_INFO,
        _P.REQUEST_PROBLEM_INFO,
        _P.USER,
        _P.AUTH_METHOD,
        _P.AUTH_DATA,
    }
)
ON_SUBSCRIBE: Final = frozenset({_P.SUBSCRIPTION_ID, _P.USER})
ON_UNSUBSCRIBE: Final = frozenset({_P.USER})
ON_ACKNOWLEDGEMENT: Final = frozenset({_P.REASON_STRING, _P.USER})
ON_DISCONNECT: Final = frozenset({_P.SESSION_EXPIRY, _P.REASON_STRING, _P.USER, _P.SERVER_REFERENCE})
_NEVER_ZERO: Final = frozenset({_P.RECEIVE_MAXIMUM, _P.MAXIMUM_PACKET_SIZE, _P.SUBSCRIPTION_ID})
_ONE_OR_NONE: Final = frozenset({_P.PAYLOAD_FORMAT, _P.REQUEST_PROBLEM_INFO, _P.REQUEST_RESPONSE_INFO})


def read(cursor: wire.Cursor, allowed: frozenset[Property]) -> Properties:
    """The properties at the cursor.

    Raises:
        PacketError: one is unknown, misplaced, doubled or malformed.
    """
    if not cursor.left:  # left out altogether, as short acknowledgements do
        return ()
    block = cursor.sub(cursor.varint())
    out: list[tuple[int, Value]] = []
    seen: set[int] = set()
    while block.left:
        identifier = block.varint()
        form = _FORMS.get(identifier)
        if form is None or identifier not in allowed:
            raise malformed(f"property 0x{identifier:02x} does not belong here")
        if identifier in seen and identifier != Property.USER:
            raise PacketError(Reason.PROTOCOL_ERROR, f"property 0x{identifier:02x} stands twice")
        seen.add(identifier)
        out.append((identifier, _checked(identifier, _READ[form](block))))
    return tuple(out)


def write(properties: Iterable[tuple[int, Value]]) -> bytes:
    """Properties with their length, as they go on the wire."""
    block = b"".join(wire.varint(i) + _write_value(_FORMS[i], value) for i, value in properties)
    return wire.varint(len(block)) + block


def number(properties: Properties, identifier: Property, default: int) -> int:
    """An integer property, or the default when it is absent."""
    for i, value in properties:
        if i == identifier and isinstance(value, int):
            return value
    return default


def _checked(identifier: int, value: Value) -> Value:
    if (identifier in _NEVER_ZERO and value == 0) or (identifier in _ONE_OR_NONE and value not in (0, 1)):
        raise PacketError(Reason.PROTOCOL_ERROR, f"property 0x{identifier:02x} must not be {value!r}")
    return value


def _pair(cursor: wire.Cursor) -> tuple[str, str]:
    return cursor.text(), cursor.text()


_READ: Final[dict[_Form, Callable[[wire.Cursor], Value]]] = {
    _Form.BYTE: wire.Cursor.u8,
    _Form.U16: wire.Cursor.u16,
    _Form.U32: wire.Cursor.u32,
    _Form.VARINT: wire.Cursor.varint,
    _Form.TEXT: wire.Cursor.text,
    _Form.BINARY: wire.Cursor.binary,
    _Form.PAIR: _pair,
}
_WRITE_NUMBER: Final[dict[_Form, Callable[[int], bytes]]] = {
    _Form.BYTE: lambda value: bytes([value]),
    _Form.U16: wire.u16,
    _Form.U32: wire.u32,
    _Form.VARINT: wire.varint,
}


def _write_value(form: _Form, value: Value) -> bytes:
    match value:
        case int():
            return _WRITE_NUMBER[form](value)
        case str():
            return wire.text(value)
        case bytes():
            return wire.binary(value)
        case (name, text):
            return wire.text(name) + wire.text(text)
