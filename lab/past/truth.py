"""Why a meeting failed, in the lab's past: which fault spoiled it, since when, and from when on that could be foreseen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lab.past.faults import PastFault

ALWAYS_NS: Final = int(np.iinfo(np.int64).min)
RECURRING: Final = "recurring"
"""The script's weak hours, and evening congestion."""


@dataclass(frozen=True, slots=True)
class Cause:
    """What spoiled one meeting most."""

    name: str
    onset_ns: int
    """When it began to act."""
    known_ns: int
    """From when on it could be foreseen: its announcement, the strain or the flapping that led to it, its own beginning;
    `ALWAYS_NS` for what recurs."""


def cause_of(
    faults: Sequence[tuple[PastFault, float]],
    meeting_ns: tuple[int, int],
    recurring: tuple[Cause | None, float],
) -> Cause:
    """The cause with the most broken windows in a meeting that failed.

    Args:
        faults: those of the office that overlap the meeting, each with the share of windows that it breaks while it acts.
        meeting_ns: from when to when.
        recurring: what the hour does by itself, and the share of the meeting's windows that it broke.
    """
    start_ns, end_ns = meeting_ns
    best, most = recurring[0], recurring[1] * (end_ns - start_ns)
    for fault, share in faults:
        spoilt = share * (min(fault.end_ns, end_ns) - max(fault.start_ns, start_ns))
        if best is None or spoilt > most:
            best, most = _cause(fault), spoilt
    assert best is not None, "a meeting failed, and nothing was the matter"
    return best


def _cause(fault: PastFault) -> Cause:
    known = [each for each in (fault.announced_ns, fault.foretold_ns) if each is not None]
    return Cause(fault.name, fault.start_ns, min([fault.start_ns, *known]))
