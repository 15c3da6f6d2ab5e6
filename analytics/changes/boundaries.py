"""Where a level may have moved in a whole past: boundaries that are cheap to merge away already count, and are told in figures.

The figures look at both sides alike, so that a past read backwards says the same with left and right exchanged.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from ruptures.detection import KernelCPD  # type: ignore[import-untyped,unused-ignore]

from analytics.changes import surroundings
from analytics.changes.merging import persistence
from analytics.changes.series import FLOORS, beside, noise, without_spikes
from analytics.changes.stretches import segment_medians, spreads

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEAST_PENALTY: Final = 40.0
"""In squared noise, on the running median over 3: a boundary that stands up to less is not looked at."""
WIDTHS: Final = (3, 5, 9, 21)
"""The running medians' on which a boundary's persistence is told."""
PELT_WIDTHS: Final = ((9, 5), (3, 2))
"""Running medians on which PELT is run, and the fewest samples of its segments."""
PELT_PENALTIES: Final = np.geomspace(200.0, 20_000.0, 8)
"""In squared noise as PELT is given it here: the median deviation of the steps, not made a standard deviation."""
REACH: Final = 3
"""Samples by which a boundary may be displaced by a running median."""
WINDOWS: Final = (6, 12, 30, 100)
"""Samples on either side that are compared."""
WIDEST: Final = max(WINDOWS)
HOLD: Final = 400
"""Samples within which a return to the other side of the middle is looked for."""
BLOCK: Final = 64
"""Boundaries whose samples are compared pair by pair at once: tables that fit the processor's cache."""
_LOG_OFFSET: Final = 3.0
_LOG_SCALE: Final = 8.0
"""In the logarithm a step of one noise near the line's foot is 2 noises, a step of a third is 2.3 anywhere above it."""
_LEAST: Final = 0.02
"""ms; the least spread that is told."""

FIGURES: Final = (
    *(f"stands_{w}" for w in WIDTHS),
    *(f"log_stands_{w}" for w in WIDTHS),
    *(f"pelt_{width}" for width, _ in PELT_WIDTHS),
    *(
        "step",
        "step_in_noise",
        "length_left",
        "length_right",
        "spread_left",
        "spread_right",
        "step_in_spreads",
    ),
    *("back_left", "back_right", "near_15", "near_60", "rough"),
    *(
        f"{name}_{w}"
        for w in WINDOWS
        for name in ("step", "clear", "above", "past", "spread_left", "spread_right")
    ),
    *("hold_left", "hold_right", "crossings", "known_left", "known_right", "step_in_range"),
    *surroundings.FIGURES,
)
"""The columns of `Boundaries.figures`, in order."""


@dataclass(frozen=True, slots=True)
class Boundaries:
    """(C,) first samples of what may be new levels, rising, and (C, len(FIGURES)) their figures."""

    at: NDArray[np.int64]
    figures: NDArray[np.float64]


def boundaries(filled: NDArray[np.float64]) -> Boundaries:
    """All boundaries worth weighing in (T,) round trips in ms, oldest first, without NaN."""
    scale = float(noise(filled, FLOORS["rtt"]))
    foot = np.quantile(filled, 0.02)
    smooth = {width: without_spikes(filled, width) for width in WIDTHS}
    stands = {width: persistence(values / scale) for width, values in smooth.items()}
    at = np.flatnonzero(stands[WIDTHS[0]] >= LEAST_PENALTY)
    if not len(at):
        return Boundaries(at, np.zeros((0, len(FIGURES))))
    in_log = [
        persistence(_LOG_SCALE * np.log(np.maximum(values - foot, 0.0) / scale + _LOG_OFFSET))
        for values in smooth.values()
    ]
    columns = [
        *(_around(values, at) for values in stands.values()),
        *(_around(values, at) for values in in_log),
        *(_pelt(smooth[width], filled, at, least) for width, least in PELT_WIDTHS),
        *_segments(filled, at, scale),
        *_windows(filled, at, scale),
        *_levels(smooth[WIDTHS[0]], filled, at),
    ]
    steps = [np.exp(columns[FIGURES.index(name)]) for name in ("step", "step_30")]
    columns += surroundings.surroundings({1: filled, **smooth}, stands, at, scale, steps)
    return Boundaries(at, np.stack(columns, axis=-1).astype(np.float32).astype(np.float64))


def _around(stands: NDArray[np.float64], at: NDArray[np.int64]) -> NDArray[np.float64]:
    """(C,) logarithm of the highest penalty that a boundary within `REACH` of each stands up to."""
    wide = np.lib.stride_tricks.sliding_window_view(np.pad(stands, REACH), 2 * REACH + 1)
    return np.asarray(np.log1p(wide[at].max(axis=-1)))


def _pelt(
    smooth: NDArray[np.float64], filled: NDArray[np.float64], at: NDArray[np.int64], least: int
) -> NDArray[np.float64]:
    """(C,) logarithm of the highest penalty at which the best segmentation of all has a cut within `REACH`; 0 of none."""
    steps = np.diff(filled)
    scale = max(float(np.median(np.abs(steps - np.median(steps)))), _LEAST)
    found = np.zeros(len(at))
    model = KernelCPD(kernel="linear", min_size=least).fit((smooth / scale)[:, None])
    for penalty in PELT_PENALTIES:
        cuts = np.array(model.predict(pen=penalty)[:-1], dtype=np.int64)
        if not len(cuts):
            break
        after = np.minimum(np.searchsorted(cuts, at), len(cuts) - 1)
        near = np.minimum(np.abs(cuts[after] - at), np.abs(cuts[np.maximum(after - 1, 0)] - at)) <= REACH
        found[near] = np.log(penalty)
    return found


