"""The load of a call: frames at the profile's rate, key frames among them, cut into packets and paced as encoders pace them.

Both ends work it out by themselves from the same few numbers, so the receiver knows when each packet that it
misses should have left.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from probes.rehearsing.wire import HEADER, IP_UDP

if TYPE_CHECKING:
    from numpy.typing import NDArray

PACKET: Final = 1200
"""Octets of a full packet with its headers: what browsers and room codecs send, below any tunnel's limit."""
LEAST_PACKET: Final = HEADER.size + IP_UDP
KEY_EVERY_S: Final = 2.0
"""A key frame at each joining or loss report; steadily so often here, so that each rung has several."""
KEY_RATIO: Final = 3.0
"""A key frame's size over the others'."""
PACE: Final = 2.5
"""Packets of a frame leave at so many times the mean rate, the factor of WebRTC's pacer, not at the speed of the card."""
AUDIO_BPS: Final = 150_000
"""At or below this a load is voice: equal frames, no key frames."""
_SECOND_NS: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Packets:
    """N packets of one load in the order of sending.

    Attributes:
        at_ns: (N,) when each leaves, from the beginning of the load.
        octets: (N,) of each, with IP and UDP headers.
    """

    at_ns: NDArray[np.int64]
    octets: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.at_ns)


def packets(bps: float, frames_per_s: float, seconds: float) -> Packets:
    """The load of so many bits a second (IP layer), for so long; nothing at a rate of 0."""
    frames = max(round(seconds * frames_per_s), 1) if bps > 0 else 0
    number = np.arange(frames)
    weight = np.ones(frames)
    if bps > AUDIO_BPS:
        weight[number % max(round(KEY_EVERY_S * frames_per_s), 1) == 0] = KEY_RATIO
    octets = weight * (bps * seconds / 8 / weight.sum()) if frames else weight
    pieces = np.maximum(np.ceil(octets / PACKET), 1).astype(np.int64)
    frame = np.repeat(number, pieces)
    size = np.maximum(np.rint(np.repeat(octets / pieces, pieces)), LEAST_PACKET)
    began_s = frame / frames_per_s
    lasting_s = size * 8 / (PACE * bps) if frames else size
    before_s = np.cumsum(lasting_s) - lasting_s
    at_s = np.maximum.accumulate(began_s - before_s) + before_s if frames else began_s
    return Packets(np.rint(at_s * _SECOND_NS).astype(np.int64), size.astype(np.int32))
