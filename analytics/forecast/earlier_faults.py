"""What became of a line's earlier faults that had lasted as long as the one of now: a meeting as far ahead as this held, or it did not.

How long faults last (`persistence`) is a law of many lines. A line that is broken from ten to twelve every day, or whose
faults are never there an hour later, says so itself: each earlier fault that reached the age of this one, to a slot, and was
as bad then (this one's strain is at most `USUAL_TIMES` of it), is one case. Of a fault that is worse nothing is known.
A case is told by the slots that lie as long after its beginning as the meeting's after this one's, by the rule of a meeting,
as they were known when it was asked: what had not arrived changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from analytics.condition import SUSPECT
from analytics.flags import USUAL_TIMES
from analytics.forecast.held import has_failed
from analytics.forecast.seen import asks_at_once, look
from analytics.runs import runs
from telemetry.windows import DAY_NS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analytics.forecast.seen import Slots
    from analytics.forecast.track import Asks, Track

BACK_NS: Final = DAY_NS
"""A fault is followed back so far."""
RECALLED_NS: Final = 28 * DAY_NS
"""Faults that began earlier say nothing any more."""


class EarlierFaults(NamedTuple):
    """Of M asks, (M,) each: earlier faults of the line that reached the age of the one of now, and those after which the meeting would have failed."""

    reached: NDArray[np.int64]
    stayed: NDArray[np.int64]


def earlier_faults(track: Track, asks: Asks, newest: NDArray[np.int64]) -> EarlierFaults:
    """The cases of each ask; none of a line that is not broken in its `newest` slot (M,)."""
    reached, stayed = np.zeros((2, len(asks.line)), dtype=np.int64)
    age = _age(track, asks, newest)
    broken = np.flatnonzero(age)
    for some in asks_at_once(len(broken), len(_back(track))):
        rows = broken[some]
        past = _past(track, asks.rows(rows), newest[rows])
        reached[rows], stayed[rows] = _cases(track, past, asks.rows(rows), newest[rows], age[rows])
    return EarlierFaults(reached, stayed)


def run_of(said: NDArray[np.bool_]) -> NDArray[np.int64]:
    """(M,): for how many slots in a row, of (M, W) from the newest back, it has been so."""
    return np.asarray(np.where(said.all(axis=1), said.shape[1], (~said).argmax(axis=1)), dtype=np.int64)


def broken_in(slots: Slots) -> NDArray[np.bool_]:
    """(M, W): half of the slot broke or more."""
    return np.asarray(slots.known & (slots.broke >= SUSPECT))


def _age(track: Track, asks: Asks, newest: NDArray[np.int64]) -> NDArray[np.int64]:
    """(M,) slots for which the line has been broken, as far as had arrived; 0 where it is not."""
    age = np.zeros(len(newest), dtype=np.int64)
    now = np.flatnonzero(broken_in(look(track, asks.line, newest[:, None], asks.now_ns))[:, 0])
    back = np.arange(BACK_NS // track.slot_ns)
    for some in asks_at_once(len(now), len(back)):
        which = now[some]
        slot = newest[which, None] - back
        age[which] = run_of(broken_in(look(track, asks.line[which], slot, asks.now_ns[which])))
    return age


@dataclass(frozen=True, slots=True)
class _Past:
    """Of M asks the W slots up to the newest, oldest first, as they were known when it was asked; the sums are over the slots before, (M, W + 1).

    Attributes:
        run: (M, W) for how many slots the line had been broken.
        strain: (M, W) the worst figure over its limit; infinite where nothing came through.
        broke: broken slots' worth, dark ones whole.
        told: slots that were measured, or dark without works that explain it.
    """

    run: NDArray[np.int64]
    strain: NDArray[np.float32]
    broke: NDArray[np.float64]
    told: NDArray[np.int64]


def _back(track: Track) -> NDArray[np.int64]:
    """(W,) slots back in which any case may lie, with the way back to its beginning; oldest first."""
    return np.arange((RECALLED_NS + BACK_NS) // track.slot_ns, -1, -1)


def _past(track: Track, asks: Asks, newest: NDArray[np.int64]) -> _Past:
    slot = newest[:, None] - _back(track)
    slots = look(track, asks.line, slot, asks.now_ns)
    there = np.clip(slot, 0, track.broke.shape[1] - 1)
    dark = slots.dark & ~track.planned[asks.line[:, None], there]
    strain = track.strain[asks.line[:, None], there]
    return _Past(
        run=runs(broken_in(slots)),
        strain=np.where(slots.known & np.isfinite(strain), strain, np.float32(np.inf)),
        broke=_sums(np.where(dark, 1.0, slots.broke)),
        told=_sums(slots.known | dark).astype(np.int64),
    )


def _sums(values: NDArray[np.floating] | NDArray[np.bool_]) -> NDArray[np.float64]:
    """(M, W + 1) sums of the values (M, W) before each."""
    out = np.zeros((values.shape[0], values.shape[1] + 1))
    np.cumsum(values, axis=1, out=out[:, 1:])
    return out


def _cases(
    track: Track, past: _Past, asks: Asks, newest: NDArray[np.int64], age: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(M,) each: how many cases, and how many of them failed."""
    slots = past.run.shape[1]
    ahead = (asks.start_ns - track.start_ns) // track.slot_ns - newest
    width = np.maximum(-(-(asks.end_ns - asks.start_ns) // track.slot_ns), 1)
    enough = np.maximum(age - 1, 1)  # the newest slot may still run
    ask, slot = np.nonzero(past.run == enough[:, None])
    as_bad = past.strain[ask, -1] <= USUAL_TIMES * past.strain[ask, slot]
    first = slot + (age - enough + ahead)[ask]
    end = first + width[ask]
    recalled = slot >= slots - RECALLED_NS // track.slot_ns
    use = as_bad & recalled & (first >= 0) & (end <= slots)
    ask, first, end = ask[use], first[use], end[use]
    told = past.told[ask, end] - past.told[ask, first]
    failed = has_failed(past.broke[ask, end] - past.broke[ask, first], told)
    known = told * 2 >= end - first
    return np.bincount(ask[known], minlength=len(age)), np.bincount(ask[known & failed], minlength=len(age))
