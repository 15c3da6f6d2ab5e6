"""Readiness: what the model must always and must never do, and the cases that people know."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.flapping import Flapping
from analytics.ground import Standing
from analytics.lines import Lines
from analytics.persistence import still_broken
from analytics.readiness import expect
from analytics.recent import Recent
from analytics.verdicts import verdicts
from telemetry.decisions import Action, ReasonCode, State
from telemetry.windows import HOUR_NS, SECOND_NS
from tests.analytics.one_office import broken, verdict_of

if TYPE_CHECKING:
    from conftest import Bench

    from analytics.ground import Ground
    from telemetry.decisions import Verdict

HOUR = 3600.0
LEADS = (0.0, 600.0, 1800.0, 2 * HOUR, 10 * HOUR, 24 * HOUR, 48 * HOUR)


def verdict(ground: Ground, made: Bench, lead_s: float = HOUR, site: int = 0, **meeting: str) -> Verdict:
    return verdict_of(ground, made.occurrence(lead_s, **meeting), site)  # type: ignore[arg-type]


@pytest.mark.parametrize("lead_s", LEADS)
def test_four_good_weeks_and_a_sound_line_are_ready(made: Bench, lead_s: float) -> None:
    """A line without trouble is ready at every lead, also a day ahead, without reasons, for the profile asked for."""
    found = verdict(made.ground(broken(made)), made, lead_s, site=1)
    assert (found.state, found.reasons, found.action) == (State.READY, (), Action.NONE)
    assert found.best_profile == "video"


@pytest.mark.parametrize("lead_s", LEADS)
def test_a_broken_line_is_never_ready(made: Bench, lead_s: float) -> None:
    """A line that is broken now is at risk at least, however far the meeting; soon before it, it is not ready."""
    found = verdict(made.ground(broken(made)), made, lead_s)
    assert found.state is (State.NOT_READY if lead_s <= 2 * HOUR else State.AT_RISK)
    assert found.reasons[0].code is ReasonCode.LOSS_UP
    assert found.reasons[0].value == pytest.approx(8 / 150, abs=0.01)
    assert found.reasons[0].limit == 0.01
    assert found.best_profile == "audio"


def test_a_fault_weighs_less_the_further_the_meeting(made: Bench) -> None:
    """The chance rises with the lead, and an old fault lasts longer than a fresh one."""
    ground = made.ground(broken(made))
    chances = [verdict(ground, made, lead_s).probability for lead_s in LEADS]
    assert chances == sorted(chances)  # type: ignore[type-var]
    old = replace(ground, fault_since_ns=np.where(ground.fault_since_ns > 0, made.t0 - 6 * HOUR_NS, 0))
    assert verdict(old, made, HOUR).probability < verdict(ground, made, HOUR).probability  # type: ignore[operator]


def test_persistence_follows_the_lomax_law() -> None:
    """The figures that the module states, and certainty without a lead."""
    fresh = np.array([0])
    for lead_s, chance in ((0, 1.0), (1800, 0.64), (7200, 0.42), (36_000, 0.23), (86_400, 0.16)):
        assert still_broken(lead_s * SECOND_NS, fresh)[0] == pytest.approx(chance, abs=0.006)


def test_a_usual_bad_hour_is_told(made: Bench) -> None:
    """An hour that failed in past weeks lowers the chance of a meeting then, with the chance as the reason; not of one three hours later."""
    recent = broken(made, lost=0)
    history = made.history(recent)
    ten = made.occurrence(10 * HOUR)
    of_week = (ten.starts_ns + 5 * HOUR_NS + HOUR_NS // 2) // HOUR_NS % 168
    history.broken[:, 1, :, history.hours % 168 == of_week] = 200
    ground = made.ground(recent, history)
    found = verdict(ground, made, 10 * HOUR, site=1)
    assert found.state is not State.READY
    assert [reason.code for reason in found.reasons] == [ReasonCode.USUAL_HOUR]
    assert found.reasons[0].value is not None
    assert found.reasons[0].value > 0.4
    assert found.action in (Action.CALL_PROVIDER, Action.LOWER_PROFILE)
    assert verdict(ground, made, 13 * HOUR, site=1).state is State.READY


def test_without_history_a_sound_line_is_ready_when_near(made: Bench) -> None:
    """On the first day there is no past: clean windows make a line ready, and the prior does not hide it."""
    recent = broken(made)
    ground = made.ground(recent, made.history(recent, hours=0))
    assert verdict(ground, made, 1800.0, site=1).state is State.READY
    assert verdict(ground, made, 1800.0, site=0).state is State.NOT_READY


def test_no_data_is_never_ready(made: Bench) -> None:
    """An office that is not heard is at risk with a good past, unknown without one, never ready."""
    values = made.values((1, 2, 40))
    for column in values.values():
        column[...] = np.nan
    recent = made.recent(values)
    with_past = verdict(made.ground(recent), made, 24 * HOUR)
    assert with_past.state is State.AT_RISK
    assert [reason.code for reason in with_past.reasons] == [ReasonCode.NO_DATA]
    just_begun = np.full((1, 2), made.t0)
    listening = verdict(made.ground(recent, silent_since_ns=just_begun), made, 24 * HOUR)
    assert (listening.state, listening.reasons[0].code) == (State.AT_RISK, ReasonCode.NO_DATA)
    without = verdict(made.ground(recent, made.history(recent, hours=0)), made, 24 * HOUR)
    assert (without.state, without.probability, without.best_profile) == (State.UNKNOWN, None, "")
    assert [reason.code for reason in without.reasons] == [ReasonCode.NO_DATA]


def test_dark_and_planned_offices(made: Bench) -> None:
    """Dark within twelve hours of the meeting is not ready without a number, before that a low one; a planned office is unknown."""
    recent = broken(made, lost=0)
    dark, linked = np.array([True, False, False]), np.array([True, True, False])
    since = made.ground(recent).silent_since_ns - 300 * SECOND_NS
    ground = made.ground(recent, dark=dark, linked=linked, silent_since_ns=since)
    soon, far = verdict(ground, made, HOUR), verdict(ground, made, 24 * HOUR)
    assert (soon.state, soon.probability, soon.action) == (State.NOT_READY, None, Action.CHECK_POWER)
    assert soon.reasons[0].code is far.reasons[0].code is ReasonCode.DARK
    assert far.state is State.AT_RISK
    planned = verdict(ground, made, HOUR, site=2)
    assert (planned.state, planned.path, planned.action) == (State.UNKNOWN, "", Action.NONE)
    assert [reason.code for reason in planned.reasons] == [ReasonCode.NOT_LINKED]


def test_dark_while_announced_works_go_on_is_told_as_the_works(made: Bench) -> None:
    """Nobody is sent to the router for what was announced; works that are over, or end before the meeting, explain nothing."""
    recent = broken(made, lost=0)
    dark = np.array([True, False, False])
    since = made.ground(recent).silent_since_ns - 300 * SECOND_NS
    ground = made.ground(recent, dark=dark, silent_since_ns=since)
    for track in ground.foresight.tracks:
        track.planned[...] = True
    found = verdict(ground, made, HOUR)
    assert (found.state, found.probability, found.action) == (State.NOT_READY, None, Action.WATCH)
    assert [reason.code for reason in found.reasons] == [ReasonCode.PLANNED, ReasonCode.DARK]
    assert found.reasons[0].value == 3600.0
    track = ground.foresight.tracks[0]
    newest = (ground.foresight.now_ns - track.start_ns) // track.slot_ns - 1
    for over in (slice(0, newest + 1), slice(newest + 1, None)):
        for track in ground.foresight.tracks:
            track.planned[...] = False
            track.planned[:, over] = True
        found = verdict(ground, made, HOUR)
        assert ([reason.code for reason in found.reasons], found.action) == (
            [ReasonCode.DARK],
            Action.CHECK_POWER,
        )


def test_the_first_silent_minutes_of_announced_works_are_told_as_the_works(made: Bench) -> None:
    """Silent for a minute and not yet dark: the works lead, whatever else speaks against the line; without them it is told that no data come."""
    recent = broken(made, lost=0)
    ground = made.ground(recent)
    since = ground.silent_since_ns.copy()
    since[0] = ground.now_ns - 60 * SECOND_NS
    ground = made.ground(recent, silent_since_ns=since)
    found = verdict(ground, made, HOUR)
    assert [reason.code for reason in found.reasons][:1] == [ReasonCode.NO_DATA]
    for track in ground.foresight.tracks:
        track.planned[...] = True
    found = verdict(ground, made, HOUR)
    assert found.state is not State.READY
    assert [reason.code for reason in found.reasons][:2] == [ReasonCode.PLANNED, ReasonCode.NO_DATA]
    assert (found.reasons[0].value, found.action) == (3600.0, Action.WATCH)
    sound = verdict(ground, made, HOUR, site=1)  # it holds all the same: no trouble is made of them
    assert (sound.state, sound.action) == (State.READY, Action.WATCH)
    assert [(reason.code, reason.value) for reason in sound.reasons] == [(ReasonCode.PLANNED, 3600.0)]


def test_an_end_that_is_not_measured_is_unknown(made: Bench) -> None:
    """A meeting with an end that no path leads to cannot be judged."""
    found = verdict(made.ground(broken(made)), made, HOUR, site=1, end="nowhere")
    assert (found.state, found.probability, found.path) == (State.UNKNOWN, None, "")


def test_the_best_path_carries_the_verdict(made: Bench) -> None:
    """With two uplinks to the end the office is as good as its better one; when only another end's uplink is good, it is told to change."""
    values = made.values((1, 2, 40))
    made.lose(values, "up", 12, at=(0, 0, slice(36, 40)))
    two = made.recent(values, ("main.state", "backup.state"))
    found = verdict(made.ground(two), made)
    assert (found.state, found.path) == (State.READY, "backup.state")
    other = verdict(made.ground(made.recent(values, ("main.state", "backup.national"))), made)
    assert (other.state, other.path, other.action) == (State.NOT_READY, "main.state", Action.SECOND_LINE)


