"""Figures of what is coming: usual strain carried over, trouble a little everywhere, earlier holidays.

A line that is strained at the asked hours every evening is likely to be so again, by as much more or less as it is strained
today. Which offices close on a holiday is their habit, and shows in the announced days before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analytics.forecast.seen import look, newest_slot
from telemetry.windows import DAY_NS, HOUR_NS, SECOND_NS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analytics.forecast.track import Asks, Track

    Floats = NDArray[np.float64]

_MINUTE_NS: Final = 60 * SECOND_NS
DAYS: Final = 14
CHUNK: Final = 4096
TOUCHED: Final = 0.05
"""A slot that broke for more than this share spoils a call as surely as one that broke throughout: the outcome's own bound."""
MOST: Final = 2.0
"""Strain beyond this says nothing more."""
MOST_LOAD: Final = 4.0
USUAL: Final = 0.1
NEAR_NS: Final = 6 * HOUR_NS
"""By so much lead the weight of today's load has halved."""
LONG_NS: Final = 12 * HOUR_NS
"""An announcement that lasts longer is no works on a line: the office is closed."""
USUALLY: Final = 0.3
WEIGHT_SLOTS: Final = 24.0
"""Of the usual share, against the slots of this line's own announced days."""


def coming(track: Track, asks: Asks) -> dict[str, Floats]:
    """Figures by name, (M,) each, from what had arrived by each `now_ns` and what was announced."""
    return _strain(track, asks) | _touched(track, asks) | _announced(track, asks)


