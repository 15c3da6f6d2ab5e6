"""A line and its own record: what its earlier faults say of this one, and other weeks of the meeting."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from telemetry.decisions import ReasonCode, State
from telemetry.windows import HOUR_NS
from tests.analytics.one_office import broken, verdict_of

if TYPE_CHECKING:
    from conftest import Bench

    from analytics.ground import Ground
    from telemetry.decisions import Verdict

HOUR = 3600.0


def verdict(ground: Ground, made: Bench, lead_s: float) -> Verdict:
    """Of the first office, for a meeting so many seconds ahead."""
    return verdict_of(ground, made.occurrence(lead_s))


def test_a_line_whose_faults_were_over_by_then_is_believed(made: Bench) -> None:
    """Broken now, as it was for an hour on each day at noon: two hours later it held each time. A fault that is worse is a new one."""
    recent = broken(made, lost=5, windows=40)
    history = made.history(recent)
    history.broken[:, 0, :, history.hours % 24 == 12] = 200
    first = verdict(made.ground(recent), made, 2 * HOUR)
    own = verdict(made.ground(recent, history), made, 2 * HOUR)
    assert first.state is State.NOT_READY
    assert first.reasons[0].code is ReasonCode.LOSS_UP
    assert (own.state, own.reasons[0].code) == (State.AT_RISK, ReasonCode.LOSS_UP), (
        "what is broken now is never ready"
    )
    assert own.probability is not None
    assert own.probability > 0.85
    assert verdict(made.ground(recent, history), made, 600.0).state is State.NOT_READY
    worse = broken(made, lost=60, windows=40)
    assert verdict(made.ground(worse, history), made, 2 * HOUR).state is State.NOT_READY


def test_what_fails_in_the_first_half_of_an_hour_is_not_held_against_the_other(made: Bench) -> None:
    """Twenty minutes of the hour fail every week: a meeting that begins with it is not ready, one that begins at half past is."""
    recent = broken(made, lost=0)
    history = made.history(recent)
    half_past = made.t0 + 10 * HOUR_NS
    of_week = (half_past + 5 * HOUR_NS + HOUR_NS // 2) // HOUR_NS % 168
    history.broken[:, 0, :, history.hours % 168 == of_week] = 80
    ground = made.ground(recent, history)
    for track in ground.foresight.tracks:
        slot = track.first_slot + np.arange(track.broke.shape[1])
        first = (slot + 6) % 12 < 4  # the hours of India begin at half past
        fails = np.nan_to_num(track.broke) > 0
        track.broke[fails] = np.broadcast_to(first, fails.shape)[fails]
        track.strain[fails & ~first] = 0.14
    said = [verdict(ground, made, 10 * HOUR - half) for half in (HOUR / 2, 0.0)]
    assert said[0].state is State.NOT_READY
    assert said[1].state is not State.NOT_READY
    assert said[1].probability > 0.85  # type: ignore[operator]
