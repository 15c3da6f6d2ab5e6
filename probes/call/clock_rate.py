"""The clock rate of an RTP stream, found from its own time stamps: no signalling is seen here that would tell it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

VIDEO_HZ: Final = 90_000
RATES_HZ: Final = (8_000, 11_025, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, VIDEO_HZ)
TOLERANCE: Final = 0.035
"""Half of the way between 44.1 and 48 kHz, the nearest neighbours, is 0.043."""
LEAST_SPAN_S: Final = 0.5
LEAST_STAMPS: Final = 8

_STATIC_HZ: Final = {
    **dict.fromkeys((0, 3, 4, 5, 7, 8, 9, 12, 13, 15, 18), 8_000),
    **dict.fromkeys((10, 11), 44_100),
    **dict.fromkeys((14, 25, 26, 28, 31, 32, 33, 34), VIDEO_HZ),
    6: 16_000,
    16: 11_025,
    17: 22_050,
}
"""Static payload types, RFC 3551 table 4 and 5."""
_SOUND_AT_90_KHZ: Final = 14


def found_rate_hz(time_ns: NDArray[np.int64], timestamp: NDArray[np.int64]) -> int | None:
    """The standard rate that the time stamps advance at; None when they are too few, or advance at no such rate.

    The slope is the median over pairs of packets that lie half of the span apart (after Theil and Sen), so that
    neither a late packet nor a sender that began its time stamps anew decides.

    Args:
        time_ns: arrival times, shape (n,), not falling.
        timestamp: unwrapped RTP time stamps, shape (n,).
    """
    firsts = np.flatnonzero(np.diff(timestamp, prepend=timestamp[:1] - 1) > 0)
    if len(firsts) < LEAST_STAMPS:
        return None
    time, stamp = time_ns[firsts], timestamp[firsts]
    half = len(firsts) // 2
    elapsed_s = (time[half:] - time[:-half]) / 1e9
    if (time[-1] - time[0]) / 1e9 < LEAST_SPAN_S or not (elapsed_s > 0).all():
        return None
    slope = float(np.median((stamp[half:] - stamp[:-half]) / elapsed_s))
    nearest = min(RATES_HZ, key=lambda rate: abs(slope / rate - 1))
    return nearest if abs(slope / nearest - 1) <= TOLERANCE else None


def static_rate_hz(payload_type: int) -> int | None:
    """The clock rate that a static payload type stands for (RFC 3551); None for a dynamic one."""
    return _STATIC_HZ.get(payload_type)


def is_video(payload_type: int, rate_hz: int | None, mean_octets: float, packets_per_stamp: float) -> bool:
    """Whether a stream is video: by its clock, which is 90 kHz for every video format of RTP and for one of sound.

    Without a clock rate: large packets, or several of one time stamp.
    """
    if rate_hz is not None:
        return rate_hz == VIDEO_HZ and payload_type != _SOUND_AT_90_KHZ
    return mean_octets > 500 or packets_per_stamp > 1.3
