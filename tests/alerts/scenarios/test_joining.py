"""An office that fails after a shared fault has named the others: first it is weighed whether it is one more of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from telemetry.decisions import FactorKind, Reason, ReasonCode
from telemetry.windows import MINUTE_NS

if TYPE_CHECKING:
    from conftest import Build

    from tests.alerts.scenarios.house import House

NAMED = ("etah", "hathras", "mainpuri", "mathura")


def told_of_four(build: Build, kind: FactorKind = FactorKind.PROVIDER, name: str = "provider-b") -> House:
    """A shared fault that has named four offices for a minute, when a fifth fails."""
    house = build(offices=("agra", *NAMED)).at("10:30").not_ready(*NAMED, severe=True)
    house.incident(kind, name, *NAMED).run("10:31")
    since = Reason(code=ReasonCode.LOSS_UP, value=0.4, limit=0.01, unit="ratio", since_ns=house.now_ns)
    return house.not_ready("agra", severe=True, reasons=(since,))


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (FactorKind.PROVIDER, "provider-b"),
        (FactorKind.REGION, "braj"),
        (FactorKind.END, "state"),
        (FactorKind.HEADQUARTERS, ""),
    ],
)
def test_one_more_of_the_shared_fault_hears_that_alone(build: Build, kind: FactorKind, name: str) -> None:
    """The incident lists it 20 s later: its in-charge is told once, that it is not their line; the NOC's incident has five offices, and is told once."""
    house = told_of_four(build, kind, name).run("10:31:20", every_s=5)
    began_ns = house.now_ns
    house.at("10:30").incident(kind, name, "agra", *NAMED)
    house.now_ns = began_ns
    house.run("10:40", every_s=5)
    assert house.told_of("site:agra") == ["10:31:20 site:agra raised not_your_line agra"]
    assert len(house.told_of("noc-desk")) == 1
    (shared,) = [one for one in house.open if not one.site]
    assert set(shared.sites) == {"agra", *NAMED}


def test_one_more_that_fails_long_after_hears_that_alone(build: Build) -> None:
    """The provider's fault began forty minutes before, and all of its offices suffer still: nobody is sent to a router in between."""
    house = build(offices=("agra", *NAMED)).at("09:50").not_ready(*NAMED, severe=True)
    house.incident(FactorKind.PROVIDER, "provider-b", *NAMED).run("10:31")
    since = Reason(code=ReasonCode.LOSS_UP, value=0.4, limit=0.01, unit="ratio", since_ns=house.now_ns)
    house.not_ready("agra", severe=True, reasons=(since,)).run("10:31:20", every_s=5)
    listed_ns = house.now_ns
    house.at("09:50").incident(FactorKind.PROVIDER, "provider-b", "agra", *NAMED)
    house.now_ns = listed_ns
    house.run("10:40", every_s=5)
    assert house.told_of("site:agra") == ["10:31:20 site:agra raised not_your_line agra"]


def test_who_is_not_named_by_then_hears_of_its_own_trouble(build: Build) -> None:
    """It waits as long as a crowd does, and no longer."""
    house = told_of_four(build).run("10:40", every_s=5)
    assert house.told_of("site:agra") == ["10:31:30 site:agra raised not_ready agra"]


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (FactorKind.PROVIDER, "provider-a"),
        (FactorKind.REGION, "awadh"),
        (FactorKind.END, "national"),
        (FactorKind.AT_ONCE, ""),
    ],
)
def test_who_has_nothing_in_common_with_them_does_not_wait(build: Build, kind: FactorKind, name: str) -> None:
    """Another provider, another region, a meeting at another end; of what has no name the others are not."""
    house = told_of_four(build, kind, name).run("10:32", every_s=5)
    assert house.told_of("site:agra") == ["10:31:00 site:agra raised not_ready agra"]


def test_what_was_broken_before_does_not_wait(build: Build) -> None:
    """A trouble that is a quarter of an hour older than the fault is not of it, and is told at once."""
    house = told_of_four(build)
    before = Reason(code=ReasonCode.LOSS_UP, value=0.4, since_ns=house.now_ns - 15 * MINUTE_NS)
    house.not_ready("agra", severe=True, reasons=(before,)).run("10:32", every_s=5)
    assert house.told_of("site:agra") == ["10:31:00 site:agra raised not_ready agra"]
