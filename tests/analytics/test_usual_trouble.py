"""Trouble of this hour: the chance that it is no fault, where the line's own past shows as bad a hour."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from analytics.causes import CAUSES, Cause

if TYPE_CHECKING:
    from conftest import Bench

ONE = ("main.state",)


def chances(made: Bench, days: int, hour_lost: float, now_lost: float) -> tuple[float, float]:
    """The chance for a line that lost so much at this hour of the last `days` days and loses so much now; and that the hour fails."""
    values = made.values((2, 1, 30))
    made.lose(values, "any", np.array([[now_lost * 150], [0.0]]), np.s_[:, 0, 20:])
    recent = made.recent(values, ONE)
    history = made.history(recent)
    this_hour = (history.end_hour - history.hours) % 24 == 0
    new = history.hours < history.end_hour - days * 24
    history.figures["loss_ratio"][0, 0, this_hour] = hour_lost
    history.broken[:, 0, 0, this_hour] = 240
    for figures in history.figures.values():
        figures[0, 0, new] = np.nan
    history.measured[0, 0, new], history.broken[:, 0, 0, new] = 0, 0
    ground = made.ground(recent, history)
    assert ground.condition.suspicion[0, 0, 0] > 0.5
    of_week = int((history.end_hour + 72) % 168)
    return float(ground.usual_chance[0, 0, 0]), float(ground.climate.fails[0, 0, 0, of_week])


@pytest.mark.parametrize("lost", [0.2, 1.0])
def test_what_comes_at_this_hour_of_every_day_may_be_no_fault(made: Bench, lost: float) -> None:
    """A loss, and a line that is cut off at this hour of every day: outages count here as what they lose."""
    chance, fails = chances(made, 28, lost, lost)
    assert chance == fails > 0.5


def test_what_is_worse_than_this_hour_usually_is_one(made: Bench) -> None:
    """Nothing comes through where a tenth is usually lost."""
    assert chances(made, 28, 0.1, 1.0)[0] == 0.0


def test_of_a_new_line_nothing_is_usual(made: Bench) -> None:
    """Six days have shown it: a fault is a fault; the seventh makes it the line's own."""
    assert chances(made, 6, 0.2, 0.2)[0] == 0.0
    assert chances(made, 7, 0.2, 0.2)[0] > 0.0


def test_the_causes_of_this_file_are_what_is_suspected(made: Bench) -> None:
    """Loss of unknown direction, or an outage when all is lost."""
    values = made.values((2, 1, 30))
    made.lose(values, "any", np.array([[30.0], [150.0]]), np.s_[:, 0, 20:])
    suspects = made.ground(made.recent(values, ONE)).condition.by_cause[0, :, 0] > 0.5
    assert suspects[0, CAUSES.index(Cause.LOSS)]
    assert suspects[1, CAUSES.index(Cause.OUTAGE)]
