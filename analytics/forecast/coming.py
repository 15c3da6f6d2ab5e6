"""Figures of strain that is coming: what is usual at the asked hours, and how today's load compares with the usual one.

A line that is strained at the asked hours every evening is likely to be so again; how today's course carries on is told by
`course`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analytics.climatology import BROKEN_SHARE
from analytics.forecast.same_time import slots_ago
from analytics.forecast.seen import asks_at_once, look, newest_told, slots_in, span_sums
from analytics.forecast.standpoints import standpoints
from telemetry.windows import HOUR_NS, MINUTE_NS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analytics.forecast.standpoints import Standpoints
    from analytics.forecast.track import Asks, Track

    Floats = NDArray[np.float64]

DAYS: Final = 14
"""Days that tell what is usual."""
HALF_DAYS: Final = 7.0
"""Of them a day weighs half as much for every so many since."""
MOST: Final = 2.0
"""Strain beyond this says nothing more."""
MOST_LOAD: Final = 4.0
"""Today's load is at most so many times the usual, or so small a part of it."""
BESIDE: Final = 0.1
"""Strain that is added to both before today's is divided by the usual: of next to nothing a ratio says nothing."""
QUARTER_NS: Final = 15 * MINUTE_NS
"""Today's load is that of so much before the ask."""
NEAR_NS: Final = 6 * HOUR_NS
"""By so much lead the weight of today's load has halved."""


def coming(track: Track, asks: Asks) -> dict[str, Floats]:
    """Figures by name, (M,) each: the usual strain of the asked hours and its peak; strain now over its usual at this hour, while it is near."""
    seen = standpoints(asks)
    today, usual_now = (figure[seen.of] for figure in _now(track, seen))
    first = (asks.start_ns - track.start_ns) // track.slot_ns
    width = np.maximum(-(-(asks.end_ns - asks.start_ns) // track.slot_ns), 1)
    days = _mean(track, asks, first + width - 1, width)[:, 1:]
    usual_span = _recent(days)
    peak = np.nan_to_num(np.nanmax(np.where(np.isfinite(days), days, -1.0), axis=1), nan=0.0).clip(0.0)
    known = np.isfinite(today) & np.isfinite(usual_now) & np.isfinite(usual_span)
    load = np.clip(np.where(known, (today + BESIDE) / (usual_now + BESIDE), 1.0), 1.0 / MOST_LOAD, MOST_LOAD)
    span = np.where(np.isfinite(usual_span), usual_span, 0.0)
    # Today's load tells of the next hours only: what stays of it tomorrow is the line's habit, told elsewhere.
    near = 0.5 ** (np.maximum(asks.start_ns - asks.now_ns, 0) / NEAR_NS)
    return {
        "span_strain": span,
        "span_peak": np.minimum(peak, MOST),
        "load": np.log(load) * near,
        "load_over": np.log(np.maximum(load, 1.0)) * near,
    }


def _now(track: Track, seen: Standpoints) -> tuple[Floats, Floats]:
    """(U,) each: the strain of now, and what is usual at this time of the day."""
    newest = newest_told(track, seen.line, seen.now_ns)
    here = _mean(track, seen, newest, np.full(len(newest), slots_in(track, QUARTER_NS)))
    return _today(track, seen, newest, here[:, 0]), _recent(here[:, 1:])


def _today(track: Track, seen: Standpoints, newest: NDArray[np.int64], mean: Floats) -> Floats:
    """(U,) the strain of now: the `mean` of the last quarter of an hour, without what broke in it where the newest slot did not. A fault that is over is no load."""
    slots = look(track, seen.line, newest[:, None] - np.arange(slots_in(track, QUARTER_NS)), seen.now_ns)
    sound = slots.known & (slots.strain < 1.0) & (slots.broke <= BROKEN_SHARE)
    strain = np.where(sound, slots.strain, 0.0).sum(axis=1, dtype=np.float64)
    return np.where(sound[:, 0], strain / np.maximum(sound.sum(axis=1), 1), mean)


def _mean(track: Track, of: Asks | Standpoints, last: NDArray[np.int64], width: NDArray[np.int64]) -> Floats:
    """(M, `DAYS` + 1) mean strain of the `width` slots that end with `last`, that day and the days before; NaN for none."""
    ago = np.arange(DAYS + 1)
    out = np.full((len(last), DAYS + 1), np.nan)
    for rows in asks_at_once(len(last), len(ago) * int(width.max(initial=1))):
        within = np.arange(int(width[rows].max(initial=1)))
        slot = slots_ago(track, last[rows, None], ago)[:, :, None] - within
        flat = slot.reshape(len(slot), len(ago) * len(within))
        slots = look(track, of.line[rows], flat, of.now_ns[rows])
        known = slots.known.reshape(slot.shape) & (within < width[rows, None])[:, None, :]
        strain = span_sums(np.minimum(slots.strain, MOST).reshape(slot.shape) * known, np.float64)
        count = known.sum(axis=-1)
        out[rows] = np.where(count > 0, strain / np.maximum(count, 1), np.nan)
    return out


def _recent(days: Floats) -> Floats:
    """Mean of each row, newer days heavier; NaN where there is none."""
    weight = 0.5 ** (np.arange(1, days.shape[1] + 1) / HALF_DAYS) * np.isfinite(days)
    total = weight.sum(axis=1)
    return np.asarray(
        np.where(total > 0, (np.nan_to_num(days) * weight).sum(axis=1) / np.maximum(total, 1e-9), np.nan)
    )
