"""What to do about a fault that offices share, in a real Chromium: the wall says what the mail says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from telemetry.decisions import Action, Factor, FactorKind, Reason, ReasonCode, State
from telemetry.words import say

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser
OFFICES = ("agra", "mathura", "hathras")
MORNING = "#/meeting/morning-review%40tatpar.example/20261124T053000Z"


def shared(factor: Factor) -> Reason:
    return Reason(code=ReasonCode.SHARED_FAULT, value=7, limit=8, factor=factor)


@pytest.mark.parametrize("language", ["en", "hi"])
@pytest.mark.parametrize(
    "factor", [Factor(FactorKind.REGION, "braj"), Factor(FactorKind.PROVIDER, "provider-b")]
)
def test_the_row_of_a_shared_fault_says_what_its_mail_says(
    page: Page, faulty: Any, until: Any, language: str, factor: Factor
) -> None:
    """Of a region: find out what has failed there; of a provider: call once for all, and not once for each office."""
    for site in OFFICES:
        faulty.decide(site, State.NOT_READY, 0.2, shared(factor), action=Action.CALL_PROVIDER)
    page.goto(f"{faulty.url}/?lang={language}")
    wanted = say(language, f"alerts.act_shared.{factor.kind.value}")
    until(page, f"document.querySelector('.rows details .action')?.textContent === {wanted!r}")


def test_an_office_of_a_regions_fault_has_the_same_advice_on_every_page(
    page: Page, faulty: Any, until: Any
) -> None:
    """Alone in the list, on its own page and on its meeting's; who can join with less is still told that."""
    region = shared(Factor(FactorKind.REGION, "braj"))
    for site in OFFICES:
        faulty.decide(site, State.READY, 0.97)
    faulty.decide("agra", State.NOT_READY, 0.2, region, action=Action.CALL_PROVIDER)
    faulty.decide("basti", State.AT_RISK, 0.7, region, action=Action.LOWER_PROFILE)
    wanted, lower = say("en", "alerts.act_shared.region"), say("en", "action.lower_profile")
    page.goto(f"{faulty.url}/?lang=en{MORNING}")
    row = "document.querySelector(\"tr:has([data-site='{}']) .col-action\")?.textContent"
    until(page, f"{row.format('agra')} === {wanted!r}")
    assert page.evaluate(row.format("basti")) == lower
    page.goto(f"{faulty.url}/?lang=en#/site/agra")
    until(page, f"document.querySelector('.site-head .why')?.textContent.endsWith({wanted!r})")
    faulty.decide("basti", State.READY, 0.97)
    page.goto(f"{faulty.url}/?lang=en")
    until(page, f"document.querySelector(\".row[href='#/site/agra'] .action\")?.textContent === {wanted!r}")
