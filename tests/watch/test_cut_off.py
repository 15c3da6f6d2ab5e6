"""Headquarters is cut off while an office is in trouble already."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telemetry.decisions import Action, FactorKind, ReasonCode

if TYPE_CHECKING:
    from conftest import Town

OFFICES = ("agra", "meerut", "ballia", "unnao")
TROUBLED = "unnao"


def test_nobody_is_sent_to_a_router_when_headquarters_is_cut_off(town: Town) -> None:
    """One of four loses 4 % before, then every line is down: its verdict names headquarters too, and sends nobody to the router or the provider."""
    town.play(120)
    town.break_line(TROUBLED, down=0.04)
    town.play(300)
    for site in OFFICES:
        town.break_line(site, up=1.0)
    town.play(90)
    (told,) = town.state.open_incidents()
    assert (told.factor.kind, set(told.sites)) == (FactorKind.HEADQUARTERS, set(OFFICES))
    assert (told.evidence.suffer, told.evidence.members) == (4, 4)
    for site in OFFICES:
        verdict = town.verdict(site)
        assert verdict.reasons[0].code is ReasonCode.SHARED_FAULT, site
        assert verdict.reasons[0].factor == told.factor, site
        assert verdict.action is Action.WAIT_HEADQUARTERS, site
