"""What is usual, and how often an hour fails: robust, and honest about how little is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from analytics.baseline import UsualNow, usual
from analytics.climatology import FIRST_FAILS, climatology

if TYPE_CHECKING:
    from conftest import Bench

    from analytics.history import History

NINE = 9 + 24  # Tuesday 09:00


def known(made: Bench, weeks: int = 4) -> History:
    return made.history(made.recent(made.values((5, 2, 4))), hours=weeks * 168)


def cells(history: History, of_week: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.flatnonzero((history.hours + 72) % 168 == of_week)


def test_usual_is_the_hour_of_the_week(made: Bench) -> None:
    """An hour that is slow every week is usual at that hour and not at others."""
    history = known(made)
    slow = cells(history, NINE)
    history.figures["rtt_p95_ms"][0, 0, slow] = 120.0
    next_tuesday = int(history.hours[slow[-1]]) + 168
    found = usual(history, "rtt_p95_ms", next_tuesday)
    assert found.hours[0, 0] == len(slow) == 4
    assert found.value[0, 0] > 80
    assert usual(history, "rtt_p95_ms", next_tuesday + 3).value[0, 0] == pytest.approx(40, abs=1)
    assert found.value[1, 0] == pytest.approx(40, abs=1)


def test_one_bad_week_does_not_bend_it(made: Bench) -> None:
    """An outage or a single terrible week leaves the usual where it was."""
    history = known(made, weeks=5)
    hours = cells(history, NINE)
    history.figures["rtt_p95_ms"][0, 0, hours[1]] = 5000.0
    history.figures["rtt_p95_ms"][0, 0, hours[2]] = np.nan
    assert usual(history, "rtt_p95_ms", int(hours[-1] + history.first_hour) + 168).value[0, 0] < 60


def test_the_present_does_not_excuse_itself(made: Bench) -> None:
    """The hour that is asked for, and later ones, do not count."""
    history = known(made)
    at = int(history.hours[500])
    history.figures["rtt_p95_ms"][..., 500:] = 900.0
    assert usual(history, "rtt_p95_ms", at).value[0, 0] == pytest.approx(40, abs=1)


def test_a_line_without_history_borrows_from_its_peers(made: Bench) -> None:
    """A new line is expected to be like the others, and says that it knows no hours of its own; nobody knows nothing."""
    history = known(made)
    for figure in history.figures.values():
        figure[4] = np.nan
    found = usual(history, "rtt_p95_ms", history.end_hour)
    assert (found.hours[4, 0], found.value[4, 0]) == (0, pytest.approx(40, abs=1))
    for figure in history.figures.values():
        figure[...] = np.nan
    assert UsualNow(history, history.end_hour).figure("rtt_p95_ms", 0, 0) is None


def test_nothing_known_is_the_prior(made: Bench) -> None:
    """Without history every hour fails with the prior's chance."""
    history = made.history(made.recent(made.values((5, 2, 4))), hours=0)
    climate = climatology(history)
    np.testing.assert_allclose(climate.fails, FIRST_FAILS)
    assert sum(climate.hours_known(*line) for line in np.ndindex(climate.known.shape[:2])) == 0


def test_four_good_weeks_are_believed(made: Bench) -> None:
    """A line that never failed in four weeks fails with less than one per cent at any hour."""
    assert climatology(known(made)).fails.max() < 0.01


def test_a_bad_hour_of_the_week_stands_out(made: Bench) -> None:
    """An hour that failed in each of four weeks likely fails again; the same hour of other days less, others hardly; other lines are spared."""
    history = known(made)
    history.broken[:, 0, 0, cells(history, NINE)] = 100
    fails = climatology(history).fails[0, 0, 0]
    assert fails[NINE] > 0.5
    assert 0.02 < fails[NINE + 24] < 0.25
    assert fails[NINE + 3] < 0.05
    assert climatology(history).fails[0, 1, 0].max() < 0.05


def test_a_failed_hour_breaks_more_than_five_per_cent(made: Bench) -> None:
    """Twelve broken windows of 240 are held, thirteen are failed; an hour half unknown is not counted."""
    history = known(made)
    history.broken[0, 0, 0, :3] = (12, 13, 13)
    history.measured[0, 0, 2] = 119
    climate = climatology(history)
    assert climate.failed[0, 0, 0].sum() == 1
    assert climate.known[0, 0].sum() == 4 * 168 - 1


def test_sparse_lines_lean_on_the_fleet(made: Bench) -> None:
    """A line known for three hours that all failed is not taken for lost."""
    history = known(made)
    history.measured[4] = 0
    history.measured[4, 0, -3:] = 240
    history.broken[:, 4, 0, -3:] = 240
    fails = climatology(history).fails[0, 4, 0]
    assert 0.05 < fails.mean() < 0.4
