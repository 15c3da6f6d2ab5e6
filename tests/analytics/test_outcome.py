"""Outcomes: held or failed, interim and final."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.outcome import Settled, settle
from telemetry.decisions import OutcomeState

WINDOWS = 240
HELD, FAILED, EXCUSED, UNSETTLED = (
    OutcomeState.HELD,
    OutcomeState.FAILED,
    OutcomeState.EXCUSED,
    OutcomeState.UNSETTLED,
)


def settled(
    *, broken: int = 0, missing: int = 0, lost: int = 0, excused: int = 0, final: bool = True
) -> Settled:
    """One office: `broken` measured windows broke, `missing` are missing, contact was lost in the first `lost` of them."""
    measured, broke = np.ones((1, WINDOWS), dtype=bool), np.zeros((1, WINDOWS), dtype=bool)
    contact, excuse = np.zeros((1, WINDOWS), dtype=bool), np.zeros((1, WINDOWS), dtype=bool)
    measured[0, :missing] = False
    contact[0, :lost] = True
    excuse[0, :excused] = True
    broke[0, WINDOWS - broken :] = broken > 0
    return settle(measured, broke, contact, excuse, final=final)


@pytest.mark.parametrize(("broken", "state"), [(0, HELD), (12, HELD), (13, FAILED), (240, FAILED)])
def test_five_per_cent_may_break(broken: int, state: OutcomeState) -> None:
    """Twelve of 240 windows may break, thirteen may not."""
    assert settled(broken=broken).state == (state,)


def test_missing_windows_count_when_contact_was_lost() -> None:
    """What never came while contact was lost is broken; what is missing otherwise is not held against the office."""
    gone = settled(missing=30, lost=30)
    assert (gone.state, gone.broken.tolist(), gone.missing.tolist()) == ((FAILED,), [30], [30])
    assert settled(missing=30).state == (HELD,)


def test_an_excuse_takes_missing_windows_out() -> None:
    """Maintenance explains missing windows; where it explains the most of the meeting, the outcome is excused."""
    assert settled(missing=30, lost=30, excused=30).state == (HELD,)
    assert settled(missing=200, lost=200, excused=200).state == (EXCUSED,)


def test_an_office_never_heard_and_never_lost_stays_open() -> None:
    """Without a window and without a lost contact nobody knows what happened, also in the end."""
    assert settled(missing=WINDOWS).state == (UNSETTLED,)
    assert settled(missing=WINDOWS, lost=WINDOWS).state == (FAILED,)


def test_interim_outcomes_say_only_what_cannot_turn() -> None:
    """Before the end of the day an outcome is told when no late window can change it."""
    assert settled(broken=13, missing=20, final=False).state == (FAILED,)
    assert settled(broken=2, missing=10, final=False).state == (HELD,)
    assert settled(broken=2, missing=11, lost=11, final=False).state == (UNSETTLED,)


@given(
    broken=st.integers(0, 200),
    missing=st.integers(0, 40),
    share=st.floats(0, 1),
    still=st.integers(0, 40),
)
def test_a_told_interim_outcome_is_the_final_one(broken: int, missing: int, share: float, still: int) -> None:
    """However the missing windows turn out (late and broken, late and sound, never), what was told stays true."""
    interim = settled(broken=broken, missing=missing, final=False).state[0]
    if interim is UNSETTLED:
        return
    never = min(still, missing)
    late_broken = round(share * (missing - never))
    final = settled(broken=broken + late_broken, missing=never, lost=never)
    assert final.state == (interim,)


@pytest.mark.parametrize("final", [True, False])
def test_nothing_to_hold_is_not_held(*, final: bool) -> None:
    """Of a meeting without a window nobody knows, as `came_true` knows nothing of a span without length."""
    nothing = np.zeros((1, 0), dtype=bool)
    assert settle(nothing, nothing, nothing, nothing, final=final).state == (UNSETTLED,)


def test_offices_are_settled_side_by_side() -> None:
    """Each row is an office of its own."""
    measured = np.ones((2, WINDOWS), dtype=bool)
    broke = np.zeros((2, WINDOWS), dtype=bool)
    broke[1, :50] = True
    nothing = np.zeros_like(broke)
    assert settle(measured, broke, nothing, nothing, final=True).state == (HELD, FAILED)