def _back(track: Track, span_ns: int) -> int:
    return max(int(-(-span_ns // track.slot_ns)), 1)


def _strain(track: Track, asks: Asks) -> dict[str, Floats]:
    """Strain now, its usual at this hour, and its usual at the asked hours: today's is carried over in proportion."""
    now = newest_slot(track, asks.now_ns)
    quarter = np.full(len(now), _back(track, 15 * _MINUTE_NS))
    here = _mean(track, asks, now, quarter, DAYS)
    today, usual_now = here[:, 0], _recent(here[:, 1:])
    first = (asks.start_ns - track.start_ns) // track.slot_ns
    width = np.maximum(-(-(asks.end_ns - asks.start_ns) // track.slot_ns), 1)
    days = _mean(track, asks, first + width - 1, width, DAYS)[:, 1:]
    usual_span = _recent(days)
    peak = np.nan_to_num(np.nanmax(np.where(np.isfinite(days), days, -1.0), axis=1), nan=0.0).clip(0.0)
    known = np.isfinite(today) & np.isfinite(usual_now) & np.isfinite(usual_span)
    load = np.clip(np.where(known, (today + USUAL) / (usual_now + USUAL), 1.0), 1.0 / MOST_LOAD, MOST_LOAD)
    span = np.where(np.isfinite(usual_span), usual_span, 0.0)
    carried = np.minimum(span * load, MOST)
    # Today's load tells of the next hours only: what stays of it tomorrow is the line's habit, told elsewhere.
    near = 0.5 ** (np.maximum(asks.start_ns - asks.now_ns, 0) / NEAR_NS)
    return {
        "span_strain": span,
        "span_peak": np.minimum(peak, MOST),
        "carried_high": np.maximum(carried - 0.5, 0.0),
        "carried_over": np.maximum(carried - 0.85, 0.0),
        "load": np.log(load) * near,
        "load_over": np.log(np.maximum(load, 1.0)) * near,
    }


def _mean(track: Track, asks: Asks, last: NDArray[np.int64], width: NDArray[np.int64], days: int) -> Floats:
    """(M, days + 1) mean strain of the `width` slots that end with `last`, that day and the days before; NaN for none."""
    ago = np.arange(days + 1) * _back(track, DAY_NS)
    out = np.full((len(last), days + 1), np.nan)
    for rows in _chunks(len(last)):
        within = np.arange(int(width[rows].max()))
        slot = last[rows, None, None] - ago[None, :, None] - within
        slots = look(track, asks.line[rows], slot.reshape(len(slot), -1), asks.now_ns[rows])
        known = slots.known.reshape(slot.shape) & (within < width[rows, None])[:, None, :]
        strain = (np.minimum(slots.strain, MOST).reshape(slot.shape) * known).sum(axis=-1, dtype=np.float64)
        count = known.sum(axis=-1)
        out[rows] = np.where(count > 0, strain / np.maximum(count, 1), np.nan)
    return out


def _chunks(asks: int) -> list[slice]:
    return [slice(first, first + CHUNK) for first in range(0, asks, CHUNK)]


def _recent(days: Floats) -> Floats:
    """Mean of each row, newer days heavier; NaN where there is none."""
    weight = 0.5 ** (np.arange(1, days.shape[1] + 1) / 7.0) * np.isfinite(days)
    total = weight.sum(axis=1)
    return np.asarray(
        np.where(total > 0, (np.nan_to_num(days) * weight).sum(axis=1) / np.maximum(total, 1e-9), np.nan)
    )


def _touched(track: Track, asks: Asks) -> dict[str, Floats]:
    """Share of the last quarter's and hour's slots that broke at all."""
    hour, quarter = (_back(track, span) for span in (HOUR_NS, 15 * _MINUTE_NS))
    slots = look(track, asks.line, newest_slot(track, asks.now_ns)[:, None] - np.arange(hour), asks.now_ns)
    touched = slots.known & (slots.broke > TOUCHED)
    return {
        name: touched[:, :count].sum(axis=1) / np.maximum(slots.known[:, :count].sum(axis=1), 1)
        for name, count in (("touched_quarter", quarter), ("touched_hour", hour))
    }


def _announced(track: Track, asks: Asks) -> dict[str, Floats]:
    """Whether the announced stretch is a day's; what this line did in earlier ones; and whether it is up in this one."""
    slots = track.planned.shape[1]
    first = np.clip((asks.start_ns - track.start_ns) // track.slot_ns, 0, slots - 1)
    planned = track.planned[asks.line, first].astype(np.float64)
    rows = np.flatnonzero(planned > 0)
    lines, of_row = np.unique(asks.line[rows], return_inverse=True)
    days = np.zeros((len(lines), slots), dtype=bool)
    for index, line in enumerate(lines):  # only of lines that are asked of such a time: hardly ever any
        days[index] = _stretch(track.planned[line]) * track.slot_ns >= LONG_NS
    long = np.zeros(len(planned))
    long[rows] = days[of_row, first[rows]]
    now = np.clip(newest_slot(track, asks.now_ns), 0, slots - 1)
    begun = track.planned[asks.line, now]
    up = look(track, asks.line, now[:, None] - np.arange(3), asks.now_ns)
    fine = (up.known & (up.broke <= TOUCHED)).any(axis=1)
    return {
        "planned_long": long,
        "planned_record": _record(track, asks, long > 0, (lines, days)),
        "planned_up": planned * begun * fine,
        "planned_down": planned * begun * ~fine,
    }


def _record(
    track: Track,
    asks: Asks,
    asked: NDArray[np.bool_],
    announced: tuple[NDArray[np.int64], NDArray[np.bool_]],
) -> Floats:
    """(M,) log-odds of failing in the announced days known before, shrunk to a share of `USUALLY`; 0 where not `asked`.

    `announced`: lines (U,), and (U, T) which of their slots lie in announced days.
    """
    out = np.zeros(len(asks.line))
    for line, days in zip(*announced, strict=True):
        slot = np.flatnonzero(days)
        ends_ns = track.start_ns + (slot + 1) * track.slot_ns
        known_ns = np.maximum(track.arrived_ns[line, slot], ends_ns)
        failing = np.where(track.dark[line, slot], 1.0, np.nan_to_num(track.broke[line, slot])) > TOUCHED
        order = np.argsort(known_ns, kind="stable")
        failed = np.concatenate([[0.0], np.cumsum(failing[order])])
        rows = np.flatnonzero(asked & (asks.line == line))
        total = np.searchsorted(known_ns[order], asks.now_ns[rows], side="right")
        share = (failed[total] + USUALLY * WEIGHT_SLOTS) / (total + WEIGHT_SLOTS)
        share = np.clip(share, 0.02, 0.98)
        out[rows] = np.log(share / (1.0 - share))
    return out


def _stretch(planned: NDArray[np.bool_]) -> NDArray[np.int64]:
    """(T,) length of the announced stretch that each slot lies in, slots; 0 outside."""
    out = np.zeros(planned.shape, dtype=np.int64)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], planned.astype(np.int8), [0]])))
    for begin, end in edges.reshape(-1, 2):
        out[begin:end] = end - begin
    return out
