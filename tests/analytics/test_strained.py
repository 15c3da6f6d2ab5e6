"""An evening that comes is told as what it is; and what was not announced is never told as announced."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from analytics.condition import SUSPECT, condition
from analytics.ground import Standing, Terms
from analytics.readiness import expect
from analytics.strained import STRAIN_SLOTS
from analytics.verdicts import verdicts
from telemetry.decisions import Action, ReasonCode, State
from telemetry.windows import MINUTE_NS, SLOT_NS
from telemetry.words import say, say_reason
from tests.analytics.evenings import evening

if TYPE_CHECKING:
    from analytics.ground import Ground
    from telemetry.decisions import Verdict
    from tests.analytics.conftest import Bench

SOON, HALF_AN_HOUR = 600.0, 1800.0


def verdict(ground: Ground, made: Bench, lead_s: float, **terms: float) -> Verdict:
    """Of the first office; with `terms` it is at risk by these alone."""
    occurrence = made.occurrence(lead_s)
    found = expect(ground, occurrence)
    if terms:
        weighs = {name: np.full(3, terms.get(name, 0.0)) for name in Terms.__slots__}
        standing = np.full(3, Standing.AT_RISK, dtype=np.int8)
        found = replace(found, probability=np.full(3, 0.8), standing=standing, terms=Terms(**weighs))
    return verdicts(ground, occurrence, found, [0])[0]


def test_the_figure_is_the_worst_of_the_time_that_the_words_name() -> None:
    """Not how the line stands at this moment."""
    assert STRAIN_SLOTS * SLOT_NS == 15 * MINUTE_NS
    for code in ("strained", "expected_strain"):
        assert say("en", f"reason.{code}", value="56 %").endswith(
            "(up to 56 % of it in the last quarter of an hour)"
        )
        assert "(पिछले 15 मिनट में" in say("hi", f"reason.{code}", value="56 %")


def test_what_is_expected_past_its_limit_is_said_to_be_within_it_now() -> None:
    """Beside a figure of 4 % of the limit the sentence read as if that were what is expected."""
    assert ", still within it now (up to 4 %" in say("en", "reason.expected_strain", value="4 %")
    assert ", अभी सीमा के भीतर है (" in say("hi", "reason.expected_strain", value="4 %")


@pytest.mark.parametrize(
    ("begins", "lead_s", "now", "does"),
    [
        pytest.param(-5, SOON, 0.528, (State.NOT_READY, Action.CALL_PROVIDER), id="far from its limit yet"),
        pytest.param(
            -8, HALF_AN_HOUR, 0.773, (State.AT_RISK, Action.WATCH), id="near it, half an hour before"
        ),
    ],
)
def test_an_evening_that_begins_stronger_is_told_as_expected(
    made: Bench, begins: int, lead_s: float, now: float, does: tuple[State, Action]
) -> None:
    """With how the line stands now beside it, and with what there is to do against a bottleneck at that hour."""
    found = verdict(evening(made, today=1.4, begins=begins, height=0.7), made, lead_s)
    (reason,) = found.reasons
    assert (reason.code, reason.value, reason.unit) == (
        ReasonCode.EXPECTED_STRAIN,
        pytest.approx(now, abs=1e-3),
        "ratio",
    )
    assert (found.state, found.action) == does


def test_a_line_that_stays_where_it_is_is_close_to_its_limit(made: Bench) -> None:
    """Nothing comes that is not there already."""
    (reason,) = verdict(evening(made, today=1.0, begins=0, base=0.95, height=0.0), made, SOON).reasons
    assert (reason.code, reason.value) == (ReasonCode.STRAINED, pytest.approx(0.95))


def test_a_line_that_is_broken_now_has_no_figure_to_set_against_the_evening(made: Bench) -> None:
    """A figure of a sound line beside a fault would be a contradiction."""
    ground = evening(made, today=1.4, begins=-5, height=0.7)
    suspicion = np.full_like(ground.condition.suspicion, 0.9)
    ground = replace(ground, condition=replace(ground.condition, suspicion=suspicion))
    told = {reason.code: reason.value for reason in verdict(ground, made, SOON).reasons}
    assert told[ReasonCode.EXPECTED_STRAIN] is None


@pytest.mark.parametrize(("lost", "lasts"), [((0, 3), True), ((4, 0), False)])
def test_beside_a_fault_that_lasts_no_line_is_said_to_be_within_its_limit(
    made: Bench, lost: tuple[int, int], lasts: bool
) -> None:
    """Loss in the newest window is told as lasting before it is likelier than not; beside one that is over the figure stands."""
    ground = evening(made, today=1.4, begins=-5, height=0.7)
    values = {name: column.copy() for name, column in ground.recent.values.items()}
    made.lose(values, "up", lost, (0, 0, slice(-2, None)))
    recent = made.recent(values)
    state = condition(recent, made.sets().limits)
    assert state.suspicion[made.sets().of_profile["video"], 0, 0] < SUSPECT
    found = verdict(replace(ground, recent=recent, condition=state), made, SOON, fault=0.2, strain=0.1)
    fault, expected = found.reasons
    assert (fault.code, fault.value, fault.until_ns is None) == (
        ReasonCode.LOSS_UP,
        round(max(lost) / 150, 5),
        lasts,
    )
    assert expected.code is ReasonCode.EXPECTED_STRAIN
    assert (expected.value is None) is lasts
    said = {language: say_reason(language, expected) for language in ("en", "hi")}
    assert ("within it now" in said["en"], "सीमा के भीतर" in said["hi"]) == (not lasts, not lasts)
    assert (said["en"] == "Expected to be over its limit") is lasts
    assert (said["hi"] == "सीमा पार रहने का अंदेशा") is lasts


@pytest.mark.parametrize("announced", [True, False])
def test_what_was_not_announced_is_not_told_as_announced(made: Bench, announced: bool) -> None:
    """It would keep the message from everybody, whatever the model's term says."""
    ground = evening(made, today=1.0, begins=0, height=0.0)
    for track in ground.foresight.tracks:
        track.planned[...] = announced
    (reason,) = verdict(ground, made, SOON, planned=0.2).reasons
    assert (reason.code is ReasonCode.PLANNED) is announced
    assert not announced or reason.value == 3600.0


def test_a_number_without_a_cause_is_told_as_the_number_says(made: Bench) -> None:
    """No term weighs anything: neither a fault, nor works, nor a slow line is made up."""
    ground = evening(made, today=1.0, begins=0, height=0.0)
    (reason,) = verdict(ground, made, SOON, silence=-0.1).reasons
    assert (reason.code, reason.value) == (ReasonCode.EXPECTED_STRAIN, None)


def test_an_hour_that_usually_fails_is_not_told_twice(made: Bench) -> None:
    """Its record comes first and says that the line will break; a lighter record comes after."""
    recent = made.recent(made.values((3, 2, 240)))
    history = made.history(recent)
    history.broken[..., ::4] = 220
    ground = made.ground(recent, history)
    for strain, codes in (
        (0.1, [ReasonCode.USUAL_HOUR]),
        (0.3, [ReasonCode.EXPECTED_STRAIN, ReasonCode.USUAL_HOUR]),
    ):
        found = verdict(ground, made, SOON, usual=0.2, strain=strain)
        assert [reason.code for reason in found.reasons] == codes
