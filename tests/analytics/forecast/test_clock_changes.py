"""The same time of the day is the time on the office's wall, also in the weeks after the clocks were set back or forward."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from analytics.forecast.deployment import clock_ahead
from analytics.forecast.features import facts
from analytics.forecast.habits import habits
from analytics.forecast.rails import rails
from analytics.forecast.track import Asks, Track
from analytics.hours import ahead_ns
from tatpar.shipped.prior import shipped_prior
from telemetry.windows import DAY_NS, HOUR_NS, SECOND_NS, SLOT_NS

BERLIN, KOLKATA = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Kolkata")
BACK, FORWARD = datetime(2026, 10, 25), datetime(2026, 3, 29)
DAYS, DAY = 44, 288
BY_SLOT = (
    "same_hour", "same_hour_rate", "same_hour_share", "same_weekday", "yesterday", "span_strain", "span_peak", "load",
    "load_over", "course_breaks", "course_more", "course_shift",
)  # fmt: skip
BY_HOUR = ("clock", "near_clock", "far_clock")
"""Shrunk to rates that fade by the hour, of which there was one more or one less."""


def at(date: datetime, zone: tzinfo) -> int:
    return int(date.replace(tzinfo=zone).timestamp()) * SECOND_NS


def lived(changed: datetime, zone: tzinfo, seed: int) -> Track:
    """Two lines whose load and faults go by the wall of `zone`, until four days after that night; the second is sound."""
    rng = np.random.default_rng(seed)
    by_day = 0.2 + 0.5 * rng.random((DAYS, 1)) * np.interp(np.arange(DAY), [96, 130, 200], [0.0, 1.0, 0.0])
    bad = rng.random(DAYS) < 0.7
    by_day[:, 120:132] += 2.0 * bad[:, None]  # 10:00 to 11:00
    end = at(changed + timedelta(days=4), zone)
    first_slot = (end - (DAYS - 2) * DAY_NS) // SLOT_NS
    slots = end // SLOT_NS - first_slot
    starts = (first_slot + np.arange(slots, dtype=np.int64)) * SLOT_NS
    wall = starts + ahead_ns(starts, zone)
    day = wall // DAY_NS - (wall[-1] // DAY_NS - DAYS + 1)
    strain = np.stack([by_day[day, wall % DAY_NS // SLOT_NS], np.full(slots, 0.1)]).astype(np.float32)
    return Track(
        first_slot=first_slot,
        slot_ns=SLOT_NS,
        broke=(strain > 1.0).astype(np.float32),
        measured=np.ones(strain.shape, dtype=np.float32),
        silent_until_ns=np.zeros(strain.shape, dtype=np.int64),
        strain=strain,
        arrived_ns=np.broadcast_to(starts + SLOT_NS + 60 * SECOND_NS, strain.shape),
        planned=np.zeros(strain.shape, dtype=bool),
        rehearsed=np.full(strain.shape, np.nan, dtype=np.float32),
        groups={},
        ahead=clock_ahead(first_slot, slots, zone),
    )


def of_an_hour(date: datetime, zone: tzinfo, lead_h: int = 24) -> Asks:
    """Both lines, an hour from that time on the wall."""
    start = np.full(2, at(date, zone))
    return Asks(np.arange(2), start - lead_h * HOUR_NS, start, start + HOUR_NS)


@pytest.mark.parametrize("changed", [BACK, FORWARD])
@pytest.mark.parametrize("hour", [9, 10, 11, 16])
def test_what_goes_by_the_wall_reads_as_where_no_clock_is_changed(changed: datetime, hour: int) -> None:
    """Two and three days after that night: figures and guards of the same hours are those of the same days in UTC."""
    berlin, utc = (lived(changed, zone, seed=1) for zone in (BERLIN, UTC))
    assert berlin.ahead is not None
    assert utc.ahead is None
    for days in (2, 3):
        asked = changed + timedelta(days=days, hours=hour)
        here, there = of_an_hour(asked, BERLIN), of_an_hour(asked, UTC)
        ours, theirs = facts(berlin, here), facts(utc, there)
        np.testing.assert_allclose(ours.of(BY_SLOT), theirs.of(BY_SLOT), atol=1e-9)
        np.testing.assert_allclose(ours.of(BY_HOUR), theirs.of(BY_HOUR), atol=2e-3)
        guards = rails(berlin, here, BERLIN, 6.0), rails(utc, there, UTC, 6.0)
        np.testing.assert_allclose(guards[0].lasting, guards[1].lasting)


def test_the_bad_hour_is_told_on_the_day_after() -> None:
    """10 to 11 fails on most days and 11 to 12 on none: the model says so on the morning after the night, a day ahead."""
    track, model = lived(BACK, BERLIN, seed=3), shipped_prior()
    bad, good = (
        model.chances(track, of_an_hour(BACK + timedelta(days=1, hours=hour), BERLIN)).holds[0]
        for hour in (10, 11)
    )
    assert bad < 0.75
    assert good > 0.9
    by_utc = replace(track, ahead=None)
    assert model.chances(by_utc, of_an_hour(BACK + timedelta(days=1, hours=10), BERLIN)).holds[0] > 0.9


def test_an_hour_that_comes_twice_counts_with_itself() -> None:
    """Both hours of that number have one forecast by the clock; the next day stands on both."""
    track = lived(BACK, BERLIN, seed=1)
    (told,) = habits([track])
    twice = at(BACK + timedelta(hours=1), BERLIN) // HOUR_NS + 1 - told.hours.first_hour
    assert told.hours.ahead is not None
    assert (told.hours.ahead[twice], told.hours.ahead[twice + 1]) == (2, 1)
    broke = track.broke.copy()
    starts = track.start_ns + np.arange(broke.shape[1]) * SLOT_NS
    broke[1, starts // HOUR_NS == twice + 1 + told.hours.first_hour] = 1.0
    (failed,) = habits([replace(track, broke=broke)])
    assert failed.hours.failed[1, twice : twice + 2].tolist() == [False, True]
    assert failed.clock[1, twice] == pytest.approx(failed.clock[1, twice + 1], rel=1e-3)
    assert failed.clock[1, twice + 25] > 3 * told.clock[1, twice + 25]


def test_a_clock_that_nobody_sets_needs_no_offsets() -> None:
    """India's stays 5 h 30 min ahead; Berlin's 24 slots and then 12 when it is set back, at 01:00 UTC."""
    midnight = at(BACK, UTC) // SLOT_NS
    assert clock_ahead(midnight, DAY, KOLKATA) is None
    assert clock_ahead(midnight + 12, DAY, BERLIN) is None
    ahead = clock_ahead(midnight, 24, BERLIN)
    assert ahead is not None
    assert ahead.tolist() == [24] * 12 + [12] * 12