def test_a_line_registered_as_too_slow_is_told(made: Bench) -> None:
    """A profile that needs 2 Mbit/s up is not promised on a line of one; the ladder leads to one that is."""
    recent = broken(made, lost=0)
    rates = np.array([[1e6, 8e6], [8e6, 8e6], [np.nan, np.nan]])
    ground = made.ground(recent, link_bps=rates)
    slow = verdict(ground, made, HOUR, profile="hd")
    assert (slow.state, slow.best_profile, slow.action) == (State.NOT_READY, "video", Action.LOWER_PROFILE)
    assert [(r.code, r.value, r.limit, r.unit) for r in slow.reasons] == [
        (ReasonCode.BITRATE_UP, 1e6, 2e6, "bps")
    ]
    for site in (1, 2):
        assert verdict(ground, made, HOUR, site=site, profile="hd").best_profile == "hd"


def test_a_line_that_keeps_coming_back_is_told(made: Bench) -> None:
    """Three spells within the hour make a line that is clean just now a risk, and it is said how often it failed."""
    relapses = np.zeros((3, 2), dtype=np.int64)
    relapses[1] = 3
    outages = Flapping(relapses, relapses * 0, relapses * 0)
    ground = made.ground(broken(made, lost=0), relapses=relapses, flapping=outages)
    found = verdict(ground, made, 600.0, site=1)
    assert found.state is State.AT_RISK
    assert [(reason.code, reason.value) for reason in found.reasons] == [(ReasonCode.FLAPPING, 3)]
    relapses[1] = 1
    assert verdict(made.ground(broken(made, lost=0), relapses=relapses), made, site=1).state is State.READY


