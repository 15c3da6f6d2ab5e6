"""Since when a fault of headquarters has been one of each of its ends: it may have begun at one and have grown to all.

An incident has one beginning. An office whose meeting is at the other end did not suffer then, and is told when that end began to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analytics.shared.membership import lines_of
from analytics.shared.onsets import EARLIER_NS, TOGETHER_NS
from telemetry.decisions import EndBegan, FactorKind
from telemetry.line_slots import NEVER

if TYPE_CHECKING:
    from analytics.shared.membership import Look
    from analytics.shared.opened import Open
    from telemetry.decisions import Factor

_HALF: Final = 0.5


def ends_of(one: Open, seen: Look) -> tuple[EndBegan, ...]:
    """The ends at which an open fault has been seen so far, with their beginnings; none of a fault that is not at headquarters.

    An end's beginning is noted at the first look at which half of the fault's offices suffer there, and stays: flags begin anew when a line has paused.
    """
    if one.factor.kind is FactorKind.END:
        return (EndBegan(end=one.factor.name, since_ns=one.since_ns),)
    if one.factor.kind is not FactorKind.HEADQUARTERS:
        return ()
    noted = {each.end for each in one.ends}
    ends = (name for name in seen.candidates.names if name.kind is FactorKind.END and name.name not in noted)
    found = ((end.name, _began_ns(one, end, seen)) for end in ends)
    new = (EndBegan(end=end, since_ns=since_ns) for end, since_ns in found if since_ns is not None)
    return (*one.ends, *new)


def _began_ns(one: Open, end: Factor, seen: Look) -> int | None:
    """When most of those who suffer at an end began to; the fault's own beginning when that is as good as one moment, None when few do.

    Few may have had trouble of their own there earlier: it is dated by those that fell ill together with the middle one.
    """
    sighting = seen.sighting
    lines = lines_of(end, seen) & sighting.known & ~sighting.silent & one.now[:, None]
    fell_ill = sighting.troubled & (sighting.since_ns >= one.since_ns - EARLIER_NS)
    first_ns = np.where(lines & fell_ill, sighting.since_ns, NEVER).min(axis=1, initial=NEVER)
    ill_ns = np.sort(first_ns[first_ns < NEVER])
    if not len(ill_ns) or len(ill_ns) < _HALF * lines.any(axis=1).sum():
        return None
    middle_ns = ill_ns[(len(ill_ns) - 1) // 2]
    began_ns = int(ill_ns[ill_ns >= middle_ns - TOGETHER_NS][0])
    return began_ns if began_ns - one.since_ns > TOGETHER_NS else one.since_ns
