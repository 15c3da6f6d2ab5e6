"""The slot-level drawing against the windows of the same past, and the oracle against what came true."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec
import numpy as np
import pytest

from analytics.judge import judge
from lab.past.breaking import FAILS_ABOVE, Breaking
from lab.past.chances import Questions
from lab.past.lines import LineStates
from lab.past.office import PastDrawer
from lab.past.oracle import Oracle
from lab.past.plan import plan_history
from lab.past.tables import columns_of
from lab.past.track import draw_track
from lab.past.truth import RECURRING
from lab.past.windows import draw
from lab.running.scope import Places
from lab.running.script import Past, load_script
from telemetry.store.columns import WINDOW_VALUE_COLUMNS
from telemetry.windows import DAY_NS, HOUR_NS, SLOT_NS, WINDOW_NS

if TYPE_CHECKING:
    from config.config import Config
    from config.profiles import Limits
    from lab.past.plan import PastPlan
    from lab.past.track import SlotTrack

NOW = 1_795_392_000_000_000_000 // DAY_NS * DAY_NS + 60_000_000_000
MINUTE_NS = HOUR_NS // 60
BREAKING = Breaking()
EVENTFUL = Past(
    provider_outages_per_month=4,
    provider_outage_minutes=60,
    flaps_per_month=2,
    flapping_lines_per_month=0.4,
    power_cuts_per_month=6,
    power_cut_minutes=60,
    bad_spells_per_month=8,
    bad_spell_minutes=200,
    creeping_share=0.5,
    congested_share=0.3,
    works_per_month=8,
    holidays_per_month=3,
    headquarters_faults_per_month=2,
    headquarters_fault_minutes=20,
)


def planned(config: Config, places: Places, weeks: float, seed: int = 3) -> PastPlan:
    script = msgspec.structs.replace(load_script(None, places), past=EVENTFUL)
    return plan_history(config, script, places, now_ns=NOW, weeks=weeks, seed=seed)


@pytest.fixture(scope="module")
def alarm(config: Config) -> Limits:
    return next(profile for profile in config.profiles.values() if profile.id == "video-720p").alarm


@pytest.mark.parametrize(
    ("jitter_ms", "loss", "burst_ms"),
    [
        (28, 0, 0),
        (30, 0, 0),
        (33, 0, 0),
        (2, 0.005, 0),
        (2, 0.015, 0),
        (2, 0.02, 60),
        (2, 0.03, 150),
        (2, 0.05, 0),
    ],
)
def test_a_window_breaks_as_often_as_the_judge_says(
    alarm: Limits, jitter_ms: float, loss: float, burst_ms: float
) -> None:
    """The share of drawn windows that the judge calls broken is the law's, within 0.1, on both sides of each limit."""
    n = 3000
    start_ns = np.arange(n, dtype=np.int64) * WINDOW_NS
    shape = (2, 1, n)
    states = LineStates(
        start_ns, np.full(shape, 20.0), np.full(shape, 1.0), np.zeros(shape), np.zeros(shape),
        np.zeros((1, n)), np.zeros(n, dtype=bool), start_ns + WINDOW_NS,
    )  # fmt: skip
    states.jitter_ms[1], states.loss_ratio[1], states.burst_ms[1] = jitter_ms, loss, burst_ms
    windows = draw(states, np.full(n, BREAKING.pps), np.random.default_rng(1))
    broke = judge(columns_of(windows), alarm, pool_windows=4).breaks.mean()
    odds = BREAKING.odds(states.jitter_ms, states.loss_ratio, states.burst_ms)[0, 0]
    assert broke == pytest.approx(odds, abs=0.1)


def test_slots_agree_with_the_windows_of_the_same_past(config: Config, places: Places, alarm: Limits) -> None:
    """Over four eventful days slots are as dark, as broken and as late as the store's roll-ups of the same faults."""
    few = Places(places.sites[:6], places.ends, {s.id: s.provider for s in places.sites[:6]})
    plan = planned(config, few, weeks=4 / 7)
    plan = at_base_rate(plan)
    track = draw_track(plan, BREAKING, "state")
    drawer = PastDrawer(plan)
    theirs, ours, trouble = [], [], 0
    for row, site in enumerate(few.sites):
        table = drawer.draw(site).rollups
        here = np.flatnonzero(table.columns["path"] == table.paths.index("main.state"))
        slot = table.columns["slot_ns"][here] // SLOT_NS - track.first_slot
        absent = np.setdiff1d(np.arange(track.broke.shape[1]), slot)
        assert (track.measured[row, absent] == 0).all()
        np.testing.assert_allclose(track.measured[row, slot], table.columns["windows"][here] / 20)
        values = {name: table.window_values[name][here] for name in WINDOW_VALUE_COLUMNS}
        verdict = judge(values, alarm, pool_windows=4)
        broke = verdict.breaks.sum(axis=1) / verdict.present.sum(axis=1)
        late = table.columns["received_ns"][here] - (table.columns["slot_ns"][here] + SLOT_NS)
        our_late = track.arrived_ns[row, slot] - (table.columns["slot_ns"][here] + SLOT_NS)
        np.testing.assert_allclose(np.maximum(late, 60e9), our_late, atol=2e9)
        theirs.append(broke)
        ours.append(track.broke[row, slot])
        trouble += int((broke > 0.5).sum())
    assert trouble > 50
    a, b = np.concatenate(theirs), np.concatenate(ours)
    assert abs(a.mean() - b.mean()) < 0.01
    assert np.corrcoef(a, b)[0, 1] > 0.95