def test_growing_silence_is_no_good_news(made: Bench) -> None:
    """From 45 s of silence on the chance falls, and says so, before the office counts as dark."""
    recent, chances = broken(made, lost=0), []
    for silent_s in (20, 45, 80, 119):
        since = np.full((3, 2), made.t0 - silent_s * SECOND_NS)
        found = verdict(made.ground(recent, silent_since_ns=since), made, 300.0, site=1)
        chances.append(found.probability)
    assert chances[0] == chances[1]
    assert chances[1] > chances[2] > chances[3]  # type: ignore[operator]
    assert [reason.code for reason in found.reasons] == [ReasonCode.NO_DATA]


@pytest.mark.parametrize("pps", [10, 50])
def test_an_outage_that_is_over_is_told_as_over_and_soon_forgotten(made: Bench, pps: int) -> None:
    """After every line was down for a minute (the headquarters' restart): told with from and until, and within 90 s no more."""
    states = []
    for fine in range(1, 7):
        values = made.values((4, 2, 40), pps=pps)
        down = slice(36 - fine, 40 - fine)
        made.lose(values, "any", pps * 15, at=(..., down))
        values["worst_200ms_lost"][..., down] = values["worst_200ms_sent"][..., down]
        found = verdict(made.ground(made.recent(values)), made, 600.0)
        states.append(found.state)
        own = [reason for reason in found.reasons if reason.code is not ReasonCode.SHARED_FAULT]
        for reason in own:
            assert reason.code is ReasonCode.OUTAGE
            assert (reason.value, reason.unit) == (60.0, "s")
            assert reason.since_ns == made.t0 - (fine + 4) * 15 * SECOND_NS
            assert reason.until_ns == made.t0 - fine * 15 * SECOND_NS
            assert found.reasons[0] is not reason or found.action is Action.WATCH
    assert states[-1] is State.READY


