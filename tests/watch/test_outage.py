"""The first minutes of an outage: nobody who is silent is called ready, and who fell silent with others need not wait for the sign."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from telemetry.decisions import FactorKind, ReasonCode, State
from telemetry.windows import SECOND_NS, SILENT_NS, WINDOW_NS
from tests.watch.conftest import Town

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

B = ("agra", "etah", "meerut", "ballia", "unnao", "basti")
A = ("jhansi", "banda", "gonda", "deoria", "hardoi", "sitapur")
HEAD = "id,name_en,name_hi,region,lat,lon,status,provider"
WARM_S = 120
TOLD_S = 75
"""Silent for 45 s, found and held for 15 s, looked at."""


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Town]:
    """Six offices of each of two providers."""
    regions = ("braj", "kashi", "awadh")
    rows = [
        f"{site},{site},{site},{regions[i % 3]},{26 + i / 9},80,linked,provider-{'ba'[i // len(B)]}"
        for i, site in enumerate((*B, *A))
    ]
    made = Town(tmp_path, sites="\n".join((HEAD, *rows, "")), linked=(*B, *A))
    yield made
    made.close()


def cut(town: Town, *sites: str) -> None:
    """From now on nothing more comes from them."""
    town.play(15 - (town.now_ns % WINDOW_NS) / SECOND_NS + 5)
    town.offline.update(sites)


def last_end_ns(town: Town, site: str) -> int:
    """End of the newest window of an office that is stored."""
    ring = town.watch._current.ring  # type: ignore[union-attr]
    return int(ring.last_end_ns[ring.lines.site_index[site]].max())


def dark(town: Town) -> set[str]:
    return {site for site, code in town.flags() if code == "dark"}


def test_who_is_silent_is_not_called_ready(fleet: Town) -> None:
    """From the moment on at which the page calls an office's data old, no verdict calls it ready; the others stay ready."""
    fleet.play(WARM_S)
    cut(fleet, *B)
    seen_silent = 0

    def wrongly_ready() -> bool:
        nonlocal seen_silent
        silent = [site for site in B if fleet.now_ns - last_end_ns(fleet, site) > SILENT_NS]
        seen_silent += len(silent)
        return any(fleet.verdict(site).state is State.READY for site in silent)

    fleet.play(150, wrongly_ready)
    assert not wrongly_ready()
    assert seen_silent > 0
    assert {fleet.verdict(site).state for site in A} == {State.READY}


def test_who_fell_silent_alone_is_at_risk_first(fleet: Town) -> None:
    """After 45 s its verdict says since when there are no data; the sign of no contact waits for two minutes of silence."""
    fleet.play(WARM_S)
    cut(fleet, "agra")
    fleet.play(90, lambda: fleet.verdict("agra").state is not State.READY)
    assert fleet.now_ns - last_end_ns(fleet, "agra") <= SILENT_NS + SECOND_NS
    verdict = fleet.verdict("agra")
    assert (verdict.state, [reason.code for reason in verdict.reasons]) == (
        State.AT_RISK,
        [ReasonCode.NO_DATA],
    )
    assert verdict.reasons[0].since_ns == last_end_ns(fleet, "agra")
    fleet.play(120, lambda: "agra" in dark(fleet))
    assert 120 < (fleet.now_ns - last_end_ns(fleet, "agra")) / SECOND_NS <= 126


def test_who_fell_silent_with_others_is_dark_with_their_fault(fleet: Town) -> None:
    """The sign of no contact comes with the incident, not a minute after it, and the reason names it; never before it."""
    fleet.play(WARM_S)
    cut(fleet, *B)
    fleet.play(TOLD_S, lambda: bool(dark(fleet) or fleet.state.open_incidents()))
    assert [each.factor.kind for each in fleet.state.open_incidents()] == [FactorKind.PROVIDER]
    assert dark(fleet) == set(B)
    assert fleet.now_ns - last_end_ns(fleet, "agra") <= TOLD_S * SECOND_NS
    for site in B:
        verdict = fleet.verdict(site)
        assert (verdict.state, verdict.probability) == (State.NOT_READY, None)
        assert [reason.code for reason in verdict.reasons] == [ReasonCode.SHARED_FAULT, ReasonCode.DARK]
    assert {fleet.verdict(site).state for site in A} == {State.READY}


