"""A line's own floor: trailing, plain, and what lies above it breaks a window that asks for it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest

from analytics.broken import broken_windows
from analytics.causes import CAUSES, Cause
from analytics.floor import ABOVE, FLOOR_HOURS, LEAST_SLOTS, NO_REPLY_MS, above_floor, floors, with_floor
from analytics.judge import WindowVerdict, judge
from config.profiles import Limits
from telemetry.store.columns import WINDOW_VALUE_COLUMNS

if TYPE_CHECKING:
    from numpy.typing import NDArray

LIMITS = Limits(rtt_above_floor_ms=15.0)
HOURS = 5


def medians(rng: np.random.Generator, lines: int = 3) -> NDArray[np.float32]:
    """Of 7 days and some hours, with gaps; the last line has nothing."""
    found = 40 + rng.gamma(2, 8, (lines, (FLOOR_HOURS + HOURS) * 12))
    found[rng.random(found.shape) < 0.2] = np.nan
    found[-1] = np.nan
    return found.astype(np.float32)


def test_the_floor_is_the_second_percentile_of_the_seven_days_before() -> None:
    """Nearest rank over what is known, hour by hour, against a plain loop."""
    slots = medians(np.random.default_rng(3))
    found = floors(slots)
    assert found.shape == (3, HOURS)
    for line in range(2):
        for hour in range(HOURS):
            week = slots[line, hour * 12 : (hour + FLOOR_HOURS) * 12]
            known = sorted(week[~np.isnan(week)].tolist())
            assert found[line, hour] == known[math.ceil(0.02 * len(known)) - 1]
    assert np.isnan(found[2]).all()


def test_an_hour_does_not_see_itself_nor_what_comes_after() -> None:
    """Whatever is changed from an hour on, its floor and those before stay bit by bit."""
    slots = medians(np.random.default_rng(4))
    before = floors(slots)
    for hour in range(HOURS):
        future = slots.copy()
        future[:, (FLOOR_HOURS + hour) * 12 :] = 1.0
        np.testing.assert_array_equal(floors(future)[:, : hour + 1], before[:, : hour + 1])
    assert (floors(future)[:2] >= 40).all()


def test_what_comes_late_is_in_no_floor_before_it_came() -> None:
    """Of two futures with other figures, or none, of what is not there yet, the floors of before are the same to the last bit; afterwards they are not."""
    rng = np.random.default_rng(6)
    slots = medians(rng)
    late = np.where(rng.random(slots.shape) < 0.1, rng.integers(0, 200, slots.shape), 0)
    hour = np.arange(slots.shape[1]) // 12
    floor = floors(slots, late)
    for asked in range(HOURS):
        coming = hour + 1 + late > FLOOR_HOURS + asked
        other = np.where(coming, rng.choice([1.0, np.nan], slots.shape), slots).astype(np.float32)
        found = floors(other, np.where(coming, late + rng.integers(0, 50, slots.shape), late))
        np.testing.assert_array_equal(found[:, : asked + 1], floor[:, : asked + 1])
    week = slots[0, : FLOOR_HOURS * 12][late[0, : FLOOR_HOURS * 12] + hour[: FLOOR_HOURS * 12] < FLOOR_HOURS]
    known = sorted(week[~np.isnan(week)].tolist())
    assert floor[0, 0] == known[math.ceil(0.02 * len(known)) - 1]
    assert not np.array_equal(floor, floors(slots), equal_nan=True)


def test_no_lines_have_no_floors() -> None:
    """None to tell, and nothing goes wrong."""
    assert floors(np.empty((0, (FLOOR_HOURS + HOURS) * 12))).shape == (0, HOURS)


def test_an_hour_of_slots_makes_a_floor() -> None:
    """With fewer nothing is known, and nothing is judged."""
    slots = np.full((1, (FLOOR_HOURS + 2) * 12), np.nan, dtype=np.float32)
    slots[0, FLOOR_HOURS * 12 - LEAST_SLOTS + 1 : (FLOOR_HOURS + 1) * 12] = 30.0
    np.testing.assert_array_equal(floors(slots), np.array([[np.nan, 30.0]], dtype=np.float32))


def window_values() -> dict[str, NDArray[np.float32]]:
    """Four windows on a floor of 40: at the limit, above it, nothing came back, not measured."""
    values = {name: np.zeros((1, 4), dtype=np.float32) for name in WINDOW_VALUE_COLUMNS}
    values["sent"][0] = [1, 1, 1, np.nan]
    values["lost"][0] = [0, 0, 1, np.nan]
    values["rtt_p95_ms"][0] = [55, 55.5, np.nan, np.nan]
    return values


def test_what_lies_above_the_floor_breaks() -> None:
    """More than the limit above it, or no reply at all; a loss of one packet alone would prove no ratio."""
    values = with_floor(window_values(), np.array([40.0]))
    assert values[ABOVE][0, :3].tolist() == [15.0, 15.5, NO_REPLY_MS]
    found = judge(values, LIMITS)
    assert found.verdict[0].tolist() == [
        WindowVerdict.HOLDS, WindowVerdict.BREAKS, WindowVerdict.BREAKS, WindowVerdict.ABSENT,
    ]  # fmt: skip
    assert found.causes[0].tolist() == [0, Cause.RTT_FLOOR, Cause.RTT_FLOOR, 0]
    assert broken_windows(values, [LIMITS, Limits(rtt_ms=55.2)]).tolist() == [[2], [1]]


@pytest.mark.parametrize("floor", [None, math.nan])
def test_without_a_floor_nothing_is_judged_by_it(floor: float | None) -> None:
    """A line too young for a floor holds nothing for certain, and breaks only where nothing came back."""
    values = window_values() if floor is None else with_floor(window_values(), np.array([floor]))
    found = judge(values, LIMITS).verdict[0].tolist()
    lost = WindowVerdict.UNDETERMINED if floor is None else WindowVerdict.BREAKS
    assert found == [WindowVerdict.UNDETERMINED, WindowVerdict.UNDETERMINED, lost, WindowVerdict.ABSENT]


def test_a_grid_of_lines_keeps_its_shape() -> None:
    """(S, P, W) against (S, P)."""
    values = {name: np.ones((2, 3, 5), dtype=np.float32) for name in WINDOW_VALUE_COLUMNS}
    values["lost"][...] = 0.0
    above = above_floor(values, np.arange(6, dtype=np.float32).reshape(2, 3))
    np.testing.assert_array_equal(above, np.broadcast_to(1.0 - np.arange(6.0).reshape(2, 3, 1), (2, 3, 5)))
    assert CAUSES[-1] is Cause.RTT_FLOOR
