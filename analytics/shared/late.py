"""Who falls ill when a fault has lasted for more than half an hour: one more of it, or an office with trouble of its own.

By then the moment says nothing any more, so the evidence is how it looks: a fault shows in the same way wherever it hits
(`sighting.WAYS`). While most of all the offices that depend on a factor suffer in one way, one more that does is of it: an office fails of
itself one time in thirty in half an hour, and in one way of several. Who looks different is none of it, unless others fell ill
with it. One window is too little to say how it looks: the first of an outage has lost a part of its packets.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from analytics.shared.onsets import AGE_NS, TOGETHER_NS
from analytics.shared.sighting import DOWN_WAYS, WAYS
from telemetry.line_slots import NEVER
from telemetry.windows import WINDOW_NS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analytics.shared.sighting import Sighting

_HALF: Final = 0.5


def shown_by_most(
    lines: NDArray[np.bool_], suffers: NDArray[np.bool_], sighting: Sighting
) -> NDArray[np.bool_]:
    """(S, P): what is ill in a way in which most of the offices that have such `lines`, (S, P), suffer; `suffers` (S,): those of the fault."""
    return _shown(lines, suffers, int(lines.any(axis=1).sum()), sighting)


@dataclass(frozen=True, slots=True)
class Latecomers:
    """Of those hit who fell ill after the fault's half hour, (S,) each; nobody is both.

    Attributes:
        strangers: fell ill alone and otherwise: none of it.
        undecided: one window is known of them, where the fault has cut most off: no more of it may come. They are of the
            fault until more is known: whoever is cut off is heard of no more.
    """

    strangers: NDArray[np.bool_]
    undecided: NDArray[np.bool_]


def latecomers(
    lines: NDArray[np.bool_], hit: NDArray[np.bool_], since_ns: int, sighting: Sighting
) -> Latecomers:
    """Of the offices that a fault since `since_ns` seems to have `hit`, (S,), on its `lines`, (S, P)."""
    first_ns = _first_ns(lines, sighting)
    late = _is_late(first_ns, hit, since_ns)
    if not late.any():
        return Latecomers(late, late)
    early = hit & ~late
    undecided = late & _undecided(lines, early, sighting)
    alone = (np.abs(first_ns[:, None] - first_ns[hit][None]) <= TOGETHER_NS).sum(axis=1) <= 1
    return Latecomers(late & alone & _looks_otherwise(lines, early, sighting) & ~undecided, undecided)


def _looks_otherwise(
    lines: NDArray[np.bool_], early: NDArray[np.bool_], sighting: Sighting
) -> NDArray[np.bool_]:
    """(S,): whose lines show nothing that most of the `early`, (S,), show; nobody where nobody has looked."""
    if sighting.ways is None:
        return np.zeros_like(early)
    return np.asarray(~(lines & _shown(lines, early, int(early.sum()), sighting)).any(axis=1))


def _undecided(lines: NDArray[np.bool_], early: NDArray[np.bool_], sighting: Sighting) -> NDArray[np.bool_]:
    """(S,): of whom no more than one window is known, where most of the `early`, (S,), are cut off; else nobody."""
    if sighting.ill_until_ns is None:
        return np.zeros_like(early)
    down = np.logical_or.reduce([sighting.shows(way) for way in DOWN_WAYS])
    cut = (lines & down).any(axis=1) & early
    if cut.sum() <= _HALF * early.sum():
        return np.zeros_like(early)
    long = sighting.ill_until_ns - sighting.since_ns > WINDOW_NS
    return np.asarray(~(lines & sighting.troubled & long).any(axis=1))


def _is_late(first_ns: NDArray[np.int64], hit: NDArray[np.bool_], since_ns: int) -> NDArray[np.bool_]:
    """(S,): hit after the fault's half hour."""
    ill = first_ns < NEVER
    return np.asarray(hit & ill & (first_ns > since_ns + AGE_NS))


def _first_ns(lines: NDArray[np.bool_], sighting: Sighting) -> NDArray[np.int64]:
    """(S,): when the first of an office's `lines`, (S, P), fell ill."""
    ill = lines & sighting.troubled
    return np.asarray(np.where(ill, sighting.since_ns, NEVER).min(axis=1, initial=NEVER))


def _shown(
    lines: NDArray[np.bool_], offices: NDArray[np.bool_], count: int, sighting: Sighting
) -> NDArray[np.bool_]:
    """(S, P): what is ill in a way that so many of the `offices`, (S,), show that they are most of `count`."""
    out = np.zeros_like(lines)
    if sighting.ill_until_ns is None:
        return out
    long = sighting.ill_until_ns - sighting.since_ns > WINDOW_NS
    for way in range(WAYS):
        shown = lines & long & sighting.shows(way)
        if (shown.any(axis=1) & offices).sum() > _HALF * count:
            out |= shown
    return out
