"""An alert that outlives the shared fault it was laid to: who was told of that hears when it is another one, and what was told stays what it was told of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from telemetry.alerting import Step
from telemetry.decisions import Action, Factor, FactorKind, Reason, ReasonCode

if TYPE_CHECKING:
    from conftest import Build

    from tests.alerts.scenarios.house import House

FIVE = ("agra", "etah", "hathras", "mainpuri", "mathura")
THREE = FIVE[:3]
PROVIDER = FactorKind.PROVIDER, "provider-b"
STATE = FactorKind.END, "state"
TOLD = [f"09:30:00 site:{one} raised not_your_line {one}" for one in THREE]
AGAIN = [f"09:43:00 site:{one} raised not_your_line {one}" for one in THREE]


def laid(house: House, kind: tuple[FactorKind, str], *sites: str, was: str = "") -> None:
    """The analysis lays the trouble of these offices to a fault."""
    house.incident(*kind, *sites, was=was)
    reason = Reason(code=ReasonCode.SHARED_FAULT, value=len(sites), factor=Factor(*kind))
    reasons = (reason, Reason(code=ReasonCode.OUTAGE))
    house.not_ready(*sites, severe=True, reasons=reasons, action=Action.NONE)


def after_the_providers_fault(build: Build) -> House:
    """Three were told of it at 09:30; it was over at 09:36, and seven minutes later their verdicts have not come back."""
    house = build(offices=FIVE).at("09:30")
    laid(house, PROVIDER, *THREE)
    house.run("09:36").incident(*PROVIDER, *THREE, until="now")
    house.heard(*THREE).not_ready(*THREE, reasons=(Reason(code=ReasonCode.RECENT_FAULT),)).run("09:43")
    assert of_offices(house) == TOLD
    return house


def of_offices(house: House) -> list[str]:
    return sorted(line for line in house.told if " site:" in line)


def test_who_was_told_of_a_fault_that_is_over_hears_of_the_next_once(build: Build) -> None:
    """Told that it was the provider; now it is headquarters: they hear that, once, with the new cause, and one all-clear in the end."""
    house = after_the_providers_fault(build)
    laid(house, STATE, *FIVE)
    house.run("10:00")
    others = [f"09:43:00 site:{one} raised not_your_line {one}" for one in FIVE[3:]]
    assert of_offices(house) == [*TOLD, *sorted([*AGAIN, *others])]
    said = [facts for facts, _, _ in house.facts if facts.site == "agra"]
    assert [facts.factor for facts in said] == [Factor(*PROVIDER), Factor(*STATE)]
    house.incident(*STATE, *FIVE, until="now").ready(*FIVE).run("10:05")
    assert of_offices(house)[8:] == [f"10:02:00 site:{one} resolved not_your_line {one}" for one in FIVE]
    assert {facts.step for facts, _, _ in house.facts[-5:]} == {Step.RESOLVED}


def test_what_was_told_is_kept_with_the_fault_it_was_told_of(build: Build) -> None:
    """The alert is laid to headquarters now: the provider's fault stays what was told at 09:30."""
    house = after_the_providers_fault(build)
    laid(house, STATE, *FIVE)
    house.run("09:44")
    agra = next(one for one in house.open if one.site == "agra")
    assert [(one.incident, one.at_ns) for one in agra.laid] == [
        ("provider-provider-b", house._ns("09:30")),
        ("end-state", house._ns("09:43")),
    ]


def test_the_same_cause_again_is_not_told_again(build: Build) -> None:
    """The provider fails a second time: what they know is true."""
    house = after_the_providers_fault(build)
    laid(house, PROVIDER, *THREE, was="provider-again")
    house.run("10:00")
    assert of_offices(house) == TOLD


def test_nothing_is_told_anew_while_the_fault_that_was_told_lasts(build: Build) -> None:
    """Headquarters fails beside the provider: its word stands until the provider is well, and a restart of the alerts does not say it twice."""
    house = build(offices=FIVE).at("09:30")
    laid(house, PROVIDER, *THREE)
    house.run("09:40")
    laid(house, STATE, *THREE)
    house.run("09:43")
    assert of_offices(house) == TOLD
    house.incident(*PROVIDER, *THREE, until="now").restart().run("09:50").restart().run("10:00")
    assert of_offices(house) == [*TOLD, *AGAIN]


@pytest.mark.parametrize(
    ("then", "is_told"), [((FactorKind.HEADQUARTERS, ""), True), ((FactorKind.REGION, "braj"), False)]
)
def test_one_fault_that_gets_another_name_is_told_when_it_is_headquarters(
    build: Build, then: tuple[FactorKind, str], is_told: bool
) -> None:
    """It was laid to the provider and proves to be headquarters': no other line at the office helps against that. A region is as little theirs as a provider."""
    house = build(offices=FIVE).at("09:30")
    laid(house, PROVIDER, *THREE)
    house.run("09:43")
    laid(house, then, *THREE, was="provider-provider-b")
    house.run("09:50")
    assert of_offices(house) == [*TOLD, *(AGAIN if is_told else ())]
