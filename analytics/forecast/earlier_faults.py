"""What became of a line's earlier faults that had lasted as long as the one of now: a meeting as far ahead as this held, or it did not.

How long faults last (`persistence`) is a law of many lines. A line that is broken from ten to twelve every day, or whose
faults are never there an hour later, says so itself: each earlier fault that reached the age of this one, to a slot, and was
as bad then (this one's strain is at most `USUAL_TIMES` of it), is one case. Of a fault that is worse nothing is known.
A case is told by the slots that lie as long after its beginning as the meeting's after this one's, by the rule of a meeting,
once all of the line up to their end had arrived; what had not changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from analytics.climatology import BROKEN_SHARE
from analytics.condition import SUSPECT
from analytics.flags import USUAL_TIMES
from analytics.forecast.seen import asks_at_once, dark_by, look
from telemetry.windows import DAY_NS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analytics.forecast.seen import Slots
    from analytics.forecast.track import Asks, Track

BACK_NS: Final = DAY_NS
"""A fault is followed back so far."""
RECALLED_NS: Final = 28 * DAY_NS
"""Faults that began earlier say nothing any more."""
ROUNDING: Final = 1e-6
"""Of sums of slots: just 5 % broken is held."""


class EarlierFaults(NamedTuple):
    """Of M asks, (M,) each: earlier faults of the line that reached the age of the one of now, and those after which the meeting would have failed."""

    reached: NDArray[np.int64]
    stayed: NDArray[np.int64]


def earlier_faults(track: Track, asks: Asks, newest: NDArray[np.int64]) -> EarlierFaults:
    """The cases of each ask; none of a line that is not broken in its `newest` slot (M,)."""
    reached, stayed = np.zeros((2, len(asks.line)), dtype=np.int64)
    age = _age(track, asks, newest)
    broken = np.flatnonzero(age)
    for line in np.unique(asks.line[broken]).tolist():
        which = broken[asks.line[broken] == line]
        past = _past(track, line, _recalled(track, newest[which]))
        for some in asks_at_once(len(which), len(past.run)):
            rows = which[some]
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
    """Of one line that is broken now, T slots from the track's `first` on; the sums are over the slots before, (T + 1,).

    Attributes:
        first: number of the slot in the track.
        run: (T,) for how many slots it had been broken.
        strain: (T,) the worst figure over its limit; infinite where nothing came through.
        known_ns: (T,) when all of the line up to there had arrived.
        broke: broken slots' worth, dark ones whole.
        told: slots that were measured, or dark without works that explain it.
    """

    first: int
    run: NDArray[np.int64]
    strain: NDArray[np.float64]
    known_ns: NDArray[np.int64]
    broke: NDArray[np.float64]
    told: NDArray[np.int64]


def _recalled(track: Track, newest: NDArray[np.int64]) -> slice:
    """The slots that any case of these asks may lie in, with the way back to its beginning."""
    first = int(newest.min()) - (RECALLED_NS + BACK_NS) // track.slot_ns
    return slice(max(first, 0), min(int(newest.max()) + 1, track.broke.shape[1]))


def _past(track: Track, line: int, span: slice) -> _Past:
    share = track.broke[line, span].astype(np.float64)
    at = np.arange(len(share))
    there = np.isfinite(share)
    sound = ~(there & (share >= SUSPECT))
    dark = dark_by(track, span=span, lines=np.array([line]))[0] & ~there & ~track.planned[line, span]
    strain = track.strain[line, span].astype(np.float64)
    ends_ns = track.start_ns + (span.start + at + 1) * track.slot_ns
    return _Past(
        first=span.start,
        run=at - np.maximum.accumulate(np.where(sound, at, -1)),
        strain=np.where(np.isfinite(strain), strain, np.inf),
        known_ns=np.maximum.accumulate(np.maximum(track.arrived_ns[line, span], ends_ns)),
        broke=np.concatenate([[0.0], np.cumsum(np.where(there, share, dark))]),
        told=np.concatenate([[0], np.cumsum(there | dark)]),
    )


def _cases(
    track: Track, past: _Past, asks: Asks, newest: NDArray[np.int64], age: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(M,) each, of asks of the line: how many cases, and how many of them failed; slots are numbered from `past.first` on."""
    newest = newest - past.first
    ahead = (asks.start_ns - track.start_ns) // track.slot_ns - past.first - newest
    width = np.maximum(-(-(asks.end_ns - asks.start_ns) // track.slot_ns), 1)
    enough = np.maximum(age - 1, 1)  # the newest slot may still run
    broken = np.flatnonzero(past.run)
    ask, at = np.nonzero(past.run[broken] == enough[:, None])
    slot = broken[at]
    as_bad = past.strain[newest[ask]] <= USUAL_TIMES * past.strain[slot]
    first = slot + (age - enough + ahead)[ask]
    end = first + width[ask]
    use = as_bad & (slot > newest[ask] - RECALLED_NS // track.slot_ns) & (end <= len(past.run))
    ask, first, end = ask[use], first[use], end[use]
    told = past.told[end] - past.told[first]
    failed = past.broke[end] - past.broke[first] > BROKEN_SHARE * told + ROUNDING
    known = (past.known_ns[end - 1] <= asks.now_ns[ask]) & (told * 2 >= end - first)
    return np.bincount(ask[known], minlength=len(age)), np.bincount(ask[known & failed], minlength=len(age))