def test_a_short_gap_of_a_provider_is_no_loss_of_contact(fleet: Town) -> None:
    """Two windows of all its offices are missing: never dark, ready again with the first window."""
    fleet.play(WARM_S)
    cut(fleet, *B)
    fleet.play(30, lambda: bool(dark(fleet)))
    fleet.offline.clear()
    fleet.play(45, lambda: bool(dark(fleet)))
    assert not dark(fleet)
    assert {fleet.verdict(site).state for site in (*A, *B)} == {State.READY}


def test_who_is_dark_stays_so_until_it_is_heard(fleet: Town) -> None:
    """The provider is back and one office is not: it does not blink while the incident comes to its end."""
    fleet.play(WARM_S)
    cut(fleet, *B)
    fleet.play(TOLD_S, lambda: dark(fleet) == set(B))
    fleet.offline = {"agra"}
    fleet.play(30, lambda: dark(fleet) == {"agra"})
    assert dark(fleet) == {"agra"}
    fleet.play(180, lambda: "agra" not in dark(fleet))
    assert dark(fleet) == {"agra"}
    assert not fleet.state.open_incidents()
    fleet.offline = set()
    fleet.play(30, lambda: not dark(fleet))
    assert not dark(fleet)


def test_a_hub_that_was_away_lets_offices_come_back_first(fleet: Town) -> None:
    """Nobody is less sure because we did not listen: after a restart silence counts from then on."""
    fleet.play(WARM_S)
    gone_ns = 30 * SECOND_NS
    fleet.now_ns += gone_ns
    fleet.clock.advance(gone_ns)
    fleet.restart()
    states = []

    def look() -> bool:
        states.append({fleet.verdict(site).state for site in (*A, *B)})
        return False

    fleet.play(40, look)
    assert states == [{State.READY}] * len(states)
    assert len(states) > 10


def test_many_that_fall_silent_with_nothing_in_common_are_told_as_that(fleet: Town) -> None:
    """Four of each provider, in all regions: one incident without a cause. They have no contact after the usual time only, since it may be our own link."""
    lost = (*B[:4], *A[:4])
    fleet.play(WARM_S)
    cut(fleet, *lost)
    fleet.play(TOLD_S, lambda: bool(dark(fleet) or fleet.state.open_incidents()))
    (one,) = fleet.state.open_incidents()
    assert (str(one.factor), set(one.sites)) == ("at_once", set(lost))
    assert (one.evidence.suffer, one.evidence.members) == (8, 12)
    assert not dark(fleet)
    fleet.play(20, lambda: fleet.verdict("agra").reasons[0].code is ReasonCode.SHARED_FAULT)
    assert [r.code for r in fleet.verdict("agra").reasons] == [ReasonCode.SHARED_FAULT, ReasonCode.NO_DATA]
    fleet.play(90, lambda: dark(fleet) == set(lost))
    assert {each.id for each in fleet.state.open_incidents()} == {one.id}


def test_troubles_of_before_have_not_begun_together(fleet: Town) -> None:
    """Six lines of one provider go bad two minutes apart: that flags look ten minutes back does not make one fault of them."""
    fleet.play(WARM_S, step_s=5)
    for site in B:
        fleet.break_line(site, down=0.3)
        fleet.play(120, step_s=5)
    fleet.play(720, lambda: bool(fleet.state.open_incidents()), step_s=5)
    assert {site for site, _ in fleet.flags()} == set(B)
    assert not fleet.state.open_incidents()
