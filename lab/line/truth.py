"""The truth log: what the relay did to every packet, in a bounded set of binary segments.

A folder holds `lines.json` (which line has which number) and segments `truth-00000001.bin`, … of equal records
(`RECORD`). A record is written when the fate of a packet, or of a copy of it, is sealed. The oldest segments
give way when there are more than `segments`.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

import msgspec
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence
    from io import BufferedWriter
    from pathlib import Path

UP: Final = 0
DOWN: Final = 1
ABSENT: Final = np.iinfo(np.int64).min
"""Stands in the file where there is no time: a packet that did not leave has no departure."""
RECORD: Final = np.dtype(
    [
        ("line", "<u2"),
        ("direction", "u1"),  # 0 up, 1 down
        ("fate", "u1"),  # lab.line.direction.Fate
        ("copy", "u1"),  # 1: an extra copy made by the line
        ("late_us", "<u2"),  # departure after its due time, at most 65,535
        ("took_ns", "<u4"),  # 0: departure_ns is the kernel's send stamp; else the length of the send call
        ("session", "<u4"),  # rises when another source address sends on the line
        ("seq", "<u4"),  # of the STAMP session-sender
        ("reflector_seq", "<u4"),  # down only
        ("size", "<u2"),  # UDP payload, bytes
        ("t1_ns", "<i8"),  # sending time as the packet itself says
        ("arrival_ns", "<i8"),  # kernel receive stamp
        ("departure_ns", "<i8"),  # ABSENT when it did not leave
    ]
)
_PACK: Final = struct.Struct("<HBBBHIIIIHqqq")
assert _PACK.size == RECORD.itemsize
_BUFFERED: Final = 512
_STAMP_UP: Final = struct.Struct("!IQ")  # RFC 8762 4.2.1: sequence number, timestamp
_STAMP_DOWN: Final = struct.Struct("!IQ")
_REFLECTED_AT: Final = 24  # RFC 8762 4.3.1: session-sender sequence number and timestamp
_SHORTEST: Final = 44
_NTP_UNIX_S: Final = 2_208_988_800


def ntp_to_unix_ns(stamp: int) -> int:
    """An NTP64 time stamp as ns since the Unix epoch (RFC 5905; years 1970 to 2106)."""
    seconds = (stamp >> 32) - _NTP_UNIX_S
    if seconds < 0:  # the era that begins in 2036
        seconds += 1 << 32
    return seconds * 1_000_000_000 + ((stamp & 0xFFFFFFFF) * 1_000_000_000 + (1 << 31) >> 32)


class TruthLog:
    """Writes records; bounded in memory by its buffer and on disk by its segments."""

    def __init__(
        self,
        folder: Path,
        lines: Sequence[tuple[str, str]],
        *,
        records_per_segment: int = 1_000_000,
        segments: int = 8,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.glob("truth-*.bin"):
            old.unlink()
        (folder / "lines.json").write_bytes(msgspec.json.encode(lines))
        self._folder = folder
        self._records_per_segment = records_per_segment
        self._segments = segments
        self._buffer = bytearray(_PACK.size * _BUFFERED)
        self._filled = 0
        self._written = 0
        self._segment = 0
        self._file: BufferedWriter | None = None

    def packet(  # noqa: PLR0913, PLR0917 - the fields of one record
        self,
        line: int,
        direction: int,
        session: int,
        fate: int,
        payload: bytes,
        arrival_ns: int,
        departure_ns: int | None = None,
        took_ns: int = 0,
        late_ns: int = 0,
        copy: int = 0,
    ) -> None:
        """Record the fate of one packet or copy; a payload that is no STAMP packet is passed over."""
        if len(payload) < _SHORTEST:
            return
        if direction == UP:
            seq, stamp = _STAMP_UP.unpack_from(payload)
            reflector_seq = 0
        else:
            seq, stamp = _STAMP_DOWN.unpack_from(payload, _REFLECTED_AT)
            reflector_seq = int.from_bytes(payload[:4], "big")
        _PACK.pack_into(
            self._buffer,
            self._filled * _PACK.size,
            line,
            direction,
            fate,
            copy,
            min(late_ns // 1000, 0xFFFF),
            min(took_ns, 0xFFFFFFFF),
            session,
            seq,
            reflector_seq,
            len(payload),
            ntp_to_unix_ns(stamp),
            arrival_ns,
            ABSENT if departure_ns is None else departure_ns,
        )
        self._filled += 1
        if self._filled == _BUFFERED:
            self.flush()

    def flush(self) -> None:
        """Write what is buffered."""
        if not self._filled:
            return
        if self._file is None or self._written >= self._records_per_segment:
            self._turn_over()
        assert self._file is not None
        self._file.write(memoryview(self._buffer)[: self._filled * _PACK.size])
        self._file.flush()
        self._written += self._filled
        self._filled = 0

    def _turn_over(self) -> None:
        if self._file is not None:
            self._file.close()
        self._segment += 1
        self._written = 0
        self._file = (self._folder / f"truth-{self._segment:08d}.bin").open("wb")
        outdated = self._folder / f"truth-{self._segment - self._segments:08d}.bin"
        outdated.unlink(missing_ok=True)

    def close(self) -> None:
        """Write what is buffered and close the file."""
        self.flush()
        if self._file is not None:
            self._file.close()
            self._file = None
