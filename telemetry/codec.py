"""The one codec: envelopes and control messages to JSON and back, refusing what is wrong in one clear line.

Unknown fields are ignored. An unknown item, or a known item with a value that this version does not allow, is
kept as it came (`Opaque`), so that a newer probe never loses data at an older hub. What is wrong with the
envelope itself is refused; only what a newer version says of its clock and of itself is passed over when it is not
understood, since the windows beside it are.
"""

from __future__ import annotations

from typing import Final, TypeVar

import msgspec
from msgspec import Raw, Struct, field

from telemetry.messages import (
    WIRE_VERSION,
    Clock,
    Count,
    Envelope,
    Epoch,
    Item,
    Name,
    Opaque,
    SelfReport,
    TimeNs,
)

MAX_REPORT_BYTES: Final = 256 * 1024
MAX_ITEMS: Final = 256
MAX_REASON: Final = 400
T = TypeVar("T")


class MessageError(ValueError):
    """A message cannot be read; the text says where, what, and what was expected."""


class _Frame(Struct, frozen=True, kw_only=True, gc=False):
    """The envelope with its items still as they came."""

    v: int
    site: Name
    probe: Name
    epoch: Epoch
    seq: Count
    boot: str
    mono_ns: TimeNs
    start_ns: TimeNs
    clock: Clock
    self_report: SelfReport = field(name="self")
    items: tuple[Raw, ...] = ()


class _Typed(_Frame, frozen=True, kw_only=True, gc=False):
    """The same when every item is one that we know: one pass."""

    items: tuple[Item, ...] = ()  # type: ignore[assignment]


class _Newer(_Frame, frozen=True, kw_only=True, gc=False):
    """The same of a newer version, whose clock and self may hold values that we do not know."""

    clock: Raw  # type: ignore[assignment]
    self_report: Raw = field(name="self")  # type: ignore[assignment]


_frame_decoder = msgspec.json.Decoder(_Frame)
_typed_decoder = msgspec.json.Decoder(_Typed)
_newer_decoder = msgspec.json.Decoder(_Newer)
_item_decoder: msgspec.json.Decoder[Item] = msgspec.json.Decoder(Item)
_encoder = msgspec.json.Encoder()


def encode(envelope: Envelope) -> bytes:
    """JSON of an envelope; opaque items go out as they came in."""
    frame = _Frame(
        v=envelope.v,
        site=envelope.site,
        probe=envelope.probe,
        epoch=envelope.epoch,
        seq=envelope.seq,
        boot=envelope.boot,
        mono_ns=envelope.mono_ns,
        start_ns=envelope.start_ns,
        clock=envelope.clock,
        self_report=envelope.self_report,
        items=tuple(
            Raw(item.raw if isinstance(item, Opaque) else _encoder.encode(item)) for item in envelope.items
        ),
    )
    return _encoder.encode(frame)


def decode(payload: bytes) -> Envelope:
    """The envelope in a payload.

    Raises:
        MessageError: the payload is too large, no JSON, or its envelope breaks a rule.
    """
    if len(payload) > MAX_REPORT_BYTES:
        raise MessageError(f"report of {len(payload)} bytes, at most {MAX_REPORT_BYTES} are taken")
    if not payload.isascii():
        _must_be_utf8(
            payload
        )  # what is passed over or kept as it came is not looked into, and would be unreadable once it is
    frame: _Typed | _Frame
    try:
        frame = _typed_decoder.decode(payload)
        items: tuple[Item | Opaque, ...] = frame.items
    except (msgspec.MsgspecError, RecursionError):
        frame = _frame_of(payload)
        items = tuple(decode_item(bytes(raw)) for raw in frame.items)
    if frame.v < WIRE_VERSION:
        raise MessageError(f"wire version {frame.v} is none, the first is {WIRE_VERSION}")
    if len(items) > MAX_ITEMS:
        raise MessageError(f"{len(items)} items, at most {MAX_ITEMS} are taken")
    if not 0 < len(frame.boot) <= 64:
        raise MessageError("boot must have 1 to 64 characters")
    return Envelope(
        v=frame.v,
        site=frame.site,
        probe=frame.probe,
        epoch=frame.epoch,
        seq=frame.seq,
        boot=frame.boot,
        mono_ns=frame.mono_ns,
        start_ns=frame.start_ns,
        clock=frame.clock,
        self_report=frame.self_report,
        items=items,
    )


def _must_be_utf8(payload: bytes) -> None:
    try:
        payload.decode()
    except UnicodeDecodeError as error:
        raise MessageError(f"not UTF-8: {error.reason} at byte {error.start}") from error


def _frame_of(payload: bytes) -> _Frame:
    """The envelope without a look into its items."""
    try:
        return _checked(_frame_decoder, payload)
    except MessageError:
        newer = _checked(_newer_decoder, payload)  # says the same again unless clock or self are to blame
        if newer.v <= WIRE_VERSION:
            raise
    fields = {name: getattr(newer, name) for name in _Frame.__struct_fields__}
    fields["clock"] = _understood(newer.clock, Clock) or Clock()
    fields["self_report"] = _understood(newer.self_report, SelfReport) or SelfReport()
    return _Frame(**fields)


def _understood(raw: Raw, kind: type[T]) -> T | None:
    try:
        return msgspec.json.decode(raw, type=kind)
    except msgspec.MsgspecError:
        return None


def decode_item(raw: bytes) -> Item | Opaque:
    """An item, or the same bytes with the reason why this version cannot read them."""
    try:
        return _item_decoder.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        return Opaque(raw=raw, reason=_said(error))


def _said(error: Exception) -> str:
    """What an error says, in one line of bounded length whatever the sender has put into it."""
    text = str(error)[:MAX_REASON]
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def encode_item(item: Item | Opaque) -> bytes:
    """JSON of one item."""
    return item.raw if isinstance(item, Opaque) else _encoder.encode(item)


def encode_control(message: Struct) -> bytes:
    """JSON of a control message (`telemetry.control`)."""
    return _encoder.encode(message)


def decode_control(payload: bytes, kind: type[T]) -> T:
    """A control message of a kind.

    Raises:
        MessageError: it is not one.
    """
    return _checked(msgspec.json.Decoder(kind), payload)


def _checked(decoder: msgspec.json.Decoder[T], payload: bytes) -> T:
    try:
        return decoder.decode(payload)
    except msgspec.MsgspecError as error:
        raise MessageError(_said(error)) from error
    except RecursionError as error:
        raise MessageError("nested too deeply to be read") from error
    except UnicodeDecodeError as error:
        raise MessageError(f"not UTF-8: {error.reason} at byte {error.start}") from error