LIMITED = {code for code in ReasonCode if code.value.startswith(("loss", "burst", "jitter", "rtt"))}


@given(seed=st.integers(0, 10_000), lead=st.sampled_from(LEADS))
def test_a_reason_names_a_figure_past_its_limit_and_since_when(made: Bench, seed: int, lead: float) -> None:
    """Whatever spell of trouble came and went: a line's reason has the figure that broke the limit, and since when."""
    rng = np.random.default_rng(seed)
    pps = int(rng.choice([10, 50]))
    values = made.values((8, 2, 40), pps=pps)
    for site in range(8):
        first = int(rng.integers(10, 40))
        span = slice(first, first + int(rng.integers(1, 12)))
        lost = int(rng.integers(0, pps * 15 + 1))
        made.lose(values, str(rng.choice(["up", "down", "any"])), lost, at=(site, slice(None), span))
        values["worst_200ms_lost"][site, :, span] = min(lost, pps // 5)
        values["up_jitter_ms"][site, :, span] = rng.uniform(1.0, 90.0)
    ground = made.ground(made.recent(values))
    occurrence = made.occurrence(lead)
    for found in verdicts(ground, occurrence, expect(ground, occurrence), range(8)):
        for reason in (each for each in found.reasons if each.code in LIMITED):
            assert reason.value is not None
            assert reason.limit is not None
            assert reason.value > reason.limit
            assert reason.since_ns is not None
            assert reason.until_ns is None or reason.since_ns < reason.until_ns <= made.t0
        codes = {reason.code for reason in found.reasons}
        assert not (ReasonCode.LOSS in codes and codes & {ReasonCode.LOSS_UP, ReasonCode.LOSS_DOWN})
        assert not (ReasonCode.BURST in codes and codes & {ReasonCode.BURST_UP, ReasonCode.BURST_DOWN})


def test_loss_of_unknown_direction_is_one_reason_with_the_total(made: Bench) -> None:
    """Part up, part down, part unknown: one reason, all that was lost of all that was sent; exact directions are named alone."""
    values = made.values((1, 2, 40))
    values["up_lost"][..., 36:], values["down_lost"][..., 36:], values["lost"][..., 36:] = 6, 5, 21
    (reason,) = verdict(made.ground(made.recent(values)), made).reasons
    assert (reason.code, reason.value) == (ReasonCode.LOSS, pytest.approx(21 / 150))
    values["lost"][..., 36:] = 11
    up, down = verdict(made.ground(made.recent(values)), made).reasons
    assert {up.code: up.value, down.code: down.value} == {
        ReasonCode.LOSS_UP: pytest.approx(6 / 150),
        ReasonCode.LOSS_DOWN: pytest.approx(5 / 144, abs=1e-5),
    }


def test_the_nightly_backup_is_no_fault_of_tomorrows_meeting(made: Bench) -> None:
    """Trouble that comes at this hour every day weighs on a meeting of this hour, not on one 11 or 35 hours later; ten times worse does."""
    values = made.values((2, 2, 40))
    values["up_jitter_ms"][0, :, 20:] = 70.0
    recent = made.recent(values)
    history = made.history(recent)
    this_hour = history.hours % 24 == (made.t0 // HOUR_NS + 5) % 24
    history.broken[:, 0, :, this_hour] = 200
    history.figures["up_jitter_ms"][0, :, this_hour] = 65.0
    ground = made.ground(recent, history)
    assert verdict(ground, made, 600.0).state is State.NOT_READY
    for hours in (11, 35):
        assert (verdict(ground, made, hours * HOUR).state, verdict(ground, made, hours * HOUR).reasons) == (
            State.READY,
            (),
        )
    values["up_jitter_ms"][0, :, 20:] = 700.0
    worse = verdict(made.ground(made.recent(values), history), made, 11 * HOUR)
    assert worse.state is State.AT_RISK
    assert worse.reasons[0].code is ReasonCode.JITTER_UP


@given(seed=st.integers(0, 10_000), more=st.integers(1, 30), lead=st.sampled_from(LEADS))
def test_more_loss_never_raises_a_chance(made: Bench, seed: int, more: int, lead: float) -> None:
    """Whoever loses more, in whichever window: no office comes into a better state, and no chance rises by half a point (decision 108)."""
    rng = np.random.default_rng(seed)
    lost = rng.integers(0, 6, (3, 2, 12))
    worse = lost.copy()
    worse[rng.integers(3), rng.integers(2), rng.integers(12)] += more
    occurrence, said = made.occurrence(lead), []
    for counts in (lost, worse):
        values = made.values((3, 2, 12))
        made.lose(values, "down", counts)
        said.append(expect(made.ground(made.recent(values)), occurrence))
    assert (said[1].probability <= said[0].probability + 0.005).all()
    assert (said[1].standing <= said[0].standing).all()


@given(seed=st.integers(0, 10_000))
def test_sites_in_another_order_get_the_same(made: Bench, seed: int) -> None:
    """The order of the registry changes nothing but the order."""
    rng = np.random.default_rng(seed)
    values = made.values((6, 2, 20))
    made.lose(values, "up", rng.integers(0, 9, (6, 2, 20)))
    values["sent"][rng.random((6, 2, 20)) < 0.2] = np.nan
    recent, order = made.recent(values), rng.permutation(6)
    history = made.history(recent, hours=168)
    history.broken[...] = rng.integers(0, 30, history.broken.shape)
    moved = Recent(
        Lines(tuple(recent.lines.sites[i] for i in order), recent.lines.paths),
        recent.start_ns,
        {name: column[order] for name, column in values.items()},
    )
    shuffled = replace(history, measured=history.measured[order], broken=history.broken[:, order])
    occurrence = made.occurrence(HOUR)
    here = expect(made.ground(recent, history), occurrence)
    there = expect(made.ground(moved, shuffled), occurrence)
    np.testing.assert_allclose(here.probability[order], there.probability, rtol=1e-5)
    assert (here.standing[order] == there.standing).all()
    assert (here.path[order] == there.path).all()


@given(seed=st.integers(0, 10_000), lead=st.sampled_from(LEADS))
def test_whatever_comes_in_a_verdict_comes_out(made: Bench, seed: int, lead: float) -> None:
    """Random gaps, NaN, darkness: every state is consistent with its number, everything not ready has a reason, silence is never ready."""
    rng = np.random.default_rng(seed)
    values = made.values((8, 2, 12), pps=int(rng.choice([10, 50])))
    made.lose(values, "up", rng.integers(0, 30, (8, 2, 12)))
    for column in values.values():
        column[rng.random(column.shape) < 0.3] = np.nan
    values["sent"][5] = np.nan
    recent = made.recent(values)
    history = made.history(recent, hours=int(rng.choice([0, 24, 168])))
    since = made.t0 - rng.integers(0, 400, (8, 2)) * SECOND_NS
    ground = made.ground(
        recent,
        history,
        dark=rng.random(8) < 0.2,
        linked=rng.random(8) < 0.8,
        silent_since_ns=np.where(recent.newest >= 0, since, made.t0 - HOUR_NS),
        relapses=rng.integers(0, 5, (8, 2)),
    )
    occurrence = made.occurrence(lead)
    expectation = expect(ground, occurrence)
    for site, found in enumerate(verdicts(ground, occurrence, expectation, range(8))):
        number = found.probability
        assert number is None or 0.0 <= number <= 1.0
        assert (found.state is State.READY) == (number is not None and expectation.probability[site] >= 0.9)
        assert (found.state is State.READY) == (found.reasons == ())
        if not ground.heard[site].any():
            assert found.state is not State.READY
        if not ground.linked[site]:
            assert found.state is State.UNKNOWN
        assert Standing[found.state.name] == expectation.standing[site]
        assert not (found.best_profile and number is None)
