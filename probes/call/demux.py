"""Which protocol a datagram of a call belongs to, by its first octets (RFC 7983 section 7, RFC 5761 section 4)."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Kind(IntEnum):
    """What a datagram is taken for."""

    OTHER = 0
    RTP = 1
    """Or anything else whose first two bits are `10`: only a flow's sequence numbers prove it."""
    RTCP = 2
    STUN = 3
    DTLS = 4
    ZRTP = 5
    CHANNEL = 6
    """TURN channel data that carries no RTP."""


_BY_FIRST_OCTET: Final = np.full(256, Kind.OTHER, dtype=np.uint8)
_BY_FIRST_OCTET[0:4] = Kind.STUN
_BY_FIRST_OCTET[16:20] = Kind.ZRTP
_BY_FIRST_OCTET[20:64] = Kind.DTLS
_BY_FIRST_OCTET[64:80] = Kind.CHANNEL
_BY_FIRST_OCTET[128:192] = Kind.RTP

RTCP_FIRST: Final = 192
RTCP_LAST: Final = 223
"""Packet types of RTCP, where RTP has the marker and payload type."""


def kinds(first: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Kind of each datagram by its first octet, shape (n,)."""
    found: NDArray[np.uint8] = _BY_FIRST_OCTET[first]
    return found


def is_rtcp(second: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Whether what looks like RTP is RTCP, by its second octet, shape (n,)."""
    return (second >= RTCP_FIRST) & (second <= RTCP_LAST)
