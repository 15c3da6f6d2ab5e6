"""Figures of what is announced: works or a holiday at the asked time, and what the line did on earlier announced days.

What is announced beforehand may be read ahead. Which offices close on a holiday is their habit, and shows in the announced
days before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analytics.climatology import BROKEN_SHARE
from analytics.forecast.seen import closed_ns, look, newest_slot
from telemetry.line_slots import NEVER
from telemetry.windows import HOUR_NS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analytics.forecast.track import Asks, Track

    Floats = NDArray[np.float64]

LONG_NS: Final = 12 * HOUR_NS
"""An announcement that lasts longer is no works on a line: the office is closed."""
USUALLY: Final = 0.3
"""The share of announced days on which an office closes, before any of its own is known."""
WEIGHT_SLOTS: Final = 24.0
"""Slots' worth of it beside those of the line's own announced days."""
LEAST_SURE: Final = 0.02
"""Announced days of which all were alike may still be followed by one that is not: log-odds are of no share nearer to 0 or 1."""
UP_SLOTS: Final = 3
"""A line of which one of so many slots was sound just now is up."""


def announced(track: Track, asks: Asks) -> dict[str, Floats]:
    """Figures by name, (M,) each, from what was announced and what had arrived by each `now_ns`.

    How much of the asked span is announced; whether the announced stretch is a day's; what the line did in earlier days of the
    kind; and whether it is up in this one, where it has begun.
    """
    slots = track.planned.shape[1]
    slot = (asks.start_ns - track.start_ns) // track.slot_ns
    inside, first = (slot >= 0) & (slot < slots), np.clip(slot, 0, slots - 1)
    planned = (inside & track.planned[asks.line, first]).astype(np.float64)
    rows = np.flatnonzero(planned > 0)
    lines, of_row = np.unique(asks.line[rows], return_inverse=True)
    days = np.zeros((len(lines), slots), dtype=bool)
    for index, line in enumerate(lines):  # only of lines that are asked of such a time: hardly ever any
        days[index] = _stretch(track.planned[line]) * track.slot_ns >= LONG_NS
    long = np.zeros(len(planned))
    long[rows] = days[of_row, first[rows]]
    now = np.clip(newest_slot(track, asks.now_ns), 0, slots - 1)
    begun = track.planned[asks.line, now]
    up = look(track, asks.line, now[:, None] - np.arange(UP_SLOTS), asks.now_ns)
    fine = (up.known & (up.broke <= BROKEN_SHARE)).any(axis=1)
    return {
        "planned": _share(track, asks),
        "planned_long": long,
        "planned_record": _record(track, asks, long > 0, (lines, days)),
        "planned_up": planned * begun * fine,
        "planned_down": planned * begun * ~fine,
    }


def _share(track: Track, asks: Asks) -> Floats:
    """(M,) share of the asked span that is announced."""
    slots = track.planned.shape[1]
    first = np.clip((asks.start_ns - track.start_ns) // track.slot_ns, 0, slots)
    last = np.clip(-(-(asks.end_ns - track.start_ns) // track.slot_ns), 0, slots)
    low, high = int(first.min(initial=slots)), int(last.max(initial=0))
    sums = np.zeros((len(track.planned), max(high - low, 0) + 1), dtype=np.int64)
    np.cumsum(track.planned[:, low:high], axis=1, out=sums[:, 1:])
    first, last = first - low, np.maximum(last, first) - low
    return np.asarray((sums[asks.line, last] - sums[asks.line, first]) / np.maximum(last - first, 1))


def _record(
    track: Track,
    asks: Asks,
    asked: NDArray[np.bool_],
    long: tuple[NDArray[np.int64], NDArray[np.bool_]],
) -> Floats:
    """(M,) log-odds of failing in the announced days known before, shrunk to a share of `USUALLY`; 0 where not `asked`.

    `long`: lines (U,), and (U, T) which of their slots lie in announced days.
    """
    out = np.zeros(len(asks.line))
    for line, days in zip(*long, strict=True):
        known_ns, failing, counting = _told(track, int(line), np.flatnonzero(days))
        rows = np.flatnonzero(asked & (asks.line == line))
        told = np.searchsorted(known_ns, asks.now_ns[rows], side="right")
        failed, total = (np.concatenate([[0], np.cumsum(each)])[told] for each in (failing, counting))
        share = (failed + USUALLY * WEIGHT_SLOTS) / (total + WEIGHT_SLOTS)
        share = np.clip(share, LEAST_SURE, 1.0 - LEAST_SURE)
        out[rows] = np.log(share / (1.0 - share))
    return out


def _told(
    track: Track, line: int, slot: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """What is told of a line's slots, in order: when, how many more of them failed, how many more are counted.

    Each is counted at its closing, as failed where nothing of its office was there though it was awaited; from when the office
    is heard as one that did not fail; and from when its own figures come as what they say.
    """
    closes_ns, came_ns = closed_ns(track)[slot], track.arrived_ns[line, slot]
    heard_ns = track.silent_until_ns[line, slot]
    silent = heard_ns > closes_ns
    back = silent & (heard_ns < NEVER)
    broke = np.nan_to_num(track.broke[line, slot]) > BROKEN_SHARE
    nothing = np.zeros(len(slot), dtype=np.int64)
    times = np.concatenate([np.minimum(came_ns, closes_ns), heard_ns[back], came_ns])
    failing = np.concatenate([silent + nothing, nothing[back] - 1, broke + nothing])
    counting = np.concatenate([nothing + 1, nothing[back], nothing])
    order = np.argsort(times, kind="stable")
    return times[order], failing[order], counting[order]


def _stretch(planned: NDArray[np.bool_]) -> NDArray[np.int64]:
    """(T,) length of the announced stretch that each slot lies in, slots; 0 outside."""
    out = np.zeros(planned.shape, dtype=np.int64)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], planned.astype(np.int8), [0]])))
    for begin, end in edges.reshape(-1, 2):
        out[begin:end] = end - begin
    return out
