"""What is said is what weighed: no reason is told that costs nothing, and a share is of those whom the model goes by."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from analytics.ground import Standing, Terms
from analytics.readiness import expect
from analytics.verdicts import verdicts
from telemetry.decisions import Action, Factor, FactorKind, ReasonCode
from telemetry.windows import HOUR_NS, SECOND_NS
from telemetry.words import say_reason
from tests.analytics.one_office import verdict_of

if TYPE_CHECKING:
    from conftest import Bench
    from numpy.typing import NDArray

    from analytics.ground import Expectation, Ground
    from telemetry.decisions import Reason

HOUR = 3600.0
SOON, LATER = 600.0, 11 * HOUR


def silent(made: Bench, seconds: int) -> Ground:
    """The first office has been silent for so long; at the hour of `LATER` its line has failed on most days."""
    values = made.values((3, 2, 40))
    for column in values.values():
        column[0, :, 40 - seconds // 15 :] = np.nan
    recent = made.recent(values)
    history = made.history(recent)
    at = (made.t0 + round(LATER) * SECOND_NS) // HOUR_NS + 5
    history.broken[:, 0, :, history.hours % 24 == at % 24] = 220
    return made.ground(recent, history)


def told(ground: Ground, made: Bench, lead_s: float) -> tuple[Reason, ...]:
    return verdict_of(ground, made.occurrence(lead_s)).reasons


def test_silence_that_costs_nothing_is_no_reason(made: Bench) -> None:
    """A minute of silence says nothing of a meeting half a day ahead, whose hour usually fails; of one in ten minutes it says all."""
    ground = silent(made, 60)
    occurrence = made.occurrence(LATER)
    terms = expect(ground, occurrence).terms
    assert terms.silence[0] < 0.03 < terms.usual[0]
    assert [each.code for each in told(ground, made, LATER)] == [ReasonCode.USUAL_HOUR]
    assert [each.code for each in told(ground, made, SOON)] == [ReasonCode.NO_DATA]


@pytest.mark.parametrize(("weeks", "record"), [(4, (4, 4)), (3, (3, 4)), (0, None)])
def test_an_hour_is_told_by_its_own_record_and_without_one_by_its_chance(
    made: Bench, weeks: int, record: tuple[int, int] | None
) -> None:
    """In so many of so many weeks; where the hour itself never failed, as in a line that fails at all other hours, only the chance."""
    recent = made.recent(made.values((3, 2, 40)))
    history = made.history(recent)
    at = (made.t0 + round(LATER) * SECOND_NS) // HOUR_NS + 5
    same = np.flatnonzero(history.hours % 168 == at % 168)
    assert len(same) == 4
    if weeks:
        history.broken[:, 0, :, same[:weeks]] = 220
    else:
        history.broken[:, 0, :, np.setdiff1d(np.arange(len(history.hours)), [*same, *(same + 1)])] = 220
    found = [
        each for each in told(made.ground(recent, history), made, LATER) if each.code is ReasonCode.USUAL_HOUR
    ]
    assert [each.record for each in found] == [record]


def test_weeks_whose_samples_prove_nothing_are_not_counted_in_the_record(made: Bench) -> None:
    """Of an hour sampled twelve times, two bad ones neither failed it nor held it."""
    recent = made.recent(made.values((3, 2, 40)))
    history = made.history(recent)
    history.measured[...], history.fullest[...] = 12, 1
    at = (made.t0 + round(LATER) * SECOND_NS) // HOUR_NS + 5
    same = np.flatnonzero(history.hours % 168 == at % 168)
    history.broken[:, 0, :, same] = np.array([12, 12, 12, 2])[:, None, None]
    (reason,) = told(made.ground(recent, history), made, LATER)
    assert reason.record == (3, 3)


def test_silence_that_weighs_is_said_first(made: Bench) -> None:
    """What is, before what is expected: also where the usual hour costs more (decision 166)."""
    ground = silent(made, 60)
    occurrence = made.occurrence(LATER)
    found = expect(ground, occurrence)
    weighed = replace(found, terms=replace(found.terms, silence=np.full(3, 0.2)))
    codes = [each.code for each in verdicts(ground, occurrence, weighed, [0])[0].reasons]
    assert codes == [ReasonCode.NO_DATA, ReasonCode.USUAL_HOUR]


def with_terms(ground: Ground, made: Bench, **terms: NDArray[np.float64]) -> Expectation:
    """Every office at risk, by these terms alone."""
    nothing = {name: np.zeros(len(ground.linked)) for name in Terms.__slots__}
    return replace(
        expect(ground, made.occurrence(SOON)),
        probability=np.full(len(ground.linked), 0.8),
        standing=np.full(len(ground.linked), Standing.AT_RISK, dtype=np.int8),
        terms=Terms(**nothing | terms),
    )


def test_the_share_of_others_in_trouble_is_that_of_the_same_provider(made: Bench) -> None:
    """Two of three at the same provider, of eleven others in all: two thirds is what the model goes by, not 18 %; and it is said of whose lines that is."""
    values = made.values((12, 2, 40))
    made.lose(values, "up", 40, at=(slice(1, 3), slice(None), slice(30, 40)))
    ground = made.ground(made.recent(values))
    providers = np.repeat(np.where(np.arange(12) < 4, 0, 1), 2).astype(np.int32)
    tracks = tuple(
        replace(each, groups={**each.groups, "provider": providers}) for each in ground.foresight.tracks
    )
    names = ("provider-a",) * 4 + ("provider-b",) * 8
    ground = replace(ground, foresight=replace(ground.foresight, tracks=tracks), providers=names)
    expectation = with_terms(ground, made, peers=np.full(12, 0.1))
    theirs, all_there = Factor(FactorKind.PROVIDER, "provider-a"), Factor(FactorKind.END, "state")
    for site, share, among in ((0, 2 / 3, theirs), (5, 2 / 11, all_there)):
        (reason,) = verdicts(ground, made.occurrence(SOON), expectation, [site])[0].reasons
        assert (reason.code, reason.value) == (ReasonCode.SHARED_FAULT, pytest.approx(share, abs=1e-4))
        assert (reason.among, reason.factor) == (among, None)


def test_where_no_term_weighs_three_points_the_heaviest_is_told_and_never_one_that_costs_nothing(
    made: Bench,
) -> None:
    """Many small terms: the heaviest. None at all, because such lines usually fail so often: that record."""
    recent = made.recent(made.values((3, 2, 40)))
    history = made.history(recent)
    history.broken[..., ::4] = 220
    ground = made.ground(recent, history)
    for terms, code in (
        ({"capacity": np.full(3, 0.02), "usual": np.full(3, 0.01)}, ReasonCode.BITRATE_UP),
        ({}, ReasonCode.USUAL_HOUR),
    ):
        expectation = with_terms(ground, made, **terms)
        (reason,) = verdicts(ground, made.occurrence(SOON), expectation, [0])[0].reasons
        assert reason.code is code


def test_of_an_office_that_was_never_measured_only_that_is_told(made: Bench) -> None:
    """Its number is borrowed of the others, whose course says nothing of its line: nobody rings a provider for it."""
    values = made.values((12, 2, 40))
    for column in values.values():
        column[0] = np.nan
    recent = made.recent(values)
    history = made.history(recent)
    history.measured[0] = history.broken[:, 0] = 0
    history.broken[:, 1:, :, ::2] = 220
    ground = made.ground(recent, history)
    weighed = with_terms(ground, made, strain=np.full(12, 0.2))
    for standing in (Standing.AT_RISK, Standing.NOT_READY):
        stood = replace(weighed, standing=np.full(12, standing, dtype=np.int8))
        never, others = verdicts(ground, made.occurrence(SOON), stood, [0, 1])
        assert [(one.code, one.value, one.since_ns) for one in never.reasons] == [
            (ReasonCode.NO_DATA, None, None)
        ]
        assert (say_reason("en", never.reasons[0]), never.action) == ("No measurements so far", Action.WATCH)
        assert ReasonCode.EXPECTED_STRAIN in {one.code for one in others.reasons}
    dark = made.ground(recent, history, dark=np.arange(12) == 0)
    found = verdict_of(dark, made.occurrence(13 * HOUR))
    assert found.probability is not None
    assert ([one.code for one in found.reasons], found.action) == ([ReasonCode.DARK], Action.CHECK_POWER)
