"""What is learnt of works: a span that they darkened held no meeting, though no outcome holds it against the office."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from analytics.forecast.asking import asks_of, every_hour
from analytics.forecast.held import came_true
from analytics.forecast.replay import ReplayBlock, replay
from tatpar.shipped.prior import shipped_prior
from telemetry.line_slots import NEVER
from telemetry.windows import DAY_NS, HOUR_NS, MINUTE_NS, SLOT_NS
from tests.analytics.forecast.tracks import arrived_track

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analytics.forecast.track import Asks, Track

FIRST = 5_985_216
DAY = DAY_NS // SLOT_NS
LINES, DAYS = 12, 22
TEN = 120


def with_works() -> Track:
    """Of each line works are announced for two hours of a day in six; of three lines in four they take it off. Some hours of others fail by lot."""
    lot = np.random.default_rng(1)
    fails = np.repeat(lot.random((LINES, DAYS * 24)) < 0.03, 12, axis=1)
    planned = np.zeros(fails.shape, dtype=bool)
    for line in range(LINES):
        for day in range(line % 6, DAYS, 6):
            planned[line, day * DAY + TEN : day * DAY + TEN + 24] = True
    dark = planned & (np.arange(LINES) % 4 > 0)[:, None]
    broke = np.where(dark, np.nan, np.where(fails & ~planned, 0.5, 0.0))
    track = arrived_track(broke, np.where(fails, 3.0, 0.3), FIRST, MINUTE_NS)
    return replace(track, planned=planned, silent_until_ns=np.where(dark, NEVER, 0))


def meetings(track: Track) -> Asks:
    """Of all lines at ten, from the second day on."""
    days = np.arange(1, DAYS)
    line, day = np.repeat(np.arange(LINES), len(days)), np.tile(days, LINES)
    start_ns = track.start_ns + (day * DAY + TEN) * SLOT_NS
    return asks_of(line, start_ns, start_ns + HOUR_NS)


def of_slots(track: Track, asks: Asks) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """(M,) each: works are announced for the meeting, and they take the line off."""
    at = asks.line, (asks.start_ns - track.start_ns) // SLOT_NS
    return track.planned[at], track.silent_until_ns[at] > 0


def test_a_span_that_works_darkened_is_no_failure_and_a_lesson() -> None:
    """It is not known as an outcome; as a lesson it did not hold. Of all others both say the same."""
    track = with_works()
    asks = meetings(track)
    works, dark = of_slots(track, asks)
    outcome, lesson = came_true(track, asks), came_true(track, asks, works_excuse=False)
    assert 0 < dark.sum() < works.sum()
    assert not outcome.known[dark].any()
    assert lesson.known.all()
    assert not lesson.held[dark].any()
    assert np.array_equal(outcome.held[~dark], lesson.held[~dark])


def test_works_do_harm_after_a_refit_too() -> None:
    """They darkened three lines of four; the model that has learnt from it gives a meeting within works about as much, and other meetings what they are."""
    track = with_works()
    asks = meetings(track)
    works, dark = of_slots(track, asks)
    learnt = every_hour(np.arange(LINES), track.start_ns + DAY_NS, track.start_ns + DAYS * DAY_NS)
    found = replay([ReplayBlock(track, asks, learnt)], shipped_prior())
    after = asks.now_ns >= found.refits[0][0]
    assert (dark & after).sum() > 50
    assert found.model[works & after].max() < 0.4
    assert found.model[~works & after].mean() > 0.9
