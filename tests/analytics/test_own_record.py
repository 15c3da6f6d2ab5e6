"""A line that is broken now and its own record: what its earlier faults say of this one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telemetry.decisions import ReasonCode, State
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
