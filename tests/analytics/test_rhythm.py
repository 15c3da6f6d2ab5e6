"""A line's own rhythm: an hour is known when half of what the line gives in an hour is there, and a thinning line deceives nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from analytics.climatology import climatology
from analytics.history import empty_history, merged, with_contact_lost
from analytics.lines import Lines
from analytics.rhythm import slots_due, windows_expected

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analytics.climatology import Climatology
    from analytics.history import History

WEEKS = 5
HOURS = WEEKS * 168
LINE = Lines(("s00",), ("main.state",))


def of_windows(there: NDArray[np.bool_], broken: NDArray[np.bool_] | None = None) -> History:
    """One line from a Monday 00:00 on, by which of its 15 s windows (hours, 240) are there, and which of those broke."""
    out = empty_history(LINE, 1, 96, len(there))
    out.measured[0, 0] = there.sum(axis=1)
    out.fullest[0, 0] = there.reshape(len(there), 12, 20).sum(axis=2).max(axis=1)
    if broken is not None:
        out.broken[0, 0, 0] = (broken & there).sum(axis=1)
    return out


def every(windows: int, hours: int = HOURS, shift: int = 0) -> NDArray[np.bool_]:
    """One window of so many, over whole hours."""
    return (np.arange(hours * 240) % windows == shift).reshape(hours, 240)


def known(history: History) -> int:
    return int(climatology(history).known.sum())


def expected(history: History) -> list[int]:
    return windows_expected(history.measured, history.fullest)[0, 0].tolist()


@pytest.mark.parametrize(
    ("minutes", "hourly"), [(0.25, 240), (0.5, 120), (1, 60), (2, 30), (4, 15), (5, 12), (10, 6)]
)
def test_an_even_rhythm_is_found_and_its_hours_are_known(minutes: float, hourly: int) -> None:
    """Down to a sample every ten minutes; where the samples lie in the hour does not matter."""
    windows = round(minutes * 4)
    for shift in {0, windows // 2, windows - 1}:
        history = of_windows(every(windows, shift=shift))
        assert expected(history)[-1] == hourly
        assert known(history) == HOURS


def test_a_sample_that_now_falls_before_and_now_after_an_edge_is_no_other_rhythm() -> None:
    """Every five minutes, at the edge of a slot, some seconds early or late: slots have none, one or two."""
    at = np.arange(HOURS * 12) * 20 + 20 + np.random.default_rng(1).integers(-2, 2, HOURS * 12)
    there = np.zeros(HOURS * 240, dtype=bool)
    there[at[:-1]] = True
    history = of_windows(there.reshape(HOURS, 240))
    assert set(history.fullest[0, 0].tolist()) == {1, 2}
    assert known(history) == HOURS


def test_fewer_than_six_samples_say_nothing_of_an_hour() -> None:
    """Every quarter of an hour is not enough, though nothing is missing."""
    assert known(of_windows(every(60))) == 0


def test_an_hour_of_which_half_is_missing_is_not_known_by_the_lines_own_rhythm() -> None:
    """Also where what is left would do for another line."""
    for windows, least in ((1, 120), (4, 30), (16, 8), (20, 6)):
        there = every(windows)
        at = np.flatnonzero(there[400])
        there[400, at[least:]] = False
        assert known(of_windows(there)) == HOURS
        there[400, at[least - 1]] = False
        assert known(of_windows(there)) == HOURS - 1


@pytest.mark.parametrize("share", [0.03, 0.05, 0.1, 0.2, 0.3, 0.45])
def test_a_line_that_thins_out_by_chance_has_no_other_rhythm(share: float) -> None:
    """For weeks only so many of its windows come, here and there: an hour is known by half of all windows, as ever."""
    there = np.random.default_rng(2).random((HOURS, 240)) < share
    there[:168] = True
    history = of_windows(there)
    assert known(history) == (there.sum(axis=1) >= 120).sum()
    assert set(expected(history)) == {240}


def test_a_line_that_works_for_two_minutes_of_each_hour_is_not_known() -> None:
    """Bursts are no rhythm."""
    there = np.zeros((HOURS, 240), dtype=bool)
    there[:, 100:108] = True
    assert known(of_windows(there)) == 0


def test_the_rhythm_may_change_over_the_past() -> None:
    """Imported every four minutes, then our own probe: both are known; back again, the coarser one is believed after a week."""
    there = np.concatenate([every(16, 400), every(1, 200), every(16, 240)])
    history = of_windows(there)
    assert expected(history)[:400] == [15] * 400
    assert expected(history)[400:767] == [240] * 367
    assert expected(history)[767:] == [15] * 73
    assert known(history) == 400 + 200 + 73


def test_the_fullest_slot_is_kept_when_histories_are_merged() -> None:
    old, new = of_windows(every(16)), of_windows(every(1, 4))
    assert merged(old, new, HOURS).fullest[0, 0].tolist() == [20] * 4 + [2] * (HOURS - 4)


def hours_of(bad: dict[int, int], windows: int = 20) -> Climatology:
    """Samples every so many windows; in the hours `bad` so many of them broke."""
    there = every(windows)
    broken = np.zeros_like(there)
    for hour, count in bad.items():
        broken[hour, np.flatnonzero(there[hour])[:count]] = True
    return climatology(of_windows(there, broken))


def test_samples_prove_that_an_hour_failed_or_it_counts_for_nothing() -> None:
    """Of twelve, one or two bad ones may be chance, three are not; without any it held."""
    climate = hours_of({0: 1, 1: 2, 2: 3, 3: 12, 4: 0})
    assert climate.failed[0, 0, 0, :5].tolist() == [0, 0, 1, 1, 0]
    assert climate.judged(0)[0, 0, :5].tolist() == [WEEKS - 1, WEEKS - 1, WEEKS, WEEKS, WEEKS]
    assert sum(climate.hours_known(*line) for line in np.ndindex(climate.known.shape[:2])) == HOURS


def test_a_share_that_samples_can_show_is_held_by_it() -> None:
    """Of sixty, three bad ones are 5 %, no more: held. Six may be chance, seven are not."""
    climate = hours_of({0: 3, 1: 4, 2: 6, 3: 7}, windows=4)
    assert climate.failed[0, 0, 0, :4].tolist() == [0, 0, 0, 1]
    assert climate.judged(0)[0, 0, :4].tolist() == [WEEKS, WEEKS - 1, WEEKS - 1, WEEKS]


def test_lost_contact_weighs_by_the_lines_own_rhythm() -> None:
    """A minute without contact is no failed hour of twelve samples, an hour without contact and without a sample is one."""
    there = every(20)
    there[300] = False
    lost = np.zeros((1, HOURS), dtype=np.int64)
    lost[0, 299:301] = (4, 240)
    found = with_contact_lost(of_windows(there), lost)
    assert found.measured[0, 0, 298:302].tolist() == [12, 12, 12, 12]
    assert found.broken[0, 0, 0, 298:302].tolist() == [0, 0, 12, 0]
    assert climatology(found).failed.sum() == 1


def test_between_two_samples_nobody_is_silent() -> None:
    """A slot is due when the step since the last one is as long as steps are; what is missing is due again and again."""
    row = np.zeros(288, dtype=bool)
    row[10::2] = True
    row[100:106] = False
    due = slots_due(row[None])[0]
    assert due[100:106].tolist() == [True] * 6
    assert due[10:100].tolist() == [True, False] * 45
    assert due[106:200].tolist() == [True, False] * 47, "an outage is no rhythm"
    assert slots_due(np.ones((1, 288), dtype=bool)).all()


def test_what_comes_later_says_nothing_of_what_was_due() -> None:
    """The same past, another future."""
    row = np.random.default_rng(3).random(600) < 0.4
    other = row.copy()
    other[300:] = ~other[300:]
    assert np.array_equal(slots_due(row[None])[0, :300], slots_due(other[None])[0, :300])
