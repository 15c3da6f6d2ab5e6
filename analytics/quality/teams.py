"""What Microsoft publishes for Teams: targets for the network, and when its dashboard calls a stream poor.

Sources: MicrosoftDocs `Teams/prepare-network.md` (client to Microsoft edge) and
`stream-classification-in-call-quality-dashboard.md`.

For laying a line's figures beside that dashboard's. Nothing in the product feeds it yet: calls are judged by `profiles.toml`.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

TARGETS: Final[dict[str, float]] = {
    "latency_oneway": 50.0,  # ms
    "latency_rtt": 100.0,  # ms
    "burst_loss": 0.10,  # ratio in any 200 ms
    "loss": 0.01,  # ratio in any 15 s
    "jitter": 30.0,  # ms in any 15 s
    "reorder": 0.0005,  # ratio
}
"""A figure has to lie below its target."""

AUDIO_LIMITS: Final[dict[str, float]] = {
    "rtt_ms": 500.0,
    "loss_ratio": 0.10,
    "jitter_ms": 30.0,
    "concealed_ratio": 0.07,
    "degradation": 1.0,  # of the network MOS
}
"""Any average above its limit makes an audio stream poor."""


class StreamClass(IntEnum):
    """The dashboard's word for a stream."""

    UNCLASSIFIED = 0
    GOOD = 1
    POOR = 2


def violations(measured: Mapping[str, ArrayLike]) -> dict[str, NDArray[np.bool_]]:
    """Where each figure misses its target, by the names of `TARGETS`; an absent figure (NaN) misses none."""
    return {
        name: np.asarray(np.asarray(measured[name], dtype=np.float64) >= target)
        for name, target in TARGETS.items()
        if name in measured
    }


def audio_class(measured: Mapping[str, ArrayLike]) -> NDArray[np.int8]:
    """`StreamClass` of audio streams from averages by the names of `AUDIO_LIMITS` (NaN where absent).

    Poor when any figure that is there is too high; unclassified when none is there.
    """
    there: NDArray[np.bool_] = np.zeros((), dtype=np.bool_)
    poor: NDArray[np.bool_] = np.zeros((), dtype=np.bool_)
    for name, limit in AUDIO_LIMITS.items():
        figure = np.asarray(measured.get(name, np.nan), dtype=np.float64)
        there = there | ~np.isnan(figure)
        poor = poor | (figure > limit)
    found = np.where(there, StreamClass.GOOD, StreamClass.UNCLASSIFIED)
    return np.where(poor, StreamClass.POOR, found).astype(np.int8)


def video_class(
    frame_loss_ratio: ArrayLike, fps: ArrayLike, loss_after_fec_ratio: ArrayLike
) -> NDArray[np.int8]:
    """`StreamClass` of video streams: the first figure that is there (not NaN) decides, in this order."""
    frames, rate, loss = (
        np.asarray(values, dtype=np.float64) for values in (frame_loss_ratio, fps, loss_after_fec_ratio)
    )
    poor = np.select([~np.isnan(frames), ~np.isnan(rate)], [frames > 0.5, rate < 7], loss > 0.15)
    there = ~(np.isnan(frames) & np.isnan(rate) & np.isnan(loss))
    found = np.where(poor, StreamClass.POOR, StreamClass.GOOD)
    return np.where(there, found, StreamClass.UNCLASSIFIED).astype(np.int8)
