"""What is needed to draw the past of any office: the span, the script, the meetings, and the faults that befell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from lab.past.congestion import Congestion
from lab.past.faults import faults_between
from lab.past.lines import dark_windows
from lab.running.character import characters
from telemetry.windows import DAY_NS, SECOND_NS, WINDOW_NS, WINDOWS_PER_SLOT, slot_start

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from config.config import Config
    from lab.past.faults import PastFault
    from lab.running.character import Character
    from lab.running.scope import Places
    from lab.running.script import Script

RAW_NS: Final = 2 * DAY_NS
"""Windows are kept for so long; before that there are only roll-ups."""
CLOSED_AFTER_NS: Final = 60 * SECOND_NS
"""The past ends with the last slot that is over for so long."""


@dataclass(frozen=True, slots=True)
class Busy:
    """A span in which an office is probed at the meeting rate."""

    start_ns: int
    end_ns: int


@dataclass(frozen=True, slots=True)
class PastPlan:
    """Everything that is needed to draw the past of any office."""

    script: Script
    places: Places
    timezone: str
    seed: int
    probe: str
    start_ns: int
    end_ns: int
    raw_from_ns: int
    base_pps: float
    meeting_pps: float
    busy: dict[str, tuple[Busy, ...]]
    faults: tuple[PastFault, ...]
    lines: dict[tuple[str, str], Character]
    congestion: Congestion

    @property
    def paths(self) -> tuple[str, ...]:
        """The measured paths."""
        return tuple(f"main.{end}" for end in self.places.ends)

    def slots_of(self, site: str) -> NDArray[np.int64]:
        """The slots in which anything of an office was measured."""
        start_ns = np.arange(self.start_ns, self.end_ns, WINDOW_NS, dtype=np.int64)
        dark = dark_windows(self.faults, site, start_ns).reshape(-1, WINDOWS_PER_SLOT)
        return start_ns[::WINDOWS_PER_SLOT][~dark.all(axis=1)]


def plan_history(  # noqa: PLR0913 - each is a choice of the operator
    config: Config, script: Script, places: Places, *, now_ns: int, weeks: float, seed: int, probe: str = "p1"
) -> PastPlan:
    """The past of the offices, up to now."""
    end_ns = slot_start(now_ns - CLOSED_AFTER_NS)
    start_ns = slot_start(end_ns - round(weeks * 7 * DAY_NS))
    probing, timezone = config.settings.probing, config.settings.deployment.timezone
    lines = dict(characters(script, places, seed))
    # Days are drawn whole, so that they do not depend on where the span begins and ends.
    whole_days = start_ns // DAY_NS * DAY_NS, -(-end_ns // DAY_NS) * DAY_NS
    return PastPlan(
        script=script,
        places=places,
        timezone=timezone,
        seed=seed,
        probe=probe,
        start_ns=start_ns,
        end_ns=end_ns,
        raw_from_ns=max(slot_start(end_ns - RAW_NS), start_ns),
        base_pps=probing.base_pps,
        meeting_pps=max(probing.meeting_pps, probing.base_pps),
        busy=_busy(config, places, *whole_days),
        faults=tuple(faults_between(script.past, places, seed, *whole_days, timezone)),
        lines=lines,
        congestion=Congestion(script.past, places, seed, timezone, lines),
    )


def _busy(config: Config, places: Places, start_ns: int, end_ns: int) -> dict[str, tuple[Busy, ...]]:
    """When each office was probed at the meeting rate: from the lead before each meeting through its end."""
    lead_ns = round(config.settings.probing.meeting_lead_min * 60 * SECOND_NS)
    spans: dict[str, list[Busy]] = {site.id: [] for site in places.sites}
    for occurrence in config.calendar.occurrences(start_ns, end_ns + lead_ns):
        span = Busy(occurrence.starts_ns - lead_ns, occurrence.ends_ns)
        for site in occurrence.meeting.invited:
            if site in spans:
                spans[site].append(span)
    return {site: tuple(busy) for site, busy in spans.items()}
