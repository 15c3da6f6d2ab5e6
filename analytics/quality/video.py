"""Video quality of a call, ITU-T G.1070 (06/2018) eq. 11-16 to 11-21, from bitrate, frame rate and loss.

The coefficient sets end at VGA and about 2 Mbit/s; for 720p and 1080p none is published. Beyond a set's range the value
is marked `outside`: it is then no more than a monotone term for loss. Jitter is no input: what a jitter buffer discards
counts as loss. The optimal frame rate is not clamped to 30 (implementations do not; at 2 Mbit/s three of the five sets give more).

For calls that are watched passively. Nothing in the product feeds it yet: a probe knows neither bitrate nor frame rate of a call.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from analytics.quality.ranges import Range, meaningful, outside

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_ABOVE_0: Final = float(np.nextafter(0, 1))
FRAME_RATE: Final = Range(1, 30, "frames/s")
LOSS: Final = Range(0, 3, "%")
"""Widest loss that the sets were fitted to."""


@dataclass(frozen=True, slots=True)
class VideoCoefficients:
    """v1 to v12 for a codec, picture format and display, and the bitrates that they were fitted to."""

    v: tuple[float, ...]
    bitrate: Range
    confirmed: bool = True
    """False: from memory, no second source."""


_TO_2_MBIT: Final = Range(0, 2000, "kbit/s")
"""No lower end is known."""
COEFFICIENTS: Final[dict[str, VideoCoefficients]] = {
    # annex B, as rl-mpquic quotes it; the 9.2 inch set has a second source
    "h264bp_vga_6in_B4#1": VideoCoefficients(
        (6.743, 0.9998e-2, 3.051, 168.1, 1.766, 1.130, 18.340e-4, 1.232, 53.25, 3.353, 6.025, 80.752),
        _TO_2_MBIT,
    ),
    "h264bp_vga_65in_B6#1": VideoCoefficients(
        (5.643, 1.042e-2, 2.862, 178.2, 1.972, 1.263, 11.026e-4, 1.125, 49.34, 3.047, 5.824, 92.465),
        _TO_2_MBIT,
    ),
    "h264_vga_9.2in#5": VideoCoefficients(
        (5.517, 1.29e-2, 3.459, 178.53, 1.02, 1.15, 3.55e-4, 0.114, 513.77, 0.736, -6.451, 13.684),
        Range(400, 2000, "kbit/s"),
    ),
    "mpeg4_qvga_4.2in#1": VideoCoefficients(
        (1.431, 2.228e-2, 3.759, 184.1, 1.161, 1.446, 3.881e-4, 2.116, 467.4, 2.736, 15.28, 4.170),
        _TO_2_MBIT,
        confirmed=False,
    ),
    "mpeg4_qqvga_2.1in#2": VideoCoefficients(
        (7.160, 2.215e-2, 3.461, 111.9, 2.091, 1.382, 5.881e-4, 0.8401, 113.9, 6.047, 46.87, 10.87),
        _TO_2_MBIT,
        confirmed=False,
    ),
}


@dataclass(frozen=True, slots=True, eq=False)
class VideoQuality:
    """Vq (1 to 5) with the terms that it is made of; of one shape."""

    vq: NDArray[np.float64]
    optimal_fps: NDArray[np.float64]
    best: NDArray[np.float64]
    """IOFr: the most that this bitrate allows above 1."""
    fps_spread: NDArray[np.float64]
    """DFrV: how well it bears another frame rate."""
    coding: NDArray[np.float64]
    """Icoding: what bitrate and frame rate allow above 1."""
    loss_tolerance_pct: NDArray[np.float64]
    """DPplV: the loss that leaves 1/e of it."""
    outside: NDArray[np.bool_]


def video_quality(
    bitrate_kbps: ArrayLike, fps: ArrayLike, loss_pct: ArrayLike, coefficients: VideoCoefficients
) -> VideoQuality:
    """Vq of G.1070; arrays broadcast.

    NaN for a bitrate below 0, a frame rate of 0, a loss outside 0 to 100, and where the tolerance of loss comes out at 0
    or less: below one frame a second a set may have more loss make a better picture.
    """
    v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11, v12 = coefficients.v
    bitrate = meaningful(bitrate_kbps, 0)
    rate = meaningful(fps, _ABOVE_0)
    loss = meaningful(loss_pct, 0, 100)
    optimal = v1 + v2 * bitrate
    best = v3 - v3 / (1 + (bitrate / v4) ** v5)
    spread = v6 + v7 * bitrate
    coding = best * np.exp(-((np.log(rate) - np.log(optimal)) ** 2) / (2 * spread**2))
    tolerance = meaningful(v10 + v11 * np.exp(-rate / v8) + v12 * np.exp(-bitrate / v9), _ABOVE_0)
    vq = 1 + coding * np.exp(-loss / tolerance)
    checks = ((coefficients.bitrate, bitrate_kbps), (FRAME_RATE, fps), (LOSS, loss_pct))
    return VideoQuality(
        *np.broadcast_arrays(vq, optimal, best, spread, coding, tolerance, outside(*checks) | np.isnan(vq))
    )
