"""A moved level is adopted after a week; outages, gaps, habits and noise move nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from analytics.baseline import usual
from analytics.history import empty_history
from analytics.levels import LASTS_DAYS, hours_of_level
from analytics.lines import Lines

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from analytics.history import History

RTT = "rtt_p95_ms"
WEEKS = 8
HOURS = WEEKS * 168
MONDAY = 4 * 24 + 168 * 2900
"""A local hour that begins a week."""


def past(rng: np.random.Generator, sites: int = 6, weeks: int = WEEKS) -> History:
    """Eight weeks at 40 ms, with noise of 2 ms from hour to hour."""
    lines = Lines(tuple(f"s{i}" for i in range(sites)), ("main.state",))
    history = empty_history(lines, 1, MONDAY, weeks * 168)
    history.figures[RTT][...] = 40.0 + rng.normal(0.0, 2.0, history.measured.shape)
    history.figures["loss_ratio"][...] = 0.001
    return history


def at_end(history: History, hours: int) -> float:
    """What is usual on the first line as of so many hours after the past began."""
    return float(usual(history, RTT, history.first_hour + hours).value[0, 0])


@pytest.mark.parametrize("step", [21.0, -12.0])
def test_a_moved_level_is_adopted_after_a_week(
    rng: Callable[[int], np.random.Generator], step: float
) -> None:
    """Six days after a step the old level is usual, after seven and ever after the new one; the other lines keep theirs."""
    history, moved = past(rng(1)), 30 * 24 + 5
    history.figures[RTT][0, 0, moved:] += step
    assert at_end(history, moved + 6 * 24) == pytest.approx(40, abs=2.5)
    for days in (LASTS_DAYS, LASTS_DAYS + 1, 10, 15, 20, 24):
        assert at_end(history, moved + days * 24) == pytest.approx(40 + step, abs=2.5)
    found = usual(history, RTT, history.end_hour)
    assert abs(int(found.since_hour[0, 0]) - history.first_hour - moved) <= 24
    assert (found.since_hour[1:, 0] == history.first_hour).all()
    assert (found.weeks[0, 0], found.weeks[1, 0]) == (4, WEEKS)
    assert found.hours[0, 0] < found.hours[1, 0] == WEEKS


@pytest.mark.parametrize("step", [20.0, -15.0])
@pytest.mark.parametrize("weeks", [4, 6, WEEKS])
def test_an_adopted_level_stays_adopted_while_the_past_is_forgotten(
    rng: Callable[[int], np.random.Generator], weeks: int, step: float
) -> None:
    """However little of the time before the move is still kept, the usual is the new level, and until a week of it is left, since then."""
    noise = rng(41)
    for days in range(7, weeks * 7):
        history = past(noise, sites=3, weeks=weeks)
        moved = weeks * 168 - days * 24 - 7
        history.figures[RTT][0, 0, moved:] += step
        history.figures[RTT][1, 0, moved:] += step
        history.figures[RTT][1, 0, moved + 240 : moved + 312] = np.nan  # three days without reports
        found = usual(history, RTT, history.end_hour)
        new, since = found.value[:2, 0], found.since_hour[:, 0] - history.first_hour
        assert new == pytest.approx(40 + step, abs=5), f"after {days} days"
        if moved >= 7 * 24:
            assert since[:2] == pytest.approx(moved, abs=24), f"after {days} days"
            banded = np.isfinite(found.low[:2, 0])
            assert (np.abs(found.low[:2, 0] - new)[banded] < 8).all(), f"after {days} days"
        assert since[2] == 0


@pytest.mark.parametrize("kept", [21, 22, 23, 24])
def test_of_three_weeks_too_what_was_adopted_stays_so(
    rng: Callable[[int], np.random.Generator], kept: int
) -> None:
    """After eight days thirteen are left before the move, too few to see it by, and ten after it are still to come."""
    for days in range(7, kept - 6):
        figures = 40.0 + rng(43).normal(0.0, 2.0, (9, kept * 24))
        assert (hours_of_level(figures, RTT) == kept * 24).all()
        figures[:, (kept - days) * 24 - 7 :] += 20.0
        assert hours_of_level(figures, RTT) == pytest.approx(days * 24 + 7, abs=24), f"after {days} days"


@pytest.mark.parametrize("days", [1, 3, 5])
@pytest.mark.parametrize("value", [900.0, np.nan])
def test_an_outage_or_a_gap_bends_nothing(
    rng: Callable[[int], np.random.Generator], days: int, value: float
) -> None:
    """Days of terrible or of missing figures are no level: not while they last, and not when they are over."""
    history = past(rng(2))
    begin = 40 * 24
    before = at_end(history, begin)
    history.figures[RTT][0, 0, begin : begin + days * 24] = value
    for later in (1, 12, days * 24, days * 24 + 30, days * 24 + 12 * 24):
        asked = history.first_hour + begin + later
        found = usual(history, RTT, asked)
        assert found.value[0, 0] == pytest.approx(before, abs=3)
        assert found.since_hour[0, 0] == history.first_hour
        if days <= 3:
            assert found.high[0, 0] < 50


@pytest.mark.parametrize("seed", [21, 22, 23])
@pytest.mark.parametrize("value", [900.0, 4.0])
def test_five_days_of_outage_bend_nothing_whenever_they_begin(
    rng: Callable[[int], np.random.Generator], seed: int, value: float
) -> None:
    """Begun at any hour of a day, asked at every hour until three weeks after: also where a day's end halves what it hit."""
    begin, hours = 25 * 24, 5 * 24
    figures = past(rng(seed), sites=24).figures[RTT].astype(float)
    for hour, line in enumerate(figures[:, 0]):
        line[begin + hour : begin + hour + hours] = value
    for asked in range(begin + 1, begin + hours + 22 * 24):
        assert (hours_of_level(figures[..., :asked], RTT) == asked).all(), f"asked at {asked}"


