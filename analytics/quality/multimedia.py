"""Quality of audio and video together, ITU-T G.1070 (06/2018) eq. 11-22 to 11-27.

For calls that are watched passively. Nothing in the product feeds it yet: a picture has no score (`video`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from analytics.quality.ranges import Range, meaningful, outside

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

OPINION: Final = Range(1, 5)
DELAY: Final = Range(0, 1000, "ms")
"""As remembered."""

DISPLAYS: Final[dict[str, tuple[float, ...]]] = {
    # annex C, m1 to m14, as rl-mpquic quotes it
    "4.2in": (
        -0.4457, -0.6638, 0.4042, 2.321, -0.3255, 0.3309, 0.1494, 0.5457,
        -3.235e-4, 3.915, -1.377e-3, 0.0, -1.095e-3, 0.0,
    ),
    "2.1in": (
        -0.6966, -0.8127, 0.4562, 3.003, -0.1638, 0.3626, 0.1291, 0.5456,
        -1.251e-4, 3.763, -1.065e-3, 1.465e-2, -1.002e-3, 0.0,
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class MultimediaQuality:
    """MMq with its terms; of one shape."""

    mmq: NDArray[np.float64]
    together: NDArray[np.float64]
    """MMsv: audio and video without their delays, 1 to 5."""
    absolute_delay: NDArray[np.float64]
    """AD."""
    media_sync: NDArray[np.float64]
    """MS, 0 or less: lips and voice apart."""
    delay: NDArray[np.float64]
    """MMt, at least 1."""
    outside: NDArray[np.bool_]


def multimedia_quality(
    speech: ArrayLike, video: ArrayLike, speech_delay_ms: ArrayLike, video_delay_ms: ArrayLike, display: str
) -> MultimediaQuality:
    """MMq of G.1070 from speech quality Sq, video quality Vq and their one-way delays; arrays broadcast.

    For voice ahead of the picture the difference is TV - TS (as remembered; with TS - TV, as one implementation has
    it, that branch would never take anything away).

    Raises:
        KeyError: `display` is none of `DISPLAYS`.
    """
    m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14 = DISPLAYS[display]
    sq, vq = meaningful(speech, 1, 5), meaningful(video, 1, 5)
    ts, tv = meaningful(speech_delay_ms, 0), meaningful(video_delay_ms, 0)
    together = np.clip(m5 * sq + m6 * vq + m7 * sq * vq + m8, 1, 5)
    absolute = m9 * (ts + tv) + m10
    behind, ahead = m11 * (ts - tv) + m12, m13 * (tv - ts) + m14
    sync = np.minimum(np.where(ts >= tv, behind, ahead), 0)
    delay = np.maximum(absolute + sync, 1)
    mmq = m1 * together + m2 * delay + m3 * together * delay + m4
    marked = outside((OPINION, speech), (OPINION, video), (DELAY, speech_delay_ms), (DELAY, video_delay_ms))
    return MultimediaQuality(
        *np.broadcast_arrays(mmq, together, absolute, sync, delay, marked | np.isnan(mmq))
    )
