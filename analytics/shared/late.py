"""Who falls ill when a fault has lasted for more than half an hour: one more of it, or an office with trouble of its own.

By then the moment says nothing any more, so the evidence is how it looks: a fault shows in the same way wherever it hits
(`sighting.WAYS`). While most of all the offices that depend on a factor suffer in one way, one more that does is of it: an office fails of
itself one time in thirty in half an hour, and in one way of several. Who looks different is none of it, unless others fell ill
with it. One window is too little to say how it looks: the first of an outage has lost a part of its packets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analytics.shared.onsets import AGE_NS, TOGETHER_NS
from analytics.shared.sighting import DOWN_WAYS, WAYS
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


def strangers(
    lines: NDArray[np.bool_], hit: NDArray[np.bool_], since_ns: int, sighting: Sighting
) -> NDArray[np.bool_]:
    """(S,): of the offices that a fault since `since_ns` seems to have `hit`, (S,), on its `lines`, (S, P), those that fell ill later, alone and otherwise."""
    first_ns = _first_ns(lines, sighting)
    late = _is_late(first_ns, hit, since_ns)
    if sighting.ways is None or not late.any():
        return np.zeros_like(hit)
    with_it = np.abs(first_ns[:, None] - first_ns[hit][None]) <= TOGETHER_NS
    alike = _shown(lines, hit & ~late, int((hit & ~late).sum()), sighting)
    other = (with_it.sum(axis=1) <= 1) & ~(lines & alike).any(axis=1)
    return np.asarray(late & other & ~undecided(lines, hit, since_ns, sighting))


def undecided(
    lines: NDArray[np.bool_], hit: NDArray[np.bool_], since_ns: int, sighting: Sighting
) -> NDArray[np.bool_]:
    """(S,): of those `hit`, (S,), who fell ill later and of whom one window is known, where the fault has cut most off: no more of it may come.

    They are of the fault until more is known: whoever is cut off is heard of no more.
    """
    late = _is_late(_first_ns(lines, sighting), hit, since_ns)
    if sighting.ill_until_ns is None or not late.any():
        return np.zeros_like(hit)
    down = np.logical_or.reduce([sighting.shows(way) for way in DOWN_WAYS])
    cut = (lines & down).any(axis=1) & hit & ~late
    if cut.sum() <= _HALF * (hit & ~late).sum():
        return np.zeros_like(hit)
    long = sighting.ill_until_ns - sighting.since_ns > WINDOW_NS
    return np.asarray(late & ~(lines & sighting.troubled & long).any(axis=1))


def _is_late(first_ns: NDArray[np.int64], hit: NDArray[np.bool_], since_ns: int) -> NDArray[np.bool_]:
    """(S,): hit after the fault's half hour."""
    ill = first_ns < np.iinfo(np.int64).max
    return np.asarray(hit & ill & (first_ns > since_ns + AGE_NS))


def _first_ns(lines: NDArray[np.bool_], sighting: Sighting) -> NDArray[np.int64]:
    """(S,): when the first of an office's `lines`, (S, P), fell ill."""
    never = np.iinfo(np.int64).max
    ill = lines & sighting.troubled
    return np.asarray(np.where(ill, sighting.since_ns, never).min(axis=1, initial=never))


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
