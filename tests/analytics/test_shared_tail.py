"""What a shared fault leaves behind when it is over: nobody rings a provider for it, whatever stands beside it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from analytics.actions import advise
from analytics.case import Case
from analytics.flapping import Flapping
from analytics.ground import Standing, Terms
from analytics.readiness import expect
from analytics.shared.tail import without_its_tail
from analytics.verdicts import verdicts
from telemetry.decisions import Action, Evidence, Factor, FactorKind, Incident, Reason, ReasonCode
from telemetry.windows import MINUTE_NS
from tests.analytics.evenings import evening

if TYPE_CHECKING:
    from analytics.ground import Expectation, Ground
    from telemetry.decisions import Verdict
    from tests.analytics.conftest import Bench

FAR, FIRST, LAST = 7200.0, 20, 5
"""Seconds to the meeting: time for a provider to act. The fault began and ended so many minutes ago."""


def verdict(ground: Ground, made: Bench, **terms: float) -> Verdict:
    """Of the first office, which is not ready by these terms."""
    return verdicts(ground, made.occurrence(FAR), unready(ground, made, **terms), [0])[0]


def unready(ground: Ground, made: Bench, **terms: float) -> Expectation:
    """All offices are not ready, by these terms, and hold no lower profile."""
    weighs = {name: np.full(3, terms.get(name, 0.0)) for name in Terms.__slots__}
    return replace(
        expect(ground, made.occurrence(FAR)),
        probability=np.full(3, 0.5),
        standing=np.full(3, Standing.NOT_READY, dtype=np.int8),
        best=np.full(3, -1, dtype=np.int64),
        terms=Terms(**weighs),
    )


def after_a_fault(ground: Ground, made: Bench, *sites: str, until_min: int = LAST) -> Ground:
    """A provider's fault of these offices is over; the line came back once, for it counts as one spell."""
    since_ns, until_ns = (made.t0 - minutes * MINUTE_NS for minutes in (FIRST, until_min))
    fault = Incident(
        id="one",
        factor=Factor(FactorKind.PROVIDER, "provider-b"),
        since_ns=since_ns,
        told_ns=since_ns,
        seen_ns=until_ns,
        sites=sites,
        evidence=Evidence(members=2, suffer=2, others=5, others_suffer=0, log_odds=9.0),
        until_ns=until_ns,
    )
    return replace(ground, relapses=np.ones((3, 2), dtype=np.int64), past_incidents=(fault,))


@pytest.mark.parametrize("heavier", ["fault", "strain"])
@pytest.mark.parametrize("base", [0.95, 0.5], ids=["near its limit", "expected past it"])
def test_a_line_near_its_limit_after_a_shared_fault_is_watched(
    made: Bench, heavier: str, base: float
) -> None:
    """Whichever weighs more; of a line that no shared fault has left behind the provider is asked."""
    terms = {"fault": 0.2, "strain": 0.2} | {heavier: 0.3}
    ground = evening(made, today=1.0, begins=0, base=base, height=0.0)
    found = verdict(after_a_fault(ground, made, "s00", "s01"), made, **terms)
    said = {reason.code for reason in found.reasons}
    assert ReasonCode.RECENT_FAULT in said
    assert said & {ReasonCode.STRAINED, ReasonCode.EXPECTED_STRAIN}
    assert found.action is Action.WATCH
    assert verdict(after_a_fault(ground, made, "s01", "s02"), made, **terms).action is Action.CALL_PROVIDER


def test_what_came_back_again_and_again_beside_the_shared_fault_is_its_own(made: Bench) -> None:
    """Three spells that no one fault explains are not left behind by it."""
    ground = after_a_fault(evening(made, today=1.0, begins=0, base=0.95, height=0.0), made, "s00")
    times = np.full((3, 2), 3, dtype=np.int64)
    found = verdict(
        replace(ground, relapses=times, relapsing_since_ns=times * made.t0), made, fault=0.3, strain=0.2
    )
    assert found.action is Action.CALL_PROVIDER


def flapped(made: Bench, last_min: int) -> Ground:
    """A line that was down five times, from when the fault began until so many minutes ago."""
    ground = made.ground(made.recent(made.values((3, 2, 40))))
    count = np.full((3, 2), 5, dtype=np.int64)
    first, last = (np.full((3, 2), made.t0 - minutes * MINUTE_NS) for minutes in (FIRST, last_min))
    return replace(ground, flapping=Flapping(count, first, last))


def test_a_line_that_came_and_went_with_its_provider_does_not_come_and_go(made: Bench) -> None:
    """Over with the fault it is over; what went down once more since then, or was never of it, comes and goes of itself."""
    found = verdict(after_a_fault(flapped(made, LAST), made, "s00"), made, fault=0.3)
    assert [reason.code for reason in found.reasons] == [ReasonCode.RECENT_FAULT]
    assert found.action is Action.WATCH
    since = after_a_fault(flapped(made, 1), made, "s00")
    another = after_a_fault(flapped(made, LAST), made, "s01")
    for ground in (since, another):
        own = verdict(ground, made, fault=0.3)
        assert [reason.code for reason in own.reasons] == [ReasonCode.FLAPPING]
        assert own.action is Action.CALL_PROVIDER


def test_what_was_over_before_the_shared_fault_is_not_left_behind_by_it(made: Bench) -> None:
    """A short loss of the line's own, minutes before the fault began and within it: the first is its own, the second is not."""
    for minutes, action in ((FIRST - 2, Action.WATCH), (FIRST + 10, Action.CALL_PROVIDER)):
        ground = evening(made, today=1.0, begins=0, base=0.95, height=0.0)
        fault = after_a_fault(ground, made, "s00").past_incidents[0]
        began_ns = made.t0 - minutes * MINUTE_NS
        own = Reason(code=ReasonCode.LOSS_UP, since_ns=began_ns, until_ns=began_ns + MINUTE_NS)
        near = Reason(code=ReasonCode.STRAINED, value=0.9, unit="ratio")
        occurrence = made.occurrence(FAR)
        asked = Case(replace(ground, past_incidents=(fault,)), occurrence, unready(ground, made), 0)
        assert advise(asked, without_its_tail(asked, (near, own))) is action
