"""Cutting a stream of bytes into packets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.broker.embedded.reasons import PacketError, Reason, malformed

if TYPE_CHECKING:
    from collections.abc import Iterator


class Framer:
    """Collects bytes and yields whole packets; holds at most one packet of the greatest size."""

    def __init__(self, max_packet_bytes: int) -> None:
        self._max = max_packet_bytes
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """First byte and body of every packet that is complete now.

        Raises:
            PacketError: a length is malformed or too great.
        """
        self._buffer += data
        at = 0
        try:
            while True:
                span = self._span(at)
                if span is None:
                    return
                body, end = span
                yield self._buffer[at], bytes(self._buffer[body:end])
                at = end
        finally:
            del self._buffer[:at]

    def _span(self, at: int) -> tuple[int, int] | None:
        """Where the body of the packet at `at` begins and ends, or None when it is not complete."""
        length = 0
        for i in range(4):
            if len(self._buffer) <= at + 1 + i:
                return None
            byte = self._buffer[at + 1 + i]
            length |= (byte & 0x7F) << 7 * i
            if not byte & 0x80:
                body = at + 2 + i
                if body - at + length > self._max:
                    raise PacketError(Reason.PACKET_TOO_LARGE, f"packet of {length} bytes")
                return (body, body + length) if len(self._buffer) >= body + length else None
        raise malformed("remaining length of more than four bytes")
