"""A second link of one office is no line of the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.analytics.one_office import verdict_of

if TYPE_CHECKING:
    from conftest import Bench

    from analytics.ground import Ground

HOUR = 3600.0


def fleet(made: Bench, paths: tuple[str, ...]) -> Ground:
    """Four offices: the first loses a third of all packets upwards; of the second path only the last office has anything."""
    values = made.values((4, len(paths), 40))
    made.lose(values, "up", 50, np.s_[0])
    for column in values.values():
        column[:3, 1:] = np.nan
    recent = made.recent(values, paths)
    history = made.history(recent)
    history.measured[:3, 1:], history.broken[:, :3, 1:] = 0, 0
    for figures in history.figures.values():
        figures[:3, 1:] = np.nan
    return made.ground(recent, history)


@pytest.mark.parametrize("lead_s", [600.0, 2 * HOUR, 24 * HOUR])
def test_a_link_that_an_office_never_had_does_not_speak_for_it(made: Bench, lead_s: float) -> None:
    """What a broken line is given does not depend on what others have; who has a second link is better off with it."""
    alone, beside = fleet(made, ("main.state",)), fleet(made, ("main.state", "backup.state"))
    for site in range(3):
        mine, theirs = (verdict_of(ground, made.occurrence(lead_s), site) for ground in (alone, beside))
        assert (mine.state, mine.path) == (theirs.state, theirs.path)
        assert mine.probability == pytest.approx(theirs.probability, abs=0.02)
