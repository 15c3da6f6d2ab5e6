"""Today's course carried along the usual one: what of an asked span would break."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.forecast.course import UNKNOWN, course
from analytics.forecast.odds import log_odds
from analytics.forecast.track import Asks, Track
from tatpar.shipped.prior import shipped_prior
from telemetry.windows import DAY_NS, HOUR_NS, MINUTE_NS, SLOT_NS
from tests.analytics.forecast.tracks import arrived_track

DAY = 288
DAYS = 16
FIRST = 20_000 * DAY
EVENING = 216
"""Slot of the day at which the evening begins to build up."""


def line(today: float = 1.0, shift: float = 0.0, height: float = 0.6, days: int = DAYS) -> Track:
    """One line, strained by 0.2 and, from half past five to eleven, by up to `height` more; on the last day `today` times as much more, and `shift` over it."""
    t = np.arange(days * DAY)
    swing = height * np.interp(t % DAY, [EVENING - 6, EVENING + 30, EVENING + 60], [0.0, 1.0, 0.0])
    last = t // DAY == days - 1
    strain = 0.2 + swing * np.where(last, today, 1.0) + np.where(last, shift, 0.0)
    return track_of(strain)


def track_of(strain: np.ndarray) -> Track:
    """A line of such strain, which breaks beyond its limits."""
    return arrived_track((strain > 1.0)[None], strain[None], FIRST, MINUTE_NS)


def ask(track: Track, asked: int = EVENING + 24, lead_slots: int = 12, slots: int = 12) -> Asks:
    """One span of the last day, which begins with its slot `asked`, from so many slots before."""
    start_ns = track.start_ns + (track.broke.shape[1] // DAY - 1) * DAY_NS + asked * SLOT_NS
    start = np.array([start_ns])
    return Asks(np.zeros(1, dtype=np.int64), start - lead_slots * SLOT_NS, start, start + slots * SLOT_NS)


def told(track: Track, asks: Asks) -> dict[str, float]:
    """The figures of one ask."""
    return {name: float(values[0]) for name, values in course(track, asks).items()}


LIKELY, HARDLY = float(log_odds(0.6)), float(log_odds(0.1))


def test_an_evening_that_begins_stronger_breaks_at_its_height_though_nothing_broke_yet() -> None:
    """An hour before the height, at a strain of half the limit: the usual evening holds, one of half as much again does not."""
    usual, strong = (told(line(today), ask(line(today))) for today in (1.0, 1.6))
    assert usual["course_breaks"] < HARDLY
    assert strong["course_breaks"] > LIKELY
    assert usual["course_more"] == pytest.approx(0.0, abs=0.02)
    assert strong["course_more"] == pytest.approx(0.6, abs=0.15)


def test_an_evening_that_usually_breaks_and_begins_weaker_is_not_expected_to() -> None:
    """The other way round: the usual evening goes to 1.2 of the limit, today's to 0.8."""
    weak = told(line(0.55, height=1.0), ask(line(0.55, height=1.0)))
    assert told(line(height=1.0), ask(line(height=1.0)))["course_breaks"] > LIKELY
    assert weak["course_breaks"] < HARDLY
    assert weak["course_more"] < -0.3


def test_a_day_that_lies_above_the_others_is_a_shift_and_no_load() -> None:
    """At hours without a swing there is nothing to read a load off."""
    noon = ask(line(shift=0.25), asked=150)
    found = told(line(shift=0.25), noon)
    assert found["course_shift"] == pytest.approx(0.25, abs=0.02)
    assert found["course_more"] == pytest.approx(0.0, abs=0.01)
    assert found["course_breaks"] < HARDLY


def test_a_fault_today_hardly_passes_for_load() -> None:
    """Half an hour of a strain of 4, or of slots that broke without a figure, both the same: the evening is not expected to break."""
    track = line()
    at = track.broke.shape[1] - DAY + EVENING + 4
    found = []
    for strain in (4.0, 0.0):
        broken, strained = track.broke.copy(), track.strain.copy()
        broken[0, at : at + 6], strained[0, at : at + 6] = 1.0, strain
        found.append(told(replace(track, broke=broken, strain=strained), ask(track)))
    assert found[0] == found[1]
    assert found[0]["course_breaks"] < float(log_odds(0.4))


def test_days_with_a_fault_do_not_bend_the_usual_course() -> None:
    """Five of fourteen evenings broke by faults: the median stands."""
    track = line()
    asks = ask(track)
    strained = track.strain.copy()
    for day in (2, 5, 8, 11, 13):
        strained[0, day * DAY : (day + 1) * DAY] = 5.0
    found = told(replace(track, strain=strained), asks)
    assert found["course_breaks"] < HARDLY


