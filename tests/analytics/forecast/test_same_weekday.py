"""What the asked span did on the same weekday of the weeks before, and that an hour's record speaks of a meeting only where its span's does not contradict."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC

import numpy as np
import pytest

from analytics.forecast.rails import rails
from analytics.forecast.same_weekday import WEEKS, span_record
from analytics.forecast.track import Asks, Track
from telemetry.line_slots import NEVER
from telemetry.windows import DAY_NS, MINUTE_NS, SLOT_NS
from tests.analytics.forecast.tracks import arrived_track

T0 = 1_795_392_000_000_000_000
"""Monday 2026-11-23 00:00 UTC."""
DAY = DAY_NS // SLOT_NS
MONDAYS = 6
TODAY = MONDAYS * 7 * DAY


def mondays(first_min: int, last_min: int, weeks: int = MONDAYS, share: float = 1.0) -> Track:
    """Two lines; the first breaks on so many of the newest Mondays from one minute of the day to another."""
    broke = np.zeros((2, TODAY + DAY))
    for week in range(MONDAYS - weeks, MONDAYS):
        broke[0, week * 7 * DAY + first_min // 5 : week * 7 * DAY + last_min // 5] = share
    return arrived_track(broke, broke * 3 + 0.2, T0 // SLOT_NS, MINUTE_NS)


def asked(start_min: int, minutes: int = 60, lead_min: int = 120) -> Asks:
    start_ns = np.full(2, T0 + TODAY * SLOT_NS + start_min * MINUTE_NS)
    return Asks(np.arange(2), start_ns - lead_min * MINUTE_NS, start_ns, start_ns + minutes * MINUTE_NS)


def record(track: Track, asks: Asks) -> list[tuple[int, int]]:
    return list(zip(*(each.tolist() for each in span_record(track, asks)), strict=True))


def test_the_span_is_judged_as_a_meeting_then_would_have_been() -> None:
    """More than 5 % of it broken: by the slots of the span, whatever its hours did."""
    ten = mondays(600, 620, weeks=3)
    assert record(ten, asked(600)) == [(WEEKS, 3), (WEEKS, 0)]
    assert record(ten, asked(630)) == [(WEEKS, 0), (WEEKS, 0)]
    assert record(ten, asked(615)) == [(WEEKS, 3), (WEEKS, 0)]
    assert record(ten, asked(600, minutes=400)) == [(WEEKS, 0), (WEEKS, 0)], "just 5 %"
    assert record(ten, asked(600, minutes=395)) == [(WEEKS, 3), (WEEKS, 0)]


def test_only_what_is_over_and_had_arrived_counts() -> None:
    """Two weeks ahead the last two Mondays have not come; what comes late, or was not measured, says nothing; dark without works failed."""
    ten = mondays(600, 660)
    far = asked(600, lead_min=15 * 24 * 60)
    assert record(ten, far)[0] == (2, 2)
    late, hole = ten.arrived_ns.copy(), slice(TODAY - 7 * DAY + 120, TODAY - 7 * DAY + 132)
    late[0, hole] = asked(600).now_ns[0] + 1
    assert record(replace(ten, arrived_ns=late), asked(600))[0] == (WEEKS - 1, WEEKS - 1)
    until_ns = ten.silent_until_ns.copy()
    until_ns[1, hole] = NEVER
    measured, broke = ten.measured.copy(), ten.broke.copy()
    measured[1, hole], broke[1, hole] = 0.0, np.nan
    dark = replace(ten, measured=measured, broke=broke, silent_until_ns=until_ns)
    assert record(dark, asked(600))[1] == (WEEKS, 1)
    planned = ten.planned.copy()
    planned[1, hole] = True
    assert record(replace(dark, planned=planned), asked(600))[1] == (WEEKS - 1, 0)


@pytest.mark.parametrize(
    ("track", "asks", "plain"),
    [
        (mondays(600, 620), asked(600), True),
        (mondays(600, 620), asked(630), False),
        (mondays(600, 605), asked(540, minutes=180), False),
        (mondays(600, 605), asked(600), True),
        (mondays(600, 660, weeks=2), asked(600), False),
        (mondays(600, 660, weeks=5), asked(600), True),
    ],
)
def test_an_hour_that_fails_every_week_is_held_against_a_meeting_that_would_have_failed(
    track: Track, asks: Asks, plain: bool
) -> None:
    """The first twenty minutes of an hour say nothing of a meeting that begins at half past, nor five minutes of one of three hours."""
    hour = rails(track, asks, UTC, 8.0).hour
    assert (hour > 0).tolist() == [plain, False]