def _segments(values: NDArray[np.float64], at: NDArray[np.int64], scale: float) -> list[NDArray[np.float64]]:
    """What the segments between the boundaries say: step, lengths, spreads, whether the level before comes back."""
    first, end = np.concatenate([[0], at]), np.concatenate([at, [len(values)]])
    length = end - first
    level = segment_medians(values, first, end)
    spread = spreads(values, first, end, level)
    step = np.abs(np.diff(level))
    wide = np.concatenate([[np.nan], level, [np.nan]])
    back_left = np.abs(wide[:-3] - level[1:]) / (step + 1e-3)
    back_right = np.abs(wide[3:] - level[:-1]) / (step + 1e-3)
    rough = np.abs(np.diff(values, prepend=values[0]))
    return [
        np.log(step + 0.05),
        np.log((step + 1e-3) / scale),
        np.log(length[:-1]),
        np.log(length[1:]),
        np.log((spread[:-1] + _LEAST) / scale),
        np.log((spread[1:] + _LEAST) / scale),
        step / (spread[:-1] + spread[1:] + 0.05 * scale),
        np.minimum(np.nan_to_num(back_left, nan=1.0), 50.0),
        np.minimum(np.nan_to_num(back_right, nan=1.0), 50.0),
        *(np.searchsorted(at, at + w) - np.searchsorted(at, at - w, side="right") for w in (15, 60)),
        np.nanmedian(beside(rough, at, 60), axis=-1) / scale,
    ]


def _windows(values: NDArray[np.float64], at: NDArray[np.int64], scale: float) -> list[NDArray[np.float64]]:
    """Equally many samples on either side compared, for each of `WINDOWS`."""
    both = beside(values, at, WIDEST)
    columns: list[NDArray[np.float64]] = []
    for width in WINDOWS:
        left, right = both[:, WIDEST - width : WIDEST], both[:, WIDEST : WIDEST + width]
        low, high = np.nanmedian(left, axis=-1), np.nanmedian(right, axis=-1)
        step, middle, way = np.abs(high - low), (low + high) / 2.0, np.sign(high - low)
        off_left = np.nanmedian(np.abs(left - low[:, None]), axis=-1)
        off_right = np.nanmedian(np.abs(right - high[:, None]), axis=-1)
        columns += [
            np.log(step + 0.05),
            step / (off_left + off_right + 0.1 * scale),
            _apart(left, right),
            _share(way[:, None] * (right - middle[:, None]) > 0, right)
            + _share(way[:, None] * (left - middle[:, None]) < 0, left),
            np.log((off_left + _LEAST) / scale),
            np.log((off_right + _LEAST) / scale),
        ]
    return columns


def _share(yes: NDArray[np.bool_], of: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(yes.sum(axis=-1) / np.maximum(np.isfinite(of).sum(axis=-1), 1))


def _apart(left: NDArray[np.float64], right: NDArray[np.float64]) -> NDArray[np.float64]:
    """(C,) 0 to 1/2: how surely a sample of one side lies above one of the other (Mann and Whitney)."""
    pairs = np.isfinite(left).sum(axis=-1) * np.isfinite(right).sum(axis=-1)
    # Of each boundary: pairs of which the right one lies above the left one, less those of which it lies below.
    more = np.zeros(len(left), dtype=np.int64)
    for first in range(0, len(left), BLOCK):
        some = slice(first, first + BLOCK)
        new, old = right[some, :, None], left[some, None, :]
        more[some] = (new > old).sum(axis=(-2, -1)) - (new < old).sum(axis=(-2, -1))
    return np.asarray(np.abs(more) / (2.0 * np.maximum(pairs, 1)))


def _levels(
    smooth: NDArray[np.float64], values: NDArray[np.float64], at: NDArray[np.int64]
) -> list[NDArray[np.float64]]:
    """How long both levels hold, how often the middle is crossed, and how usual each level is on the other side."""
    level = segment_medians(values, np.concatenate([[0], at]), np.concatenate([at, [len(values)]]))
    low, high = level[:-1, None], level[1:, None]
    both = beside(smooth, at, HOLD)
    height = np.sign(high - low) * (both - (low + high) / 2.0)
    old, new = height[:, HOLD - 2 :: -1], height[:, HOLD + 1 :]
    step = np.abs(high - low) + _LEAST
    known_left = _share(np.abs(both[:, : HOLD - 2] - high) < step / 3.0, both[:, : HOLD - 2])
    known_right = _share(np.abs(both[:, HOLD + 2 :] - low) < step / 3.0, both[:, HOLD + 2 :])
    near = height[:, HOLD - 60 : HOLD + 60] > 0
    reach = np.quantile(smooth, 0.998) - np.quantile(smooth, 0.002)
    return [
        np.log1p(np.where((old > 0).any(axis=-1), np.argmax(old > 0, axis=-1), HOLD)),
        np.log1p(np.where((new < 0).any(axis=-1), np.argmax(new < 0, axis=-1), HOLD)),
        np.log1p((near[:, 1:] != near[:, :-1]).sum(axis=-1)),
        known_left,
        known_right,
        np.log(step[:, 0] / (reach + 0.1)),
    ]
