"""What the wider past says of a boundary: a reader of a trace weighs a step by how the rest of it looks.

Figures for `boundaries`, beside those that look at the neighbouring segments: the step against what the trace spans as a
whole and around it, where both levels lie among those around, the levels that are left when only larger boundaries count,
and how many of these there are around.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analytics.changes.series import beside
from analytics.changes.stretches import segment_medians, spreads

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

SPANS: Final = ((0.05, 0.95), (0.25, 0.75), (0.02, 0.98))
"""Quantiles of the whole trace between which its span is told."""
AROUND: Final = 500
"""Samples on either side that are around a boundary."""
LEVEL: Final = 12
"""Samples on either side whose medians are the levels whose place is told."""
WIDTHS: Final = (5, 9)
"""The running medians' on whose boundaries larger levels are told."""
PENALTIES: Final = (100.0, 400.0, 1600.0, 6400.0)
"""In squared noise: boundaries that stand up to less do not count."""
OWN: Final = 3
"""A larger boundary so near is the boundary itself."""
CROWD_PENALTIES: Final = (100.0, 1000.0, 10_000.0)
CROWDS: Final = (50, 200, 800)
"""Samples on either side in which boundaries that stand up to `CROWD_PENALTIES` are counted."""
_LEAST: Final = 0.02
_LEAST_SPAN: Final = 0.3
"""ms; the least spread and the least span that are told."""
_LEAST_STEP: Final = 0.05
_SHARE: Final = 0.1
"""Of the noise: what keeps a ratio to a step finite."""
_PLACE: Final = 5.0
_OUTER: Final = 20.0
"""Steps beyond which it says no more how far away a level lies: cut off there."""

FIGURES: Final = (
    *(f"step{of}_in_{round(100 * low)}_{round(100 * high)}" for low, high in SPANS for of in ("", "_30")),
    *("step_in_around", "step_30_in_around"),
    *("off_left", "off_right", "place_left", "place_right"),
    *(
        f"{name}_{width}_{int(penalty)}"
        for width in WIDTHS
        for penalty in PENALTIES
        for name in (
            *("large_step", "large_step_in_noise", "large_left", "large_right", "next_left", "next_right"),
            *(
                "large_spread_left",
                "large_spread_right",
                "large_clear",
                "comes_from_beyond",
                "goes_on_beyond",
            ),
        )
    ),
    *(f"crowd_{int(penalty)}_{reach}" for penalty in CROWD_PENALTIES for reach in CROWDS),
)
"""The columns of `surroundings`, in order."""


def surroundings(
    smooth: Mapping[int, NDArray[np.float64]],
    stands: Mapping[int, NDArray[np.float64]],
    at: NDArray[np.int64],
    scale: float,
    steps: Sequence[NDArray[np.float64]],
) -> Iterator[NDArray[np.float64]]:
    """`FIGURES` of each boundary `at` (C,) in (T,) samples of noise `scale`, in ms.

    `smooth` (T,) by width, at least 1 (the samples themselves, without NaN) and `WIDTHS`: the running medians; `stands` (T,)
    by width, at least `WIDTHS`: what a boundary before each sample stands up to. `steps`: two (C,) in ms, between segments
    and between medians of 30.
    """
    filled = smooth[1]
    yield from _in_spans(smooth[WIDTHS[1]], steps)
    yield from _places(filled, smooth[WIDTHS[0]], at, scale, steps)
    for width in WIDTHS:
        for penalty in PENALTIES:
            yield from _larger(filled, np.flatnonzero(stands[width] >= penalty), at, scale)
    for penalty in CROWD_PENALTIES:
        cuts = np.flatnonzero(stands[WIDTHS[1]] >= penalty)
        for reach in CROWDS:
            yield np.log1p(np.searchsorted(cuts, at + reach) - np.searchsorted(cuts, at - reach))


def _in_spans(
    smooth: NDArray[np.float64], steps: Sequence[NDArray[np.float64]]
) -> Iterator[NDArray[np.float64]]:
    for low, high in np.quantile(smooth, SPANS):
        yield from (np.log(step / (high - low + _LEAST_SPAN)) for step in steps)


def _places(
    filled: NDArray[np.float64],
    smooth: NDArray[np.float64],
    at: NDArray[np.int64],
    scale: float,
    steps: Sequence[NDArray[np.float64]],
) -> Iterator[NDArray[np.float64]]:
    """The step in the span around, and how far from the middle of all around both levels lie."""
    low, usual, high = np.nanquantile(beside(smooth, at, AROUND), (0.05, 0.5, 0.95), axis=-1)
    yield from (np.log(step / (high - low + _LEAST_SPAN)) for step in steps)
    near = beside(filled, at, LEVEL)
    off = [np.nanmedian(side, axis=-1) - usual for side in (near[:, :LEVEL], near[:, LEVEL:])]
    yield from (np.log1p(np.abs(side) / scale) for side in off)
    yield from (np.clip(side / (steps[1] + scale), -_PLACE, _PLACE) for side in off)


def _larger(
    filled: NDArray[np.float64], cuts: NDArray[np.int64], at: NDArray[np.int64], scale: float
) -> Iterator[NDArray[np.float64]]:
    """Each boundary as the only one between the nearest of `cuts` (K,) on either side: step, lengths, spreads, levels beyond."""
    ends = np.concatenate([[0, 0], cuts, [len(filled), len(filled)]])
    before, after = np.searchsorted(cuts, at - OWN) + 1, np.searchsorted(cuts, at + OWN + 1) + 2
    left, right, outer_left, outer_right = ends[before], ends[after], ends[before - 1], ends[after + 1]
    low, high = segment_medians(filled, left, at), segment_medians(filled, at, right)
    step = high - low
    size, way = np.abs(step), np.sign(step)
    beyond_left = (low - segment_medians(filled, outer_left, left)) / (size + _SHARE * scale)
    beyond_right = (segment_medians(filled, right, outer_right) - high) / (size + _SHARE * scale)
    spread_left, spread_right = spreads(filled, left, at, low), spreads(filled, at, right, high)
    yield np.log(size + _LEAST_STEP)
    yield np.log(size / scale + _LEAST_STEP)
    yield np.log(at - left)
    yield np.log(right - at)
    yield np.log1p(left - outer_left)
    yield np.log1p(outer_right - right)
    yield np.log((spread_left + _LEAST) / scale)
    yield np.log((spread_right + _LEAST) / scale)
    yield size / (spread_left + spread_right + _SHARE * scale)
    yield from (
        np.clip(np.nan_to_num(beyond) * way, -_OUTER, _OUTER) for beyond in (beyond_left, beyond_right)
    )
