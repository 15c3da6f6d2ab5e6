"""Moves of many lines at once: which, when, and from which level to which."""

from __future__ import annotations

import numpy as np
import pytest

from analytics.changes.moved import level_moves
from telemetry.windows import SECOND_NS, SLOT_NS

T0 = 1_795_392_000 * SECOND_NS


def test_moves_of_many_lines_are_told_by_time_with_their_levels() -> None:
    """Two lines of two offices moved, at known slots: the rest is silent, and a line without a figure has not moved."""
    rtt = 40.0 + np.random.default_rng(3).normal(0.0, 0.5, (2, 2, 6 * 288))
    rtt[1, 0, 500:] += 30.0
    rtt[0, 1, 900:] -= 12.0
    rtt[0, 0] = np.nan
    told = level_moves({"rtt": rtt}, ("agra", "mau"), ("main.state", "main.national"), T0)
    assert [(m.site, m.path, m.metric) for m in told] == [
        ("mau", "main.state", "rtt"),
        ("agra", "main.national", "rtt"),
    ]
    assert [(m.when_ns - T0) / SLOT_NS for m in told] == [
        pytest.approx(500, abs=3),
        pytest.approx(900, abs=3),
    ]
    assert [(round(m.before), round(m.after)) for m in told] == [(40, 70), (40, 28)]


def test_a_move_too_small_to_matter_is_not_told() -> None:
    """1.5 ms of 40 is seen by the detector and by nobody else; 3 ms of 40 is still under a tenth; 6 ms is news."""
    quiet = np.random.default_rng(4).normal(0.0, 0.05, (1, 1, 6 * 288))
    for step, count in ((1.5, 0), (3.0, 0), (6.0, 1)):
        rtt = 40.0 + quiet
        rtt[..., 800:] += step
        assert len(level_moves({"rtt": rtt}, ("agra",), ("main.state",), T0)) == count
