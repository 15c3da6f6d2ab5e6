"""Why a meeting failed, in the lab's past: which fault spoiled it, since when, and from when on that could be foreseen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from lab.past_lines import line_states
from telemetry.windows import SLOT_NS, WINDOW_NS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from config.sites import Site
    from lab.agenda import Agenda
    from lab.past_breaking import Breaking
    from lab.past_faults import PastFault
    from lab.past_plan import PastPlan
    from lab.scope import Places

ALWAYS_NS: Final = np.iinfo(np.int64).min
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
    faults: list[PastFault],
    shares: list[float],
    start_ns: int,
    end_ns: int,
    recurring: Cause | None,
    weight: float,
) -> Cause:
    """The cause with the most broken windows in a meeting.

    Args:
        faults: those of the office that overlap the meeting.
        shares: how many of its windows each breaks, 0..1.
        start_ns: of the meeting.
        end_ns: of the meeting.
        recurring: what the hour does by itself; None when nothing.
        weight: share of the meeting's windows that it breaks.
    """
    best, most = recurring, weight * (end_ns - start_ns)
    for fault, share in zip(faults, shares, strict=True):
        spoilt = share * (min(fault.end_ns, end_ns) - max(fault.start_ns, start_ns))
        if best is None or spoilt > most:
            best, most = _cause(fault), spoilt
    assert best is not None, "a meeting failed, and nothing was the matter"
    return best


def _cause(fault: PastFault) -> Cause:
    known = [each for each in (fault.announced_ns, fault.foretold_ns) if each is not None]
    return Cause(fault.name, fault.start_ns, min([fault.start_ns, *known]))


def recurring_of(  # noqa: PLR0913, PLR0917 - the line and the meeting
    plan: PastPlan, places: Places, agenda: Agenda, breaking: Breaking, site: Site, start_ns: int, end_ns: int
) -> tuple[Cause | None, float]:
    """What the script's hours and the evening do to a meeting, and the share of its windows that they break."""
    slots: NDArray[np.int64] = (
        np.arange(start_ns - 6 * 3600 * 10**9, end_ns, SLOT_NS) + SLOT_NS // 2 - WINDOW_NS // 2
    )
    congestion_ms = plan.congestion.jitter_ms(site.id, slots)
    states = line_states(site, places, plan.lines, agenda.acts(slots), (), slots, congestion_ms)
    odds = breaking.odds(states.jitter_ms, states.loss_ratio, states.burst_ms)[0]
    inside = odds[slots >= start_ns]
    if inside.max() < 0.01:
        return None, 0.0
    bad = np.flatnonzero(odds > 0.05)
    onset = slots[bad[0]] if len(bad) else start_ns
    return Cause(RECURRING, int(onset), int(ALWAYS_NS)), float(inside.mean())
