"""After a shared fault: what it has left behind is nobody's own trouble, and what an office loses of its own is told as such."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from telemetry.decisions import Action, FactorKind, Reason, ReasonCode
from telemetry.windows import SECOND_NS

if TYPE_CHECKING:
    from conftest import Build

    from tests.alerts.scenarios.house import House


def test_the_tail_of_a_shared_fault_is_no_trouble_of_the_offices_own(build: Build) -> None:
    """The fault is over and its windows hold again, only its verdict has not come back yet: nothing is said until all is well; what it loses itself later is."""
    house = build().at("09:30").not_ready("agra", "etah", severe=True)
    house.incident(FactorKind.PROVIDER, "provider-b", "agra", "etah").run("09:40")
    house.incident(FactorKind.PROVIDER, "provider-b", "agra", "etah", until="now").ready("etah").heard("agra")
    was = Reason(code=ReasonCode.LOSS_UP, value=0.1, unit="ratio", since_ns=1, until_ns=house.now_ns)
    house.not_ready("agra", reasons=(was,)).run("09:50")
    house.not_ready("agra", reasons=(Reason(code=ReasonCode.RECENT_FAULT),)).run("09:55")
    assert house.told_of("site:agra") == ["09:30:00 site:agra raised not_your_line agra"]
    house.not_ready("agra").run("10:00")
    assert house.told_of("site:agra")[1:] == ["09:57:00 site:agra raised not_ready agra"]
    house.ready("agra").run("10:05")
    assert house.told_of("site:agra")[2:] == ["10:02:00 site:agra resolved not_ready agra"]


def eased_with_the_first_of_two_meetings(build: Build) -> House:
    """Told that it is not its line with the review at 09:40, which ends at 10:00; the fault is over and the review's line good at 09:50, the next meeting is at 10:30."""
    house = build(meeting="").meets("review", "09:40", minutes=20).meets("next", "10:30").at("09:30")
    house.not_ready("agra", "etah", severe=True)
    house.incident(FactorKind.PROVIDER, "provider-b", "agra", "etah").run("09:50")
    house.incident(FactorKind.PROVIDER, "provider-b", "agra", "etah", until="now").ready("agra", "etah")
    return house


def test_the_tail_of_a_shared_fault_is_over_for_every_meeting_of_the_office(build: Build) -> None:
    """The next meeting's verdict has not come back when the first one's alert is over: an in-charge who was told to do nothing is not told to ring the provider."""
    house = eased_with_the_first_of_two_meetings(build)
    tail = Reason(code=ReasonCode.RECENT_FAULT, value=2, since_ns=house.now_ns - 900 * SECOND_NS)
    house.not_ready("agra", meeting="next", reasons=(tail,), action=Action.CALL_PROVIDER).run("10:10")
    assert house.told_of("site:agra") == [
        "09:30:00 site:agra raised not_your_line agra",
        "09:52:00 site:agra resolved not_your_line agra",
    ]
    house.not_ready("agra", meeting="next").run("10:12")
    assert house.told_of("site:agra")[2:] == ["10:10:15 site:agra raised not_ready agra"]


def test_what_an_office_loses_after_a_shared_fault_is_told_as_its_own(build: Build) -> None:
    """Its line was well, then broke and came back by itself: that is nobody's tail, though an hour has not passed."""
    house = eased_with_the_first_of_two_meetings(build).run("10:05")
    was = Reason(
        code=ReasonCode.LOSS_UP, value=0.1, since_ns=house.now_ns - 300 * SECOND_NS, until_ns=house.now_ns
    )
    house.not_ready("agra", meeting="next", reasons=(was,)).run("10:10")
    assert house.told_of("site:agra")[2:] == ["10:05:15 site:agra raised not_ready agra"]


@pytest.mark.parametrize("code", [ReasonCode.STRAINED, ReasonCode.EXPECTED_STRAIN])
def test_a_line_near_its_limit_is_no_trouble_beside_what_a_shared_fault_left_behind(
    build: Build, code: ReasonCode
) -> None:
    """The strain leads, the recent fault follows: the in-charge who was told to do nothing is not told to ring the provider; of the strain alone they hear."""
    house = build().at("09:30").not_ready("agra", "etah", severe=True)
    house.incident(FactorKind.PROVIDER, "provider-b", "agra", "etah").run("09:40")
    house.incident(FactorKind.PROVIDER, "provider-b", "agra", "etah", until="now").ready("etah").heard("agra")
    near = Reason(code=code, value=0.8, unit="ratio")
    left = (near, Reason(code=ReasonCode.RECENT_FAULT))
    house.not_ready("agra", reasons=left, action=Action.CALL_PROVIDER).run("09:50")
    assert house.told_of("site:agra") == ["09:30:00 site:agra raised not_your_line agra"]
    house.not_ready("agra", reasons=(near,), action=Action.CALL_PROVIDER).run("09:55")
    assert house.told_of("site:agra")[1:] == ["09:52:00 site:agra raised not_ready agra"]


