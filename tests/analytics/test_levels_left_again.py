"""A level that was adopted and is left again: the way back takes a week too, and what lasted less than a week is no level."""

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

FIRST_HOUR = 4 * 24 + 168 * 2900
NORMAL = {"up_loss_ratio": (0.0005, 0.0002), "rtt_p95_ms": (40.0, 2.0)}
BAD = {"up_loss_ratio": 0.03, "rtt_p95_ms": 20.0}
LINES = 12


def repaired(
    noise: NDArray[np.float64], metric: str, *, weeks: int, spell: int, since: int, later_by: int = 0
) -> History:
    """Lines that were bad for so many hours, until `since` hours ago; each line `later_by` hours earlier than the one before."""
    history = empty_history(Lines(tuple(map(str, range(LINES))), ("main.state",)), 1, FIRST_HOUR, weeks * 168)
    normal, spread = NORMAL[metric]
    figures = history.figures[metric]
    figures[...] = np.maximum(normal + spread * noise[:, None, : weeks * 168], 0.0)
    for line in range(LINES):
        end = weeks * 168 - since - later_by * line
        figures[line, 0, max(end - spell, 0) : end] += BAD[metric]
    return history


def strays(history: History, metric: str) -> NDArray[np.float64]:
    """How far the usual of each line now lies above its normal, as a share of what the bad level added."""
    found = usual(history, metric, history.end_hour).value[:, 0]
    return np.asarray((found - NORMAL[metric][0]) / BAD[metric])


@pytest.mark.parametrize("metric", ["up_loss_ratio", "rtt_p95_ms"])
@pytest.mark.parametrize("weeks", [5, 6, 8])
def test_a_repaired_line_is_as_before_after_a_week(
    rng: Callable[[int], np.random.Generator], weeks: int, metric: str
) -> None:
    """Bad for seven days to four weeks: from a week after the repair on the bad level is usual no more, and never comes back."""
    noise = rng(71).normal(0.0, 1.0, (LINES, weeks * 168))
    for days in (7, 8, 10, 12, 14, 17, 20, 24, 28):
        for since in range(LASTS_DAYS * 24, (weeks * 7 - 3) * 24, 31):
            past = repaired(noise, metric, weeks=weeks, spell=days * 24, since=since, later_by=2)
            assert strays(past, metric).max() < 0.2, f"{days} bad days, repaired {since} hours ago"


@pytest.mark.parametrize("metric", ["up_loss_ratio", "rtt_p95_ms"])
def test_what_was_adopted_is_usual_until_then(rng: Callable[[int], np.random.Generator], metric: str) -> None:
    """Of more than seven bad days: from their end to six and a half days after it."""
    noise = rng(72).normal(0.0, 1.0, (LINES, 8 * 168))
    for days in (8, 14, 20, 28):
        for since in range(0, 156, 5):
            past = repaired(noise, metric, weeks=8, spell=days * 24, since=since)
            assert strays(past, metric).min() > 0.8, f"{days} bad days, repaired {since} hours ago"


@pytest.mark.parametrize("metric", ["up_loss_ratio", "rtt_p95_ms"])
@pytest.mark.parametrize("spell", [130, 144, 150, 156, 160])
def test_what_lasted_less_than_a_week_is_never_usual(
    rng: Callable[[int], np.random.Generator], spell: int, metric: str
) -> None:
    """Not while it lasts and not when it is over, at whichever hour of a day it began."""
    noise = rng(73).normal(0.0, 1.0, (LINES, 8 * 168))
    for since in range(-12, 21 * 24, 7):
        past = repaired(noise, metric, weeks=8, spell=spell, since=since, later_by=2)
        assert strays(past, metric).max() < 0.2, f"{spell} bad hours, over {since} hours ago"


def test_also_where_the_days_have_a_rhythm(rng: Callable[[int], np.random.Generator]) -> None:
    """Evenings that are slower by more than the step: ten slow days are adopted, and left again a week after them."""
    hours = np.arange(8 * 168)
    evening = np.where((hours % 24 >= 18) & (hours % 24 < 22), 60.0, 0.0)
    figures = 40.0 + evening + rng(74).normal(0.0, 2.0, (24, len(hours)))
    for line, each in enumerate(figures):
        each[25 * 24 + line : 35 * 24 + line] += 15.0
    for line, each in enumerate(figures):
        slow, sound = 25 * 24 + line, 35 * 24 + line
        for asked, since in ((slow + 150, 0), (slow + 172, slow), (sound + 150, slow), (sound + 172, sound)):
            found = asked - hours_of_level(each[None, :asked], "rtt_p95_ms")
            assert found == pytest.approx(since, abs=6), f"line {line} at {asked}"


def test_the_hours_before_a_move_are_none_of_the_level(rng: Callable[[int], np.random.Generator]) -> None:
    """The day in which a level moves counts only from its move on: its first hours are no second week of theirs."""
    figures = 40.0 + rng(75).normal(0.0, 2.0, (24, 8 * 168))
    for line, each in enumerate(figures):
        each[30 * 24 + line :] += 20.0
    since = figures.shape[-1] - hours_of_level(figures, "rtt_p95_ms")
    first = 30 * 24 + np.arange(24)
    assert (since >= first).all()
    assert (since < first + 13).all()
