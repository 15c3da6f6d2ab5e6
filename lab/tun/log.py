"""The truth log of a link that carries all IP: one record a packet, written when its fate is sealed.

A folder holds segments `packets-00000001.bin`, … of equal records (`RECORD`). A record keeps the first octets of the
packet as they were; `truth` reads protocol, ports and numbers out of them, so that nothing is taken apart on the way.
"""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path
    from typing import BinaryIO

ABSENT: Final = np.iinfo(np.int64).min
"""Where there is no time: a packet that did not come out, or a stamp that could not be matched."""
HEAD: Final = 104
"""Enough for IPv6, UDP and the first 56 octets of a test packet."""
RECORD: Final = np.dtype([
    ("in_ns", "<i8"),  # the kernel gave the packet to the link
    ("out_ns", "<i8"),  # it came out at the other end
    ("digest", "<u4"),  # CRC-32 of the whole packet
    ("late_us", "<u4"),  # written after its due time
    ("size", "<u2"),  # IP packet, octets
    ("direction", "u1"),  # 0 up, 1 down
    ("fate", "u1"),  # lab.line.direction.Fate
    ("copy", "u1"),  # 1: an extra copy made by the link
    ("kept", "u1"),  # octets of the head that are the packet's
    ("head", "u1", (HEAD,)),
])  # fmt: skip
_PACK: Final = struct.Struct(f"<qqIIHBBBB{HEAD}s")
assert _PACK.size == RECORD.itemsize
_A_SEGMENT: Final = 100_000
_SEGMENTS: Final = 20
_MOST_LATE_US: Final = 0xFFFF_FFFF


class TunLog:
    """Writes records; bounded on disk by its segments, of which the oldest give way (2,000,000 packets, 284 MB)."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.glob("packets-*.bin"):
            old.unlink()
        self._folder = folder
        self._segment = 0
        self._written = _A_SEGMENT
        self._file: BinaryIO | None = None

    def packet(  # noqa: PLR0913 - the fields of one record
        self,
        packet: bytes,
        direction: int,
        fate: int,
        *,
        in_ns: int | None,
        out_ns: int | None = None,
        late_ns: int = 0,
        copy: int = 0,
    ) -> None:
        """Record the fate of one packet or copy."""
        if self._written >= _A_SEGMENT or self._file is None:
            self._next_segment()
        assert self._file is not None
        record = _PACK.pack(
            ABSENT if in_ns is None else in_ns,
            ABSENT if out_ns is None else out_ns,
            zlib.crc32(packet),
            min(late_ns // 1000, _MOST_LATE_US),
            len(packet),
            direction,
            fate,
            copy,
            min(len(packet), HEAD),
            packet[:HEAD],
        )
        self._file.write(record)
        self._written += 1

    def _next_segment(self) -> None:
        self.close()
        self._segment += 1
        self._file = (self._folder / f"packets-{self._segment:08}.bin").open("wb", buffering=1 << 16)
        self._written = 0
        (self._folder / f"packets-{self._segment - _SEGMENTS:08}.bin").unlink(missing_ok=True)

    def flush(self) -> None:
        """Write out what is held in memory."""
        if self._file is not None:
            self._file.flush()

    def close(self) -> None:
        """Finish the segment."""
        if self._file is not None:
            self._file.close()
            self._file = None
