"""Outcomes with works and silence, by counted windows: what is excused, what is blamed, and what nobody can know."""

from __future__ import annotations

import numpy as np
import pytest

from analytics.outcome import settle
from telemetry.decisions import OutcomeState

WINDOWS = 40
HELD, FAILED = OutcomeState.HELD, OutcomeState.FAILED
EXCUSED, UNSETTLED = OutcomeState.EXCUSED, OutcomeState.UNSETTLED


def office(*, missing: int = 0, broke: int = 0, lost: int = 0, excused: int = 0) -> tuple[np.ndarray, ...]:
    """(measured, broke, lost, excused) of one office: the last `missing` windows never came, the first `broke` broke.

    Of the missing ones the last `lost` fell into lost contact and the last `excused` into announced works.
    """
    at = np.arange(WINDOWS)
    return at < WINDOWS - missing, at < broke, at >= WINDOWS - lost, at >= WINDOWS - excused


def outcome(*, final: bool = True, **windows: int) -> tuple[OutcomeState, int]:
    settled = settle(*(each[None] for each in office(**windows)), final=final)
    return settled.state[0], int(settled.broken[0])


@pytest.mark.parametrize(
    ("windows", "state", "broken"),
    [
        ({"broke": 2}, HELD, 2),
        ({"broke": 3}, FAILED, 3),
        ({"missing": 2, "lost": 2}, HELD, 2),
        ({"missing": 3, "lost": 3}, FAILED, 3),
        ({"missing": 20, "lost": 20, "excused": 20}, HELD, 0),
        ({"missing": 20, "lost": 20, "excused": 18}, FAILED, 2),
        ({"missing": 21, "lost": 21, "excused": 21}, EXCUSED, 0),
        ({"missing": 40, "lost": 40, "excused": 40}, EXCUSED, 0),
        ({"missing": 40, "lost": 40}, FAILED, 40),
        ({"missing": 40}, UNSETTLED, 0),
        ({"missing": 22, "excused": 19}, UNSETTLED, 0),
        ({"missing": 22, "excused": 20}, EXCUSED, 0),
        ({"broke": 2, "excused": 40}, HELD, 2),
        ({"broke": 3, "excused": 40}, FAILED, 3),
        ({"missing": 20, "broke": 1, "lost": 20, "excused": 20}, HELD, 1),
        ({"missing": 20, "broke": 2, "lost": 20, "excused": 20}, FAILED, 2),
    ],
)
def test_the_final_outcome(windows: dict[str, int], state: OutcomeState, broken: int) -> None:
    """5 % of what counts may break. Lost contact is blamed, unless works explain it; what broke is never excused.

    With less than half of the windows that count, works are the reason or nobody knows.
    """
    assert outcome(**windows) == (state, broken)


@pytest.mark.parametrize(
    ("windows", "state"),
    [
        ({}, HELD),
        ({"missing": 2}, HELD),
        ({"missing": 3}, UNSETTLED),
        ({"missing": 3, "lost": 3}, UNSETTLED),
        ({"missing": 3, "lost": 3, "excused": 3}, UNSETTLED),
        ({"missing": 20, "broke": 3}, FAILED),
        ({"missing": 1, "broke": 2}, UNSETTLED),
    ],
)
def test_before_the_end_of_waiting_only_what_nothing_can_turn_is_said(
    windows: dict[str, int], state: OutcomeState
) -> None:
    """Windows that may still come could hold or break."""
    assert outcome(final=False, **windows)[0] is state
