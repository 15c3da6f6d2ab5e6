"""The ground of known faults: weeks of the lab's past, the meetings held in them, and what the oracle says of each.

The rates are those of a harder world than the built-in script's, so that 12 weeks hold failures enough to be counted;
docs/lab-faults.md says where each figure comes from.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from random import Random
from typing import TYPE_CHECKING, Final

import msgspec
import numpy as np

from analytics.forecast.track import Asks, Track
from config.load import load_config
from lab.past.breaking import FAILS_ABOVE, Breaking
from lab.past.chances import Questions
from lab.past.days import LocalDays
from lab.past.faults import holiday
from lab.past.laws import MINUTE_NS
from lab.past.oracle import Oracle
from lab.past.plan import plan_history
from lab.past.track import draw_track
from lab.running.scope import Places
from lab.running.script import Past, load_script
from telemetry.line_slots import LineSlots
from telemetry.windows import DAY_NS, SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from lab.past.plan import PastPlan
    from lab.past.track import SlotTrack
    from lab.past.truth import Cause

END: Final = "state"
HORIZONS_MIN: Final = {"24h": 1440, "2h": 120, "30min": 30, "10min": 10}
HISTORY_DAYS: Final = 2
"""The first meetings are asked about when so much has been seen."""
DAILY: Final = (11 * 60, 60)
"""The review of all offices on working days: local minute of the day, length in minutes."""
REGIONAL: Final = (
    (9 * 60 + 30, 60),
    (15 * 60, 90),
    (16 * 60 + 30, 60),
    (18 * 60, 90),
    (19 * 60, 60),
    (20 * 60 + 15, 60),
)
"""Each region has one of these every day, by lot."""
SUNDAY: Final = 6
NOW_NS: Final = 1_795_392_000 * SECOND_NS
PAST: Final = Past(
    provider_outages_per_month=2.5,
    provider_outage_minutes=60.0,
    flaps_per_month=0.8,
    flap_minutes=12.0,
    flapping_lines_per_month=0.15,
    flapping_days=3.0,
    flaps_per_day=6.0,
    power_cuts_per_month=4.0,
    power_cut_minutes=60.0,
    bad_spells_per_month=5.0,
    bad_spell_minutes=200.0,
    creeping_share=0.5,
    creeping_minutes=150.0,
    creeping_breaks_share=0.7,
    congested_share=0.2,
    congestion_jitter_ms=24.0,
    works_per_month=4.0,
    holidays_per_month=2.0,
    holiday_closed_share=0.3,
    headquarters_faults_per_month=2.0,
    headquarters_fault_minutes=20.0,
)


@dataclass(frozen=True, slots=True)
class World:
    """What was drawn.

    Attributes:
        track: what a forecast may look at.
        pairs: the (office, meeting) pairs, as asks whose `now_ns` is their start, (P,).
        held: (P,) whether each held.
        oracle: Oracle of the same past.
    """

    plan: PastPlan
    track: Track
    pairs: Asks
    held: NDArray[np.bool_]
    oracle: Oracle

    def asks(self, horizon: str) -> Asks:
        """The pairs asked a horizon before their start."""
        now_ns = self.pairs.start_ns - HORIZONS_MIN[horizon] * MINUTE_NS
        return Asks(self.pairs.line, now_ns, self.pairs.start_ns, self.pairs.end_ns)

    def truth(self, horizon: str) -> NDArray[np.float64]:
        """(P,) the probability of holding that each pair was drawn from, as of the horizon."""
        return 1.0 - self.oracle.failing(questions(self.asks(horizon)))

    def causes(self) -> list[Cause]:
        """Of the pairs that failed, in order."""
        failed = np.flatnonzero(~self.held)
        return self.oracle.causes(questions(self.pairs).of(failed))


def questions(asks: Asks) -> Questions:
    """Asks as the oracle takes them: a line is an office here."""
    return Questions(asks.line, asks.now_ns, asks.start_ns, asks.end_ns)


def draw_world(seed: int, weeks: int, offices: int, progress: Callable[[str], None]) -> World:
    """So many weeks of the first offices of the built-in list, linked or planned, and their meetings."""
    config = load_config(None)
    sites = list(config.registry.sites)[:offices]
    places = Places(
        sites, tuple(config.headquarters), {site.id: site.provider for site in sites if site.provider}
    )
    script = msgspec.structs.replace(load_script(None, places), past=PAST)
    end_ns = NOW_NS // DAY_NS * DAY_NS
    plan = plan_history(config, script, places, now_ns=end_ns + 60 * SECOND_NS, weeks=weeks, seed=seed)
    progress(f"the lab's past: {len(sites)} offices, {weeks} weeks, {len(plan.faults)} faults")
    breaking = Breaking()
    slots = draw_track(plan, breaking, END)
    pairs = _pairs(plan, seed)
    share = slots.failed(pairs.line, pairs.start_ns, pairs.end_ns)
    return World(plan, track_of(slots), pairs, share <= FAILS_ABOVE + 1e-9, Oracle(plan, breaking, END))


def track_of(slots: SlotTrack) -> Track:
    """The drawn slots as a forecast's track; nobody rehearses here."""
    drawn = {each.name: getattr(slots, each.name) for each in fields(LineSlots)}
    return Track(**drawn, rehearsed=np.full(slots.broke.shape, np.nan, dtype=np.float32))


def _pairs(plan: PastPlan, seed: int) -> Asks:
    """Every (office, meeting), by time."""
    days = LocalDays(plan.timezone)
    regions = sorted({site.region for site in plan.places.sites})
    rows: list[tuple[int, int, int]] = []
    for day in range(plan.start_ns // DAY_NS + HISTORY_DAYS, plan.end_ns // DAY_NS):
        zero_ns = days.midnight_ns(day)
        lot = Random(f"{seed}/meetings/{day}")
        at = {region: lot.choice(REGIONAL) for region in regions}
        for index, site in enumerate(plan.places.sites):
            review = (DAILY,) if (day + 3) % 7 != SUNDAY and not holiday(PAST, seed, day) else ()
            for minute, length in (*review, at[site.region]):
                start_ns = zero_ns + minute * MINUTE_NS
                rows.append((start_ns, start_ns + length * MINUTE_NS, index))
    rows = sorted(row for row in rows if row[1] <= plan.end_ns)
    start, end, line = np.array(rows, dtype=np.int64).T
    return Asks(line, start, start, end)
