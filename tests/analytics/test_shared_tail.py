"""What a shared fault leaves behind when it is over: nobody rings a provider for it, whatever stands beside it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from msgspec import structs

from analytics.actions import advise
from analytics.broke_last import broke_until_ns
from analytics.case import Case
from analytics.flapping import Flapping
from analytics.ground import Standing, Terms
from analytics.readiness import expect
from analytics.shared.tail import without_its_tail
from analytics.verdicts import verdicts
from telemetry.decisions import Action, Evidence, Factor, FactorKind, Incident, Reason, ReasonCode, State
from telemetry.windows import MINUTE_NS, WINDOW_NS
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
    began_ns, until_ns = (np.full((3, 2), made.t0 - minutes * MINUTE_NS) for minutes in (FIRST, LAST))
    ground = replace(ground, relapses=times, relapsing_since_ns=began_ns, relapsed_until_ns=until_ns)
    found = verdict(ground, made, fault=0.3, strain=0.2)
    assert found.action is Action.CALL_PROVIDER
    (again,) = [one for one in found.reasons if one.code is ReasonCode.RECENT_FAULT]
    assert (again.since_ns, again.until_ns) == (began_ns[0, 0], until_ns[0, 0])


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


def twice(first: Incident) -> tuple[Incident, Incident]:
    """A provider that fell from 50 to 42 minutes ago and again from 20 to 5 minutes ago: two faults of their own."""
    began_ns = first.since_ns - 30 * MINUTE_NS
    earlier = structs.replace(
        first, id="zero", since_ns=began_ns, told_ns=began_ns, until_ns=began_ns + 8 * MINUTE_NS
    )
    return earlier, first


@pytest.mark.parametrize("own_min", [None, 30])
def test_a_line_that_went_down_with_each_of_two_faults_does_not_come_and_go(
    made: Bench, own_min: int | None
) -> None:
    """Each outage lies in one of them; one of its own between them makes it a line that comes and goes."""
    ground = made.ground(made.recent(made.values((3, 2, 40))))
    ago = [
        (FIRST + 29, FIRST + 23),
        (FIRST - 2, LAST),
        *([] if own_min is None else [(own_min, own_min - 1)]),
    ]
    told = {(0, 0): tuple((made.t0 - since * MINUTE_NS, made.t0 - until * MINUTE_NS) for since, until in ago)}
    first, last = (np.full((3, 2), made.t0 - minutes * MINUTE_NS) for minutes in (FIRST + 29, LAST))
    ground = replace(ground, flapping=Flapping(np.full((3, 2), 5), first, last, told))
    ground = after_a_fault(ground, made, "s00")
    ground = replace(ground, past_incidents=twice(ground.past_incidents[0]))
    found = verdict(ground, made, fault=0.3)
    code, action = (
        (ReasonCode.RECENT_FAULT, Action.WATCH)
        if own_min is None
        else (ReasonCode.FLAPPING, Action.CALL_PROVIDER)
    )
    assert [reason.code for reason in found.reasons] == [code]
    assert found.action is action


def test_what_the_first_of_two_faults_left_behind_is_watched(made: Bench) -> None:
    """Not the last fault alone is looked at."""
    ground = after_a_fault(evening(made, today=1.0, begins=0, base=0.95, height=0.0), made, "s00")
    earlier, later = twice(ground.past_incidents[0])
    left = Reason(code=ReasonCode.OUTAGE, since_ns=earlier.since_ns, until_ns=earlier.until_ns)
    near = Reason(code=ReasonCode.STRAINED, value=0.95, unit="ratio")
    for faults, told in (((earlier, later), (left,)), ((later,), (near, left))):
        asked = Case(replace(ground, past_incidents=faults), made.occurrence(FAR), unready(ground, made), 0)
        assert without_its_tail(asked, (near, left)) == told


@pytest.mark.parametrize(("minutes", "action"), [(LAST, Action.WATCH), (LAST - 4, Action.CALL_PROVIDER)])
def test_a_recent_fault_says_until_when_and_is_left_behind_only_within_the_shared_one(
    made: Bench, minutes: int, action: Action
) -> None:
    """Flagged last when the shared fault ended, or three minutes and more after it."""
    ground = after_a_fault(evening(made, today=1.0, begins=0, base=0.95, height=0.0), made, "s00")
    until_ns = made.t0 - minutes * MINUTE_NS
    ground = replace(ground, relapsed_until_ns=np.full((3, 2), until_ns))
    found = verdict(ground, made, fault=0.3, strain=0.2)
    (recent,) = [one for one in found.reasons if one.code is ReasonCode.RECENT_FAULT]
    assert recent.until_ns == until_ns
    assert found.action is action


def test_what_no_flag_told_has_the_end_of_its_last_broken_window(made: Bench) -> None:
    """Loss of four minutes, too little for a flag of this line, more than is forgiven: its last window, not its slot's end."""
    values = made.values((1, 2, 120))
    made.lose(values, "any", 100, (0, 0, slice(60, 76)))
    ground = made.ground(made.recent(values))
    asked = Case(ground, made.occurrence(FAR), expect(ground, made.occurrence(FAR)), 0)
    assert broke_until_ns(asked) == ground.recent.start_ns[75] + WINDOW_NS
    sound = made.ground(made.recent(made.values((1, 2, 120))))
    assert broke_until_ns(Case(sound, made.occurrence(FAR), expect(sound, made.occurrence(FAR)), 0)) == 0


def test_a_ready_verdict_asks_nothing_of_past_faults(made: Bench) -> None:
    """Each verdict of a fleet comes here, and a fault may list the fleet; who is not ready looks up its own, and the list is walked once."""
    ground = after_a_fault(made.ground(made.recent(made.values((3, 2, 40)))), made, "s00", "s01")
    ready = verdicts(ground, made.occurrence(FAR), expect(ground, made.occurrence(FAR)), [0, 1, 2])
    assert {one.state for one in ready} == {State.READY}
    assert "faults_of" not in vars(ground)
    assert verdict(ground, made, fault=0.3).action is Action.WATCH
    assert {site: len(faults) for site, faults in vars(ground)["faults_of"].items()} == {"s00": 1, "s01": 1}
