"""The daily swing is no move of the level, however uneven; a fault at an odd hour and a new level are."""

from __future__ import annotations

import numpy as np
import pytest

from analytics.changes.daily import explained_by_hour
from analytics.changes.moved import level_moves
from telemetry.windows import SLOT_NS, SLOTS_PER_DAY

DAYS = 28
HOUR = SLOTS_PER_DAY // 24
EVENING, NIGHT = 18 * HOUR, 23 * HOUR


def uneven_evenings(seed: int = 3) -> np.ndarray:
    """Round trips of 40 ms; on two evenings of three a hump of 10 to 60 ms, up to an hour early or late, with slopes."""
    rng = np.random.default_rng(seed)
    values = 40.0 + rng.normal(0.0, 0.5, DAYS * SLOTS_PER_DAY)
    slot = np.arange(SLOTS_PER_DAY)
    for day in range(DAYS):
        if day % 3 == 0:
            continue
        begin, end = (at + int(rng.integers(-HOUR, HOUR)) for at in (EVENING, NIGHT))
        slope = np.clip(np.minimum(slot - begin, end - slot) / (2.0 * HOUR), 0.0, 1.0)
        values[day * SLOTS_PER_DAY :][:SLOTS_PER_DAY] += rng.uniform(10.0, 60.0) * slope
    return values


def told(values: np.ndarray) -> list[tuple[int, float, float]]:
    found = level_moves({"rtt": values[None, None]}, ("agra",), ("main.state",), 0)
    return [(one.when_ns // SLOT_NS, round(one.before), round(one.after)) for one in found]


def test_evenings_are_no_news() -> None:
    """Of four weeks of uneven evenings nothing is told."""
    assert told(uneven_evenings()) == []


def test_a_fault_at_an_odd_hour_is_told() -> None:
    """Three hours of 30 ms more on one morning: up, and down again; the evenings around it stay untold."""
    values, at = uneven_evenings(), 14 * SLOTS_PER_DAY + 9 * HOUR
    values[at : at + 3 * HOUR] += 30.0
    assert told(values) == [(at, 40, 70), (at + 3 * HOUR, 70, 40)]


def test_an_evening_far_beyond_the_usual_is_told() -> None:
    """Four times as far off as any other evening is no daily swing."""
    values, at = uneven_evenings(), 15 * SLOTS_PER_DAY + EVENING + 2 * HOUR
    values[at : at + 2 * HOUR] += 300.0
    (up, *_, down) = told(values)
    assert (up[0], down[0]) == (at, at + 2 * HOUR)


@pytest.mark.parametrize("hour", [9, 20])
def test_a_new_level_is_told_once(hour: int) -> None:
    """Also one that begins in the middle of an evening's hump."""
    values, at = uneven_evenings(), 13 * SLOTS_PER_DAY + hour * HOUR
    values[at:] += 20.0
    ((when, before, after),) = told(values)
    assert abs(when - at) <= 6 * HOUR
    assert (before, after) == (40, 60)


def test_nothing_is_usual_within_three_days_or_where_nothing_was_measured() -> None:
    """Too few days to compare with, and no data at all, explain nothing."""
    assert not explained_by_hour(uneven_evenings()[: 3 * SLOTS_PER_DAY], 2.0, 0.1).any()
    assert not explained_by_hour(np.full(5 * SLOTS_PER_DAY, np.nan), 2.0, 0.1).any()
