"""A line that is fine yet and will break during the meeting: the office hears of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telemetry.decisions import Action, ReasonCode
from tests.analytics.conftest import Bench
from tests.analytics.evenings import evening
from tests.analytics.one_office import verdict_of

if TYPE_CHECKING:
    from tests.alerts.scenarios.house import House


def test_an_evening_that_will_break_is_told_to_the_office(house: House) -> None:
    """Ten minutes before the start the line is at half of its limit: nothing was announced, so nobody is kept from hearing it."""
    bench = Bench()
    ground = evening(bench, today=1.4, begins=-5, height=0.7)
    found = verdict_of(ground, bench.occurrence(600.0))
    house.at("10:50").not_ready(
        "agra", probability=found.probability, reasons=found.reasons, action=found.action
    ).run("10:53")
    assert house.told_of("site:agra") == ["10:50:15 site:agra raised not_ready agra"]
    facts = house.facts[0][0]
    assert facts.reason is not None
    assert (facts.reason.code, facts.action) == (ReasonCode.EXPECTED_STRAIN, Action.CALL_PROVIDER)
