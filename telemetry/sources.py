"""Two scales of trust that packets, reports and the measuring process share; as integers on the wire."""

from __future__ import annotations

from enum import IntEnum


class StampSource(IntEnum):
    """Where a time stamp was taken."""

    NONE = 0
    USER = 1
    KERNEL = 2
    HARDWARE = 3


class ClockState(IntEnum):
    """What the kernel's clock discipline says of itself."""

    UNKNOWN = 0
    UNSYNCHRONISED = 1
    SYNCHRONISED = 2