def test_a_line_without_a_past_is_expected_to_go_on_as_it_is() -> None:
    """Its first day: what strains it now, next to its limits or far from them, is all that is known."""
    near, far = (track_of(np.full(DAY, strain)) for strain in (1.1, 0.3))
    assert told(near, ask(near))["course_breaks"] > float(log_odds(0.6))
    assert told(far, ask(far))["course_breaks"] < HARDLY


@pytest.mark.parametrize("lead_slots", [2, 6, 24, 288])
def test_a_worse_line_is_never_told_to_be_a_better_one(lead_slots: int) -> None:
    """The last hour and a half at strains from the limit up to five times it: the figure never falls, the shipped model's chance never rises.

    But by 0.03: beyond twice the limit hours count under that limit too, and their weights are the fit's.
    """
    track, held, breaks = line(), [], []
    asks = ask(track, asked=150, lead_slots=lead_slots)
    end = int((asks.now_ns[0] - track.start_ns) // SLOT_NS)
    for strain in (1.02, 1.2, 1.49, 1.51, 2.0, 2.5, 5.0):
        strained, broken = track.strain.copy(), track.broke.copy()
        strained[0, end - 19 : end], broken[0, end - 19 : end] = strain, 1.0
        worse = replace(track, strain=strained, broke=broken)
        held.append(float(shipped_prior().chances(worse, asks).holds[0]))
        breaks.append(told(worse, asks)["course_breaks"])
    assert max(np.diff(held)) <= 0.03
    assert min(np.diff(breaks)) >= 0.0


def test_days_without_a_word_are_no_calm_days() -> None:
    """After fifteen days of silence the hours of the evening are unknown, not calm."""
    track = line(days=31)
    silent = track.broke.copy()
    silent[:, -15 * DAY :] = np.nan
    found = told(replace(track, broke=silent), ask(track))
    assert found["course_breaks"] == pytest.approx(float(log_odds(UNKNOWN)))


def test_a_past_without_a_calm_tells_of_no_load() -> None:
    """Of the days before only the last hour's slots were measured: every figure is a number."""
    track = line()
    asks = ask(track, asked=150)
    end = int((asks.now_ns[0] - track.start_ns) // SLOT_NS)
    hour = np.isin((np.arange(track.broke.shape[1]) - end) % DAY, np.arange(DAY - 13, DAY - 3))
    found = told(replace(track, broke=np.where(hour, track.broke, np.float32(np.nan))), asks)
    assert all(np.isfinite(value) for value in found.values())
    assert found["course_more"] == 0.0


def test_nothing_known_is_no_number_out_of_nowhere() -> None:
    """Of a line that was never measured every figure is finite, and there is no load."""
    track = line()
    nothing = replace(track, broke=np.full_like(track.broke, np.nan), measured=np.zeros_like(track.measured))
    found = told(nothing, ask(track))
    assert all(np.isfinite(value) for value in found.values())
    assert (found["course_more"], found["course_shift"]) == (0.0, 0.0)


@given(today=st.floats(0.2, 2.0), more=st.floats(0.05, 0.5), lead=st.integers(3, 30))
def test_more_load_never_breaks_less(today: float, more: float, lead: int) -> None:
    """Of two evenings the one that begins stronger is expected to break at least as much, up to a fault's strain."""
    weak, strong = (told(line(of), ask(line(of), lead_slots=lead)) for of in (today, today + more))
    assert strong["course_breaks"] >= weak["course_breaks"] - 1e-6


def test_the_bits_do_not_hang_on_what_is_asked_beside() -> None:
    """A span alone, and beside spans of every length, other times and the same time again."""
    track = line(1.2)
    asks = [ask(track, lead_slots=lead, slots=slots) for lead in (6, 12, 40) for slots in (1, 7, 12, 13, 30)]
    every = Asks(*(np.concatenate([getattr(each, name) for each in asks]) for name in Asks.__slots__))
    together = course(track, every)
    for number, each in enumerate(asks):
        for name, values in course(track, each).items():
            assert values[0] == together[name][number], (name, number)


def test_what_had_not_arrived_changes_no_bit() -> None:
    """The slots after the ask, and of the days before those that came late, are turned upside down."""
    track = line(1.3)
    asks = ask(track)
    late = track.arrived_ns > asks.now_ns[0]
    arrived = track.arrived_ns.copy()
    arrived[0, 7 * DAY : 7 * DAY + HOUR_NS // SLOT_NS * 24] = asks.now_ns[0] + 1
    before = course(replace(track, arrived_ns=arrived), asks)
    late |= arrived > asks.now_ns[0]
    upset = replace(track, arrived_ns=arrived, strain=np.where(late, np.float32(9.0), track.strain))
    after = course(upset, asks)
    assert late.any()
    for name, values in before.items():
        np.testing.assert_array_equal(values, after[name], err_msg=name)
