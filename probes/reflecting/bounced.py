"""Is a packet a reflector's reply rather than a request? Answering it would bounce it between two reflectors for ever."""

from __future__ import annotations

import struct
from typing import Final

from probes.stamp.packets import BASE
from probes.stamp.timestamps import MASK32, NTP_EPOCH

_T1_SECONDS: Final = struct.Struct("!4xI")
_COPIED_SECONDS: Final = struct.Struct("!28xI")
_DAY_S: Final = 86_400


def looks_like_reply(packet: memoryview) -> bool:
    """Whether a packet is another reflector's reply, come here by a forged source or a wrong port.

    A request has zeros, or arbitrary padding, where a reply has T2 and the copied T1: all within a day of the
    packet's own stamp only in a reply, whichever of the two formats each stamp has.
    """
    if len(packet) < BASE:
        return False
    (own,) = _T1_SECONDS.unpack_from(packet)
    (copied,) = _COPIED_SECONDS.unpack_from(packet)
    return _near(int.from_bytes(packet[16:20], "big"), own) and _near(copied, own)


def _near(a: int, b: int) -> bool:
    apart = a - b & MASK32
    return any((apart - shift + _DAY_S & MASK32) < 2 * _DAY_S for shift in (0, NTP_EPOCH, -NTP_EPOCH))
