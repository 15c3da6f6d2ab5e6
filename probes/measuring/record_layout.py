"""The memory of the records, for whoever writes them one by one: the measuring process, which loads no numpy.

`records` describes the same memory for numpy.
"""

from __future__ import annotations

import struct
from enum import IntFlag
from typing import Final


class SentFlag(IntFlag):
    """What was peculiar about a packet's sending."""

    REFUSED = 1
    """The kernel would not send it (no route, interface down, filtered): lost before the first hop."""
    PTP = 2
    """Its time stamp is truncated PTP, not NTP64."""


class ReplyFlag(IntFlag):
    """What was peculiar about a reply's reception."""

    USER_STAMP = 1
    """T4 taken in user space when the reply was read."""
    AMBIGUOUS = 2
    """Read in the same go in which the clock stepped: T4 may be from before or after."""


SENT_STRUCT: Final = struct.Struct("=QqIIIIIHH")
STAMPED_STRUCT: Final = struct.Struct("=qII")
REPLY_STRUCT: Final = struct.Struct("=QQQqIIIIIHHHHBBBBBB")
