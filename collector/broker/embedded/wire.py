"""MQTT's data types (MQTT 5, 1.5): reading with bounds, writing."""

from __future__ import annotations

import struct
from typing import Final

from collector.broker.embedded.reasons import malformed

MAX_VARINT: Final = 268_435_455
_U16: Final = struct.Struct("!H")
_U32: Final = struct.Struct("!I")


class Cursor:
    """Reads one packet's body from front to back and never past its end."""

    __slots__ = ("_at", "_body", "_end")

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._at = 0
        self._end = len(body)

    @property
    def left(self) -> int:
        """Bytes not read yet."""
        return self._end - self._at

    def take(self, size: int) -> bytes:
        """The next bytes.

        Raises:
            PacketError: there are not so many.
        """
        if size > self.left:
            raise malformed(f"packet ends {size - self.left} bytes too early")
        start, self._at = self._at, self._at + size
        return self._body[start : self._at]

    def rest(self) -> bytes:
        """All that is left."""
        return self.take(self.left)

    def u8(self) -> int:
        """One byte."""
        return self.take(1)[0]

    def u16(self) -> int:
        """Two Byte Integer."""
        value: int = _U16.unpack(self.take(2))[0]
        return value

    def u32(self) -> int:
        """Four Byte Integer."""
        value: int = _U32.unpack(self.take(4))[0]
        return value

    def varint(self) -> int:
        """Variable Byte Integer: at most four bytes, in the shortest form."""
        value = 0
        for shift in (0, 7, 14, 21):
            byte = self.u8()
            value |= (byte & 0x7F) << shift
            if not byte & 0x80:
                if shift and not byte:
                    raise malformed("variable byte integer is longer than it need be")
                return value
        raise malformed("variable byte integer of more than four bytes")

    def binary(self) -> bytes:
        """Binary Data."""
        return self.take(self.u16())

    def text(self) -> str:
        """UTF-8 Encoded String: without surrogates and U+0000."""
        try:
            text = self.binary().decode()
        except UnicodeDecodeError as error:
            raise malformed(f"string is not UTF-8: {error.reason}") from error
        if "\0" in text:
            raise malformed("string holds U+0000")
        return text

    def sub(self, size: int) -> Cursor:
        """A cursor over the next bytes alone."""
        return Cursor(self.take(size))


def u16(value: int) -> bytes:
    """Two Byte Integer."""
    return _U16.pack(value)


def u32(value: int) -> bytes:
    """Four Byte Integer."""
    return _U32.pack(value)


def varint(value: int) -> bytes:
    """Variable Byte Integer.

    Raises:
        ValueError: it does not fit.
    """
    if not 0 <= value <= MAX_VARINT:
        raise ValueError(f"{value} is no variable byte integer")
    out = bytearray()
    while True:
        value, low = divmod(value, 128)
        out.append(low | 0x80 if value else low)
        if not value:
            return bytes(out)


def binary(value: bytes) -> bytes:
    """Binary Data."""
    return _U16.pack(len(value)) + value


def text(value: str) -> bytes:
    """UTF-8 Encoded String."""
    return binary(value.encode())