@pytest.mark.parametrize("step", [20.0, -15.0, 5.0])
def test_a_step_is_adopted_in_its_week_whenever_it_comes(
    rng: Callable[[int], np.random.Generator], step: float
) -> None:
    """Moved at any hour of a day: between six and a little over seven days after, and for good, whichever hour it is asked at."""
    begin = 30 * 24
    figures = past(rng(31), sites=24).figures[RTT].astype(float)
    for hour, line in enumerate(figures[:, 0]):
        line[begin + hour :] += step
    asked = np.arange(begin + 1, begin + 16 * 24)
    adopted = np.stack([hours_of_level(figures[..., :each], RTT)[:, 0] < each for each in asked], axis=1)
    after = asked - begin - np.arange(24)[:, None]
    first = np.take_along_axis(after, adopted.argmax(axis=1)[:, None], axis=1)
    assert ((first > 6.25 * 24) & (first <= 7.25 * 24)).all()
    assert adopted[after > 7.25 * 24].all()


def test_total_loss_for_three_days_is_not_usual(rng: Callable[[int], np.random.Generator]) -> None:
    """So it is with loss, where an outage is a figure and not a gap."""
    history = past(rng(3))
    history.figures["loss_ratio"][0, 0, -72:] = 1.0
    assert usual(history, "loss_ratio", history.end_hour).value[0, 0] < 0.002


def test_a_gap_does_not_hide_a_step(rng: Callable[[int], np.random.Generator]) -> None:
    """Days that were not measured do not count towards the seven; they only put the adoption off."""
    history, moved = past(rng(4)), 30 * 24
    history.figures[RTT][0, 0, moved:] += 20
    history.figures[RTT][0, 0, moved + 48 : moved + 120] = np.nan
    assert at_end(history, moved + 9 * 24) == pytest.approx(40, abs=2.5)
    assert at_end(history, moved + 10 * 24) == pytest.approx(60, abs=2.5)


def test_habits_of_hour_and_week_are_no_levels(rng: Callable[[int], np.random.Generator]) -> None:
    """An evening hump stays at its hours, and a level for workdays with another for the week's end is one past."""
    history = past(rng(5))
    of_day, day = history.hours % 24, (history.hours // 24 + 3) % 7
    figures = history.figures[RTT]
    figures[0, 0] += np.where((of_day >= 18) & (of_day < 21), 60.0, 0.0)
    figures[1, 0] += np.where(day >= 5, 30.0, 0.0)
    figures[2, 0] -= np.where(day >= 5, 20.0, 0.0)
    for back in range(0, 14 * 24, 11):
        assert (hours_of_level(figures[:3, :, : HOURS - back].astype(float), RTT) == HOURS - back).all()
    assert at_end(history, HOURS - 24 + 19) == pytest.approx(100, abs=6)
    assert at_end(history, HOURS - 24 + 12) == pytest.approx(40, abs=6)


def test_the_newest_of_several_steps_counts(rng: Callable[[int], np.random.Generator]) -> None:
    """From 40 over 60 to 80 ms: the past begins with the last step."""
    history = past(rng(6))
    for at in (20, 40):
        history.figures[RTT][0, 0, at * 24 :] += 20
    found = usual(history, RTT, history.end_hour)
    assert found.value[0, 0] == pytest.approx(80, abs=2.5)
    assert found.since_hour[0, 0] == pytest.approx(history.first_hour + 40 * 24, abs=24)


def test_noise_moves_nothing(rng: Callable[[int], np.random.Generator]) -> None:
    """On 2,000 lines whose days wander by a fifth of their level, fewer than one in thirty seem to have moved."""
    noise = rng(7)
    days = np.repeat(40.0 * np.exp(noise.normal(0.0, 0.2, (2000, 56))), 24, axis=-1)
    moved = hours_of_level(days, RTT) < days.shape[-1]
    assert moved.mean() < 1 / 30


def test_the_band_holds_four_fifths(rng: Callable[[int], np.random.Generator]) -> None:
    """Of fresh hours 80 % lie between low and high; an hour's own spread, not its level, makes it wide."""
    history = past(rng(8), sites=1000)
    found = usual(history, RTT, history.end_hour)
    fresh = 40.0 + rng(9).normal(0.0, 2.0, found.value.shape)
    inside = ((fresh >= found.low) & (fresh <= found.high)).mean()
    assert 0.75 < inside < 0.83
    assert ((found.low <= found.value) & (found.value <= found.high)).all()


def test_a_short_past_has_no_band(rng: Callable[[int], np.random.Generator]) -> None:
    """Under 24 days of this hour of the day a figure is told without a band, with the hours and weeks behind it."""
    history = past(rng(10))
    early = usual(history, RTT, history.first_hour + 20 * 24)
    assert np.isnan(early.low).all()
    assert np.isnan(early.high).all()
    assert (early.weeks == 3).all()
    assert np.isfinite(early.value).all()
    assert np.isfinite(usual(history, RTT, history.first_hour + 28 * 24).low).all()
    none = usual(history, RTT, history.first_hour)
    assert np.isnan(none.value).all()
    assert not none.weeks.any()


def test_no_line_and_no_day() -> None:
    """Nothing asked of nothing."""
    nothing: NDArray[np.float64] = np.zeros((0, 2, 1344))
    assert hours_of_level(nothing, RTT).shape == (0, 2)
    assert (hours_of_level(np.full((1, 2, 30), np.nan), RTT) == 30).all()