@pytest.mark.parametrize("dated", [True, False])
def test_a_fault_of_its_own_after_the_shared_one_is_over_is_told(build: Build, dated: bool) -> None:
    """A quarter of an hour after the all-clear it failed for a short time and stands near its limit: a recent fault that was not in the shared one, or that does not say when it was."""
    house = build().at("09:30").not_ready("agra", "etah", severe=True)
    house.incident(FactorKind.PROVIDER, "provider-b", "agra", "etah").run("09:40")
    house.incident(FactorKind.PROVIDER, "provider-b", "agra", "etah", until="now").ready("agra", "etah")
    house.run("10:05")
    near = Reason(code=ReasonCode.STRAINED, value=0.95, unit="ratio")
    own = Reason(code=ReasonCode.RECENT_FAULT, until_ns=house.now_ns - 180 * SECOND_NS if dated else None)
    house.not_ready("agra", reasons=(near, own), action=Action.CALL_PROVIDER).run("10:10")
    assert house.told_of("site:agra") == [
        "09:30:00 site:agra raised not_your_line agra",
        "09:42:00 site:agra resolved not_your_line agra",
        "10:05:15 site:agra raised not_ready agra",
    ]


@pytest.mark.parametrize("times", [None, 3])
def test_a_fault_of_its_own_is_told_while_what_the_shared_one_left_behind_is_not_over(
    build: Build, times: int | None
) -> None:
    """Once, or for the third time since the shared one began. Its verdict has not come back since 09:40, so the alert is open; what was within the fault is nobody's own, what was ten minutes later is."""
    house = build().at("09:30").not_ready("agra", "etah", severe=True)
    house.incident(FactorKind.PROVIDER, "provider-b", "agra", "etah").run("09:40")
    house.incident(FactorKind.PROVIDER, "provider-b", "agra", "etah", until="now").ready("etah").heard("agra")
    left = Reason(code=ReasonCode.RECENT_FAULT, until_ns=house.now_ns)
    house.not_ready("agra", reasons=(left,)).run("09:55")
    assert house.told_of("site:agra") == ["09:30:00 site:agra raised not_your_line agra"]
    since_ns = house._ns("09:35") if times else None
    until_ns = house.now_ns - 300 * SECOND_NS
    own = Reason(code=ReasonCode.RECENT_FAULT, value=times, since_ns=since_ns, until_ns=until_ns)
    house.not_ready("agra", reasons=(own,), action=Action.CALL_PROVIDER).run("10:00")
    assert house.told_of("site:agra")[1:] == ["09:57:00 site:agra raised not_ready agra"]


def test_a_line_that_comes_and_goes_after_a_shared_fault_is_told_as_its_own(build: Build) -> None:
    """Every other look finds it at risk only: it is not well between, so the in-charge does not hear for an hour that it is not their line."""
    house = build().at("09:30").not_ready("agra", "etah", severe=True)
    house.incident(FactorKind.PROVIDER, "provider-b", "agra", "etah").run("09:40")
    house.incident(FactorKind.PROVIDER, "provider-b", "agra", "etah", until="now").ready("etah")
    for minute in range(41, 51):
        house.not_ready("agra").run(f"09:{minute - 1}:30")
        house.at_risk("agra").run(f"09:{minute}")
    assert house.told_of("site:agra") == [
        "09:30:00 site:agra raised not_your_line agra",
        "09:42:00 site:agra raised not_ready agra",
    ]


def test_time_of_announced_works_does_not_make_a_trouble_an_offices_own(build: Build) -> None:
    """At risk only, and explained: what is bad when the works are over is held back like any other that has just become its own."""
    house = build().works("site:agra,works,2026-11-24 09:41,2026-11-24 10:10,2026-11-20,fibre moved")
    house.at("09:30").not_ready("agra", "etah", severe=True)
    house.incident(FactorKind.PROVIDER, "provider-b", "agra", "etah").run("09:40")
    house.incident(FactorKind.PROVIDER, "provider-b", "agra", "etah", until="now").ready("etah")
    house.not_ready("agra").run("09:40:45").at_risk("agra").run("10:10").not_ready("agra").run("10:20")
    assert house.told_of("site:agra") == [
        "09:30:00 site:agra raised not_your_line agra",
        "10:12:00 site:agra raised not_ready agra",
    ]