def at_base_rate(plan: PastPlan) -> PastPlan:
    """The same past probed at the base rate throughout, as the slots are drawn."""
    return replace(plan, busy={})


@pytest.fixture(scope="module")
def world(config: Config, places: Places) -> tuple[PastPlan, SlotTrack]:
    """Three weeks of all linked offices."""
    plan = planned(config, places, weeks=3)
    return plan, draw_track(plan, BREAKING, "state")


def meetings(plan: PastPlan, lead_min: int) -> Questions:
    """An hour at every second hour of the day, one office after the other."""
    starts = np.arange(plan.start_ns + DAY_NS, plan.end_ns - HOUR_NS, 4 * HOUR_NS) // SLOT_NS * SLOT_NS
    site = np.tile(np.arange(len(plan.places.sites)), len(starts))
    start_ns = np.repeat(starts, len(plan.places.sites))
    return Questions(site, start_ns - lead_min * MINUTE_NS, start_ns, start_ns + HOUR_NS)


def failed(track: SlotTrack, asked: Questions) -> np.ndarray:
    return track.failed(asked.site, asked.start_ns, asked.end_ns) > FAILS_ABOVE + 1e-9


@pytest.mark.parametrize("lead_min", [10, 120, 1440])
def test_the_oracle_is_calibrated(world: tuple[PastPlan, SlotTrack], lead_min: int) -> None:
    """Of meetings that it gave a chance, that share failed: over all, and weighted over ten bins within 0.03."""
    plan, track = world
    asked = meetings(plan, lead_min)
    truth, came = Oracle(plan, BREAKING, "state").failing(asked), failed(track, asked)
    assert len(came) > 5000
    assert 0.03 < came.mean() < 0.3
    assert truth.mean() == pytest.approx(came.mean(), abs=0.02)
    bins = np.minimum((truth * 10).astype(int), 9)
    error = sum(abs(truth[bins == b].sum() - came[bins == b].sum()) for b in range(10)) / len(came)
    assert error < 0.03
    climate = came.mean() * (1 - came.mean())
    assert ((truth - came) ** 2).mean() < 0.85 * climate


def test_the_oracle_knows_more_the_nearer_it_is(world: tuple[PastPlan, SlotTrack]) -> None:
    """Its Brier score falls from a day ahead to ten minutes ahead."""
    plan, track = world
    came = failed(track, meetings(plan, 10))
    scores = [
        ((Oracle(plan, BREAKING, "state").failing(meetings(plan, lead)) - came) ** 2).mean()
        for lead in (1440, 120, 10)
    ]
    assert scores == sorted(scores, reverse=True)


def test_the_oracle_does_not_see_what_is_to_come(world: tuple[PastPlan, SlotTrack]) -> None:
    """With everything left out that began (and was announced) later, its answers are the same to the last bit."""
    plan, _ = world
    now_ns = plan.start_ns + 9 * DAY_NS + 7 * HOUR_NS
    sites = np.arange(len(plan.places.sites))
    start_ns = np.full(len(sites), now_ns + 2 * HOUR_NS)
    asked = Questions(sites, np.full(len(sites), now_ns), start_ns, start_ns + HOUR_NS)
    known = tuple(f for f in plan.faults if min(f.start_ns, f.announced_ns or f.start_ns) <= now_ns)
    assert len(known) < len(plan.faults)
    blind = replace(plan, faults=known)
    np.testing.assert_array_equal(
        Oracle(plan, BREAKING, "state").failing(asked), Oracle(blind, BREAKING, "state").failing(asked)
    )


def test_every_failure_has_its_cause(world: tuple[PastPlan, SlotTrack]) -> None:
    """Each failed meeting names a fault that overlaps it, or the hour; nothing is known after it began to act."""
    plan, track = world
    asked = meetings(plan, 10)
    rows = np.flatnonzero(failed(track, asked))[:400]
    causes = Oracle(plan, BREAKING, "state").causes(asked.of(rows))
    names = {cause.name for cause in causes}
    assert {"power cut", "bad spell", RECURRING} <= names
    for cause, end_ns in zip(causes, asked.end_ns[rows], strict=True):
        assert cause.known_ns <= cause.onset_ns < end_ns
