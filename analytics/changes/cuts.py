"""A cut through a line's newest samples: what lies before it, what since, and how much like a moved level that looks.

Everything is told in one measure, the height of a sample: -1/2 is the old level, +1/2 the new one, 0 the middle. So the
figures have no unit and no direction, and the same trees serve round trip, jitter and loss.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from analytics.changes.series import noise

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

AFTER: Final = 6
"""Samples since the cut; the first of them would be the first of the new level, the last is the newest of all."""
BEFORE: Final = 20
"""Samples before the cut whose median is the old level."""
LOOKED_AT: Final = 100
"""Samples before the cut that are looked at."""
SPAN: Final = LOOKED_AT + AFTER
LEVELS: Final = (6, 12, 20, 50, 100)
"""So many samples before the cut are told of each for itself: a level may be short, and a line rough."""
OUTERMOST: Final = (6, 20, 100)
"""Of so many how far nine in ten reach towards the new level, and one in ten away from it."""
NEAR_OLD: Final = 1.0 / 6.0
"""Nearer than this to the old level, in steps, is on it."""
FIGURES: Final = (
    "step_in_noise",
    *(f"{what}_{k}" for k in LEVELS for what in ("tight", "share_past", "share_at_new")),
    *(f"level_{k}" for k in LEVELS if k != BEFORE),
    *(f"crossings_{k}" for k in (50, 100)),
    *(f"{what}_{k}" for k in OUTERMOST for what in ("room", "foot")),
    *(f"apart_{k}" for k in (6, 12, 20, 50)),
    *(f"above_{k}" for k in (20, 50)),
    *(f"on_old_{k}" for k in (20, 100)),
    *(f"last_{k}" for k in (1, 2, 3)),
    *("past", "first", "second", "newest_but_one", "newest", "least", "most"),
    *("tight_new", "spread_in_noise", "reach_in_noise", "slope"),
)
"""The columns of `figures`, in order."""
_FAR: Final = 5.0
_NEAR: Final = 3.0
"""Heights beyond these say no more: they are cut off there."""


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
    noise_in_steps = those.noise / np.maximum(those.step, 1e-9)
    columns = [
        -_log(noise_in_steps),
        *_levels(old, least),
        *((old[:, 1 - k :] > 0) != (old[:, -k:-1] > 0) for k in (50, 100)),
        *_outermost(old),
        *(_apart(old[:, -k:], new, noise_in_steps) for k in (6, 12, 20, 50)),
        *((old[:, -k:, None] < new[:, None, :]).mean(axis=(-1, -2)) for k in (20, 50)),
        *(np.abs(old[:, -k:] + 0.5) < NEAR_OLD for k in (20, 100)),
        *(np.clip(old[:, -k], -_FAR, _FAR) for k in (1, 2, 3)),
        *_since(new, least, noise_in_steps),
    ]
    return np.stack(
        [column.mean(axis=-1) if column.ndim > 1 else column for column in columns], axis=-1
    ).astype(np.float64)


def _levels(old: NDArray[np.float64], least: NDArray[np.float64]) -> Iterator[NDArray[np.generic]]:
    """Of each of `LEVELS`: how tight, how much past the middle, how much at the new level; then where they lay."""
    middles = {k: np.median(old[:, -k:], axis=-1) for k in LEVELS}
    for k, middle in middles.items():
        yield _tight(old[:, -k:] - middle[:, None], least)
        yield old[:, -k:] > 0
        yield old[:, -k:] >= 0.5
    yield from (np.clip(0.5 - middle, -_NEAR, _NEAR) for k, middle in middles.items() if k != BEFORE)


def _outermost(old: NDArray[np.float64]) -> Iterator[NDArray[np.float64]]:
    for k in OUTERMOST:
        low, high = np.quantile(old[:, -k:], (0.1, 0.9), axis=-1)
        yield np.clip(0.5 - high, -_NEAR, _NEAR)
        yield np.clip(low - 0.5, -_FAR, 1.0)


def _apart(
    old: NDArray[np.float64], new: NDArray[np.float64], noise_in_steps: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The step in standard errors of a difference of two means (Welch's), as a logarithm; noise keeps it finite."""
    error = old.var(axis=-1) / old.shape[-1] + (new.var(axis=-1) + noise_in_steps**2) / AFTER
    return -_log(np.sqrt(error))


def _since(
    new: NDArray[np.float64], least: NDArray[np.float64], noise_in_steps: NDArray[np.float64]
) -> Iterator[NDArray[np.generic]]:
    """The samples of the new level, and how well they agree."""
    off = np.abs(new - 0.5)
    yield (new > 0).sum(axis=-1)
    yield from (
        np.clip(sample, -_FAR, 2.0 * _FAR) for sample in (new[:, 0], new[:, 1], new[:, -2], new[:, -1])
    )
    yield np.clip(new.min(axis=-1), -_FAR, _FAR)
    yield np.clip(new.max(axis=-1), -_FAR, 2.0 * _FAR)
    yield _tight(off, least)
    yield from (
        _log((spread + 0.4 * least) / noise_in_steps)
        for spread in (np.median(off, axis=-1), off.max(axis=-1))
    )
    half = AFTER // 2
    yield np.clip(np.median(new[:, half:], axis=-1) - np.median(new[:, :half], axis=-1), -_FAR, _FAR)


def _tight(off: NDArray[np.float64], least: NDArray[np.float64]) -> NDArray[np.float64]:
    """How many spreads fit into the step, as a logarithm."""
    return np.asarray(-np.log(np.maximum(np.median(np.abs(off), axis=-1), least)))


def _log(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.log(np.clip(values, 1e-6, 1e6)))
