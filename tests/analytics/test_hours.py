"""Local hours: by the clock on the wall, also where it is changed."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from analytics.hours import (
    HourSpan,
    ahead_ns,
    hour_of_week,
    hours_of_week_between,
    local_hour,
    local_hours,
    starts_ns,
    utc_bounds_ns,
)
from telemetry.windows import HOUR_NS, SECOND_NS

KOLKATA, BERLIN = ZoneInfo("Asia/Kolkata"), ZoneInfo("Europe/Berlin")


def ns(*when: int) -> int:
    return int(datetime(*when, tzinfo=UTC).timestamp()) * SECOND_NS  # type: ignore[arg-type, misc]


@pytest.mark.parametrize(
    ("moment", "zone", "expected"),
    [
        (ns(2026, 11, 23, 5, 29), KOLKATA, 10),  # Monday 10:59
        (ns(2026, 11, 23, 5, 30), KOLKATA, 11),  # Monday 11:00
        (ns(2026, 11, 22, 18, 30), KOLKATA, 0),  # Monday 00:00
        (ns(2026, 11, 22, 18, 29), KOLKATA, 167),  # Sunday 23:59
        (ns(2026, 7, 6, 8, 0), BERLIN, 10),  # Monday, summer time
        (ns(2026, 12, 7, 9, 0), BERLIN, 10),  # Monday, winter time
    ],
)
def test_hour_of_week_is_local(moment: int, zone: ZoneInfo, expected: int) -> None:
    """0 is Monday's first hour on the office's clock, half-hour zones and summer time included."""
    assert hour_of_week(np.array([local_hour(moment, zone)]))[0] == expected
    assert hour_of_week(local_hours(np.array([moment]), zone))[0] == expected


@pytest.mark.parametrize(
    ("zone", "around"),
    [
        (BERLIN, ns(2026, 10, 25)),  # at 01:00 UTC, on the hour
        (ZoneInfo("Australia/Lord_Howe"), ns(2026, 10, 3, 15)),  # at 15:30 UTC, by half an hour
        (ZoneInfo("Australia/Lord_Howe"), ns(2026, 4, 4, 15)),
        (ZoneInfo("Australia/Adelaide"), ns(2026, 10, 3, 16)),  # at 16:30 UTC
        (ZoneInfo("Pacific/Chatham"), ns(2026, 9, 26, 14)),
        (ZoneInfo("Asia/Kathmandu"), ns(2026, 10, 25)),  # 5 h 45 min, never changed
    ],
)
def test_many_moments_are_as_one_by_one(zone: ZoneInfo, around: int) -> None:
    """The vectorised forms equal the single ones over a change of the clocks, also where that falls within an hour of UTC."""
    moments = around + np.arange(-36 * 12, 36 * 12).reshape(72, 12) * (HOUR_NS // 12)
    walls = [datetime.fromtimestamp(int(each) // SECOND_NS, zone).utcoffset() for each in moments.flat]
    assert local_hours(moments, zone).ravel().tolist() == [
        local_hour(int(each), zone) for each in moments.flat
    ]
    assert ahead_ns(moments, zone).ravel().tolist() == [
        round(each.total_seconds()) * SECOND_NS for each in walls if each is not None
    ]
    assert local_hours(moments, zone).shape == ahead_ns(moments, zone).shape == moments.shape
    for shape in ((), (0, 3)):  # one moment alone, and none at all
        some = np.full(shape, around)
        assert local_hours(some, zone).tolist() == np.full(shape, local_hour(around, zone)).tolist()


def test_a_meeting_touches_the_hours_that_it_lasts() -> None:
    """11:30 to 13:00 local touches the hours 11 and 12, across midnight 23 and 24."""
    noon = ns(2026, 11, 23, 6, 0)
    assert hours_of_week_between(noon, noon + HOUR_NS * 3 // 2, KOLKATA).tolist() == [11, 12]
    night = ns(2026, 11, 23, 18, 0)
    assert hours_of_week_between(night, night + HOUR_NS, KOLKATA).tolist() == [23, 24]


@pytest.mark.parametrize("zone", [KOLKATA, BERLIN])
def test_utc_bounds_hold_the_span(zone: ZoneInfo) -> None:
    """Every moment of the span's local hours lies within the bounds, in weeks with and without a change."""
    first = local_hour(ns(2026, 10, 20), zone)
    start, end = utc_bounds_ns(HourSpan(first, 168, zone))
    moments = ns(2026, 10, 18) + np.arange(0, 14 * 24 * 12) * (HOUR_NS // 12)
    inside = moments[(local_hours(moments, zone) >= first) & (local_hours(moments, zone) < first + 168)]
    assert start <= inside.min()
    assert inside.max() < end
    assert end - start <= 171 * HOUR_NS


@pytest.mark.parametrize("zone", [KOLKATA, BERLIN, ZoneInfo("America/New_York"), ZoneInfo("UTC")])
def test_a_local_hour_begins_when_the_clock_first_shows_it(zone: ZoneInfo) -> None:
    """Every hour of a year, those around the two changes of the clock included; a skipped one never was."""
    first: dict[int, int] = {}
    for half in range(2 * 8784):
        at = ns(2026, 1, 1) + half * HOUR_NS // 2
        first.setdefault(local_hour(at, zone), at)
    for hour, at in list(first.items())[1:]:
        assert starts_ns(hour, zone) == at
