"""Frames of a picture: when each was whole, how often they come, and where the picture stood still."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

FREEZE_FRAMES: Final = 3
"""A gap of more than so many frame times is a freeze."""
PAUSE_NS: Final = 15 * 10**9
"""A longer gap is a pause: the camera was off."""


@dataclass(frozen=True, slots=True)
class Frames:
    """The frames that began in a stretch of time."""

    whole_ns: NDArray[np.int64]
    """When the last packet of each arrived, shape (frames,), in the order of their time stamps, not falling."""
    frame_ns: int | None
    """The usual time from frame to frame; None with fewer than two."""

    def freezes_ns(self, before_ns: int | None) -> NDArray[np.int64]:
        """Length of each freeze that ended here; `before_ns` is when the frame before the first was whole."""
        if self.frame_ns is None or not len(self.whole_ns):
            return np.zeros(0, dtype=np.int64)
        first = self.whole_ns[0] if before_ns is None else before_ns
        gaps = np.diff(self.whole_ns, prepend=np.int64(first))
        frozen: NDArray[np.int64] = gaps[(gaps > FREEZE_FRAMES * self.frame_ns) & (gaps <= PAUSE_NS)]
        return frozen


def rtp_frames(
    time_ns: NDArray[np.int64], timestamp: NDArray[np.int64], rate_hz: int | None, after: int | None
) -> Frames:
    """Frames by RTP time stamp: all packets of a frame have the same one (RFC 3550 5.1).

    Args:
        time_ns: arrival times, shape (n,).
        timestamp: unwrapped time stamps, shape (n,).
        rate_hz: their clock, None if not known: then the frame time is that of the arrivals.
        after: time stamp of the last frame already counted; this and earlier ones are left out.
    """
    stamps, inverse = np.unique(timestamp, return_inverse=True)
    whole = np.zeros(len(stamps), dtype=np.int64)
    np.maximum.at(whole, inverse, time_ns)
    if after is not None:
        new = stamps > after
        stamps, whole = stamps[new], whole[new]
    whole = np.maximum.accumulate(whole)
    times = whole.astype(np.float64) if rate_hz is None else stamps.astype(np.float64) * (1e9 / rate_hz)
    return Frames(whole, _usual_ns(times))


def frames_by_size(
    time_ns: NDArray[np.int64], octets: NDArray[np.int64], *, lookback: int, tolerance: int
) -> Frames:
    """Frames of an encrypted picture by packet sizes: the IP/UDP heuristic of Sharma et al., IMC 2023, section 4.

    An encoder cuts a frame into packets of nearly the same size, so a packet that differs by more than `tolerance`
    octets from each of the last `lookback` packets begins a new frame. Two neighbouring frames of the same size
    are taken for one, and a frame cut unevenly for several: an estimate.
    """
    if not len(time_ns):
        return Frames(time_ns, None)
    alike = np.zeros(len(octets), dtype=bool)
    for back in range(1, lookback + 1):
        alike[back:] |= np.abs(octets[back:] - octets[:-back]) <= tolerance
    begins = np.flatnonzero(~alike)
    last = np.append(begins[1:], len(octets)) - 1
    whole = np.maximum.accumulate(time_ns[last])
    return Frames(whole, _usual_ns(whole.astype(np.float64)))


def _usual_ns(times: NDArray[np.floating]) -> int | None:
    steps = np.diff(times)
    return max(round(float(np.median(steps))), 1) if len(steps) else None
