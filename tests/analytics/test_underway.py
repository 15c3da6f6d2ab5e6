"""A meeting that has begun: its verdict is about what is left of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from analytics.forecast.earlier_faults import EarlierFaults
from analytics.forecast.foresight import Foreseen
from analytics.forecast.same_weekday import SpanRecord
from analytics.hours import HOURS_PER_WEEK, local_hour
from analytics.readiness import asked_spans, expect
from analytics.reasons import WORTH_TELLING
from analytics.underway import rest_of, room_left, thinned
from telemetry.decisions import ReasonCode, State
from telemetry.windows import SECOND_NS, SLOT_NS
from tests.analytics.one_office import verdict_of

if TYPE_CHECKING:
    from conftest import Bench

    from analytics.ground import Ground

KOLKATA = ZoneInfo("Asia/Kolkata")
MINUTE = 60.0
GONE = (0.0, 15 * MINUTE, 30 * MINUTE, 45 * MINUTE, 55 * MINUTE, 59.5 * MINUTE)
"""So much of the hour is over, seconds."""


def came_back_often(made: Bench, spells: int = 4) -> Ground:
    """A line that looks sound and failed so often in the last hour, on both paths of the first office."""
    ground = made.ground(made.recent(made.values((2, 2, 40))))
    relapses = np.zeros((2, 2), dtype=np.int64)
    relapses[0] = spells
    return replace(ground, relapses=relapses, relapsing_since_ns=relapses * (made.t0 - SECOND_NS))


def chances(ground: Ground, made: Bench) -> list[float]:
    """Of the first office, as the hour goes by with nothing new."""
    return [float(expect(ground, made.occurrence(-gone_s)).probability[0]) for gone_s in GONE]


def test_what_may_come_again_has_less_and_less_time_for_it(made: Bench) -> None:
    """A line that came and went before the meeting is not ready at its beginning, and is once most of it has gone well."""
    found = chances(came_back_often(made), made)
    assert found[0] <= 0.5
    assert found == sorted(found)
    assert found[2] == pytest.approx(found[0] ** np.sqrt(0.5), abs=0.01)
    assert found[-1] > 0.9


def test_what_is_broken_now_is_not_ready_to_the_last_minute(made: Bench) -> None:
    values = made.values((2, 2, 40))
    made.lose(values, "up", 8, at=(0, slice(None), slice(36, 40)))
    ground = made.ground(made.recent(values))
    for gone_s in GONE:
        found = verdict_of(ground, made.occurrence(-gone_s))
        assert found.state is State.NOT_READY
        assert found.reasons


def test_the_model_is_asked_of_the_slots_that_are_left(made: Bench) -> None:
    """So a bad hour that is over by now costs nothing any more; once a slot, not at every look."""
    ground, occurrence = came_back_often(made), made.occurrence(-40 * MINUTE)
    spans = {span.span_ns for span in asked_spans(ground, [occurrence])}
    assert spans == {(made.t0 // SLOT_NS * SLOT_NS, occurrence.ends_ns)}
    later = replace(ground, now_ns=made.t0 + SLOT_NS // 2)
    assert {span.span_ns for span in asked_spans(later, [occurrence])} == spans


def test_what_has_not_begun_is_whole(made: Bench) -> None:
    occurrence = made.occurrence(1.0)
    assert rest_of(occurrence, made.t0) is occurrence
    assert room_left(occurrence, made.t0) == 1.0
    just_begun_ns = occurrence.starts_ns + SECOND_NS
    assert rest_of(occurrence, just_begun_ns).starts_ns == occurrence.starts_ns, (
        "no slot before its beginning"
    )


def test_a_term_costs_what_the_rest_would_be_without_it() -> None:
    """0.5 that would be 0.8 without the term: with half the room 0.71 and 0.89. So what hardly counts any more is no reason."""
    none = np.zeros((1, 1), dtype=np.int64)
    whole = Foreseen(
        np.array([[0.5]]), np.array([[[0.3]]]), ("lately",), EarlierFaults(none, none), SpanRecord(none, none)
    )
    half = whole.over(0.5)
    assert half.holds[0, 0] == pytest.approx(np.sqrt(0.5))
    assert half.cost("lately")[0, 0] == pytest.approx(np.sqrt(0.8) - np.sqrt(0.5))
    assert whole.over(0.05).cost("lately")[0, 0] < WORTH_TELLING
    assert whole.over(1.0) is whole


def test_thinning_keeps_what_is_sure_and_what_is_not_known() -> None:
    got = thinned(np.array([0.0, 1.0, np.nan, 0.75]), 0.5)
    np.testing.assert_allclose(got, [0.0, 1.0, np.nan, 0.5])


def test_the_reason_is_of_the_hours_that_are_left_too(made: Bench) -> None:
    """The first hour fails in all four weeks, the last in three: once the first is over it is the last that speaks."""
    recent = made.recent(made.values((2, 2, 40)))
    occurrence = made.occurrence(-70 * MINUTE, minutes=180)
    history = made.history(recent)
    hour_of_day, week = history.hours % 24, (history.hours - history.hours[0]) // HOURS_PER_WEEK
    first, last = (local_hour(at, KOLKATA) % 24 for at in (occurrence.starts_ns, occurrence.ends_ns - 1))
    history.broken[:, 0, :, hour_of_day == first] = 240
    history.broken[:, 0, :, (hour_of_day == last) & (week > 0)] = 240
    ground = made.ground(recent, history)

    def record(now_ns: int) -> tuple[int, int] | None:
        found = verdict_of(replace(ground, now_ns=now_ns), occurrence)
        records = [one.record for one in found.reasons if one.code is ReasonCode.USUAL_HOUR]
        assert len(records) == 1, found
        return records[0]

    assert record(occurrence.starts_ns - SECOND_NS) == (4, 4)
    assert record(made.t0) == (3, 4)
