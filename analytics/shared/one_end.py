"""A fault of headquarters of which one end is left: it has the name of that end again.

Both ends were ill for a while, so the fault was named after headquarters as a whole. A fault takes the greater name at once, and gives it back once the other
ends have been well for as long as any fault has to be before it is over. Each time that it has done so it waits twice as long, lest the name come and go
with an end that does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analytics.shared.membership import lines_of
from analytics.shared.onsets import AGE_NS
from telemetry.decisions import FactorKind
from telemetry.windows import SECOND_NS

if TYPE_CHECKING:
    from analytics.shared.find import Found
    from analytics.shared.membership import Look
    from analytics.shared.opened import Open
    from telemetry.decisions import Factor

WELL_NS: Final = 60 * SECOND_NS
"""So long the other ends have been well before the fault is that of one end: as long as a fault is calm before it is over."""
_HALF: Final = 0.5


def is_end_of(part: Factor, whole: Factor) -> bool:
    """Whether one is an end, and the other headquarters with all its ends."""
    return part.kind is FactorKind.END and whole.kind is FactorKind.HEADQUARTERS


def alone_since(one: Open, each: Found, seen: Look, now_ns: int) -> int | None:
    """Since when (ns) of headquarters' fault only that end is left which is found of it; None while most of its offices suffer at another, too."""
    if not is_end_of(each.factor, one.factor):
        return None
    sighting = seen.sighting
    elsewhere = sighting.known & sighting.troubled & ~lines_of(each.factor, seen)
    if (elsewhere.any(axis=1) & one.ever).sum() >= _HALF * one.ever.sum():
        return None
    return now_ns if one.alone_ns is None else one.alone_ns


def goes_back(one: Open, alone_ns: int | None, now_ns: int) -> bool:
    """Whether the end has been alone for long enough (`alone_since`, ns) to give the fault its name."""
    return alone_ns is not None and now_ns - alone_ns >= min(WELL_NS << one.went_back, AGE_NS)
