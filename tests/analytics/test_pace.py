"""The straight line of the roll-out: exact on a line, the least squares elsewhere, silent where there is nothing to say."""

from __future__ import annotations

import numpy as np
import pytest

from analytics.pace import FARTHEST_DAYS, LEAST_DAYS, SPAN_DAYS, pace

TODAY = 20_000


def said(counts: list[int], total: int, *, every: int = 1) -> tuple[float, float | None] | None:
    days = TODAY - every * np.arange(len(counts))[::-1]
    found = pace(days.astype(np.int64), np.array(counts, np.int64), total)
    return None if found is None else (found.per_week, found.days_left)


def test_an_office_a_day() -> None:
    """Ten are missing, ten days are left."""
    assert said(list(range(30, 51)), 60) == (pytest.approx(7.0), pytest.approx(10.0))


def test_only_the_last_four_weeks_count() -> None:
    """A burst before them is not carried on; within them it is numpy's own line."""
    counts = [0] * 10 + [50] * SPAN_DAYS
    assert said(counts, 60) == (pytest.approx(0.0), None)
    lumpy = [40] * 9 + [44] * 12 + [50] * 7
    slope = np.polyfit(np.arange(28), lumpy, 1)[0]
    assert said(lumpy, 60) == (pytest.approx(7 * slope), pytest.approx(10 / slope))


def test_days_that_are_missing_are_no_zeros() -> None:
    """Once a week is enough."""
    assert said([47, 48, 49, 50], 52, every=7) == (pytest.approx(1.0), pytest.approx(14.0))


def test_what_a_line_cannot_say() -> None:
    """Too short a past: nothing. Falling, flat or too slow: a pace, and no day. All linked: today."""
    assert said([], 5) is None
    assert said([5], 5) is None
    assert said([1] * LEAST_DAYS, 5) is None
    falling = said(list(range(40, 20, -1)), 60)
    assert falling is not None
    assert falling[0] < 0
    assert falling[1] is None
    slow = said([0] * 14 + [1] * 14, FARTHEST_DAYS)
    assert slow is not None
    assert slow[1] is None
    assert said(list(range(20, 41)), 40) == (pytest.approx(7.0), 0.0)
