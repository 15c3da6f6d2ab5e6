"""A cut through a line's newest samples: what lies before it, what since, and how much like a moved level that looks.

Everything is told in one measure, the height of a sample: -1/2 is the old level, +1/2 the new one, 0 the middle. So the
figures have no unit, and one set of weights serves round trip, jitter and loss.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from analytics.changes.series import noise

if TYPE_CHECKING:
    from numpy.typing import NDArray

AFTER: Final = 6
"""Samples since the cut; the first of them would be the first of the new level, the last is the newest of all."""
BEFORE: Final = 20
"""Samples before the cut whose median is the old level."""
LOOKED_AT: Final = 100
"""Samples before the cut that are looked at."""
SPAN: Final = LOOKED_AT + AFTER
FIGURES: Final = (
    "share_past_6",
    "share_past_20",
    "room_6",
    "room_20",
    "foot_100",
    "last_1",
    "last_2",
    "last_3",
    "level_6",
    "level_100",
    "least",
    "most",
    "past",
    "tight_new",
    "tight_20",
    "tight_100",
    "step_in_noise",
)
"""The columns of `figures`, in order."""


@dataclass(frozen=True, slots=True)
class Cuts:
    """N cuts: heights (N, SPAN), steps (N,) in the metric's own unit, the noise (N,) before the cut."""

    height: NDArray[np.float64]
    step: NDArray[np.float64]
    noise: NDArray[np.float64]

    def only(self, which: NDArray[np.bool_]) -> Cuts:
        """Those cuts of which `which` (N,) is true."""
        return Cuts(self.height[which], self.step[which], self.noise[which])


def cuts(filled: NDArray[np.float64], floor: float) -> Cuts:
    """Cut the newest samples (N, SPAN) of N lines, oldest first and without NaN, `AFTER` samples from their end."""
    old, new = filled[:, :LOOKED_AT], filled[:, LOOKED_AT:]
    low, high = np.median(old[:, -BEFORE:], axis=-1), np.median(new, axis=-1)
    step = np.abs(high - low)
    way = np.where(high >= low, 1.0, -1.0) / np.maximum(step, 1e-9)
    height = way[:, None] * (filled - ((low + high) / 2.0)[:, None])
    return Cuts(height, step, noise(old, floor))


def figures(those: Cuts, floor: float) -> NDArray[np.float64]:
    """(N, len(FIGURES)) what is weighed of each cut; `floor` is the least spread that is believed, in the metric's unit."""
    old, new = those.height[:, :LOOKED_AT], those.height[:, LOOKED_AT:]
    least = floor / np.maximum(those.step, floor)
    middle_of = {k: np.median(old[:, -k:], axis=-1) for k in (6, 20, 100)}
    columns = [
        *((old[:, -k:] > 0).mean(axis=-1) for k in (6, 20)),
        *(np.clip(0.5 - np.quantile(old[:, -k:], 0.9, axis=-1), -3, 3) for k in (6, 20)),
        np.clip(np.quantile(old, 0.1, axis=-1) - 0.5, -5, 1),
        *(np.clip(old[:, -k], -5, 5) for k in (1, 2, 3)),
        *(np.clip(0.5 - middle_of[k], -3, 3) for k in (6, 100)),
        np.clip(new.min(axis=-1), -5, 5),
        np.clip(new.max(axis=-1), -5, 5),
        (new > 0).sum(axis=-1),
        _tight(new - 0.5, least),
        *(_tight(old[:, -k:] - middle_of[k][:, None], least) for k in (20, 100)),
        np.log(np.maximum(those.step / those.noise, 1e-3)),
    ]
    return np.stack(columns, axis=-1).astype(np.float64)


def _tight(off: NDArray[np.float64], least: NDArray[np.float64]) -> NDArray[np.float64]:
    """How many spreads fit into the step, as a logarithm."""
    return np.asarray(-np.log(np.maximum(np.median(np.abs(off), axis=-1), least)))
