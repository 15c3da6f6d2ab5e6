"""What is usual, and how often an hour fails: robust, and honest about how little is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from analytics.baseline import UsualNow, usual
from analytics.climatology import FIRST_FAILS, climatology

if TYPE_CHECKING:
    from collections.abc import Callable

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


@pytest.mark.parametrize(("days", "own"), [(0, False), (1, False), (6, False), (7, True), (14, True)])
def test_a_usual_is_the_lines_own_after_a_week(made: Bench, days: int, own: bool) -> None:
    """Before, the figure is a guess, for comparing with and not for telling; how much is known is said of each line."""
    history = known(made)
    figures = history.figures["rtt_p95_ms"]
    figures[4, 0] = np.where(history.hours >= history.end_hour - days * 24, 400.0, np.nan)
    at = UsualNow(history, history.end_hour)
    found = at.of("rtt_p95_ms")
    assert (found.days[4, 0], found.days[0, 0]) == (days, 28)
    assert np.isfinite(at.lines("rtt_p95_ms")).all()
    assert np.isfinite(at.own("rtt_p95_ms"))[:, 0].tolist() == [True, True, True, True, own]
    figure = at.figure("rtt_p95_ms", 4, 0)
    assert figure == pytest.approx(400, abs=4) if own else figure is None


@pytest.mark.parametrize("hours", [1, 6, 24])
@pytest.mark.parametrize("weeks", [4, 8])
def test_outages_of_two_hours_in_five_are_no_usual_loss(
    made: Bench, rng: Callable[[int], np.random.Generator], hours: int, weeks: int
) -> None:
    """Half of an hour's weeks may be outages: it is no loss that is usual then, however long they last; asked for, they count."""
    history = known(made, weeks=weeks)
    figures, random = history.figures["loss_ratio"], rng(61)
    begun = random.random((*figures.shape[:2], -(-figures.shape[-1] // hours))) < 0.4
    out = np.repeat(begun, hours, axis=-1)[..., : figures.shape[-1]]
    figures[...] = np.where(out, 1.0, 0.001)
    history.figures["up_loss_ratio"][...] = np.where(out, 0.9, 0.001)
    at_hours = range(history.end_hour, history.end_hour + 168, 5)
    for metric in ("loss_ratio", "up_loss_ratio"):
        value = np.stack([usual(history, metric, at).value for at in at_hours])
        np.testing.assert_allclose(value, 0.001, atol=1e-6)
    bent = np.stack([usual(history, "loss_ratio", at, outages=True).value for at in at_hours])
    assert (bent > 0.2).mean() > 0.2


def test_a_delay_is_worked_out_once_whether_outages_count_or_not(made: Bench) -> None:
    """Only of losses there are two answers: the excuse of a delay is read from what is told of it."""
    history = known(made)
    at = UsualNow(history, history.end_hour)
    assert at.of("rtt_p95_ms", outages=True) is at.of("rtt_p95_ms")
    assert at.of("loss_ratio", outages=True) is not at.of("loss_ratio")


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
