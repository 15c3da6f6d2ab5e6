"""From reports to flags and verdicts, with time as the test says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from telemetry.decisions import Action, FactorKind, ReasonCode, State
from telemetry.windows import HOUR_NS, SECOND_NS

if TYPE_CHECKING:
    from conftest import Town

WITHIN_S = 45
WARM_S = 120


def others(town: Town, site: str) -> list[State]:
    return [town.verdict(each).state for each in ("agra", "meerut", "ballia", "unnao") if each != site]


def test_sound_offices_become_ready(town: Town) -> None:
    """Offices whose windows are clean are ready within two minutes, without reasons or action; the planned one is unknown."""
    town.play(WARM_S)
    for site in ("agra", "meerut", "ballia", "unnao"):
        verdict = town.verdict(site)
        assert verdict.state is State.READY
        assert verdict.probability is not None
        assert verdict.probability >= 0.9
        assert (verdict.reasons, verdict.action) == ((), Action.NONE)
        assert (verdict.path, verdict.best_profile) == ("main.state", "video-720p")
    planned = town.verdict("jhansi")
    assert (planned.state, planned.probability) == (State.UNKNOWN, None)
    assert [reason.code for reason in planned.reasons] == [ReasonCode.NOT_LINKED]
    assert town.state.open_flags() == []


@pytest.mark.parametrize("phase_s", [0.5, 5.0, 14.5])
def test_five_percent_loss_up_shows_within_45_s(town: Town, phase_s: float) -> None:
    """5 % loss on one office's uplink at 10 packets/s flags it and spoils its verdict within 45 s, and no other's; healing clears both within 60 s."""
    town.play(WARM_S)
    town.play(15 - (town.now_ns // SECOND_NS) % 15 + phase_s)
    town.break_line("meerut", up=0.05)
    took = town.play(
        WITHIN_S,
        lambda: (
            ("meerut", "loss_up") in town.flags()
            and town.verdict("meerut").state in (State.AT_RISK, State.NOT_READY)
        ),
    )
    assert took < WITHIN_S
    flag = town.flags()["meerut", "loss_up"]
    assert flag.reason.limit == 0.01
    assert flag.reason.value is not None
    assert 0.01 < flag.reason.value < 0.12
    assert town.now_ns - flag.since_ns < 60 * SECOND_NS
    verdict = town.verdict("meerut")
    assert verdict.reasons[0].code is ReasonCode.LOSS_UP
    assert {site for site, _ in town.flags()} == {"meerut"}
    assert others(town, "meerut") == [State.READY] * 3
    town.heal("meerut")
    took = town.play(90, lambda: not town.flags() and town.verdict("meerut").state is State.READY)
    assert took <= 60


def test_loss_is_told_by_direction(town: Town) -> None:
    """Loss on the way down is told as such; where the direction cannot be known it is told as loss."""
    town.play(WARM_S)
    town.break_line("agra", down=0.08)
    town.break_line("ballia", up=0.08, attributed=False)
    town.play(60)
    flags = town.flags()
    assert ("agra", "loss_down") in flags
    assert ("agra", "loss_up") not in flags
    assert ("ballia", "loss") in flags
    assert town.verdict("ballia").reasons[0].code is ReasonCode.LOSS


def test_jitter_and_delay_are_flagged_after_two_windows(town: Town) -> None:
    """Jitter and round trip past the alarm limit raise a flag at the second window, with value and limit."""
    town.play(WARM_S)
    town.break_line("agra", jitter_ms=40.0)
    town.break_line("unnao", rtt_ms=450.0)
    assert 15 < town.play(60, lambda: len(town.flags()) >= 3) <= 40
    flags = town.flags()
    assert flags["agra", "jitter_up"].reason.value == pytest.approx(40.0)
    assert flags["agra", "jitter_up"].reason.unit == "ms"
    assert flags["unnao", "rtt"].reason.limit == 300.0


def test_an_outage_is_told_alone_and_lowers_to_not_ready(town: Town) -> None:
    """Total loss with the office still on line is an outage, not loss; the verdict says restart the router."""
    town.play(WARM_S)
    town.break_line("unnao", up=1.0)
    town.play(60)
    assert {code for site, code in town.flags() if site == "unnao"} == {"outage"}
    verdict = town.verdict("unnao")
    assert verdict.state in (State.AT_RISK, State.NOT_READY)
    assert [reason.code for reason in verdict.reasons] == [ReasonCode.OUTAGE]
    assert verdict.action is Action.RESTART_ROUTER
    assert verdict.best_profile == ""


def test_an_office_without_contact_is_dark(town: Town) -> None:
    """An office that falls silent is less sure at first, after two minutes not ready and dark, and ready again when it is back."""
    town.play(WARM_S)
    town.offline.add("ballia")
    town.play(100)
    early = town.verdict("ballia")
    assert early.state in (State.AT_RISK, State.READY)
    town.presence("ballia", online=False)
    town.play(45)
    verdict = town.verdict("ballia")
    assert (verdict.state, verdict.probability) == (State.NOT_READY, None)
    assert [reason.code for reason in verdict.reasons] == [ReasonCode.DARK]
    assert verdict.action is Action.CHECK_POWER
    flag = town.flags()["ballia", "dark"]
    assert flag.path == ""
    assert flag.reason.since_ns is not None
    assert 120 <= (town.now_ns - flag.reason.since_ns) / SECOND_NS <= 160
    assert others(town, "ballia") == [State.READY] * 3
    town.offline.clear()
    town.presence("ballia", online=True)
    town.play(60, lambda: not town.flags() and town.verdict("ballia").state is State.READY)
    assert not town.flags()
    assert town.verdict("ballia").state is State.READY


def test_a_deaf_hub_does_not_call_offices_dark(town: Town) -> None:
    """When nothing comes from anyone the fault is ours: no office is dark, none is ready; nor right after it is mended."""
    town.play(WARM_S)
    town.offline.update(("agra", "meerut", "ballia", "unnao"))
    town.play(200)
    assert town.flags() == {}
    assert State.READY not in others(town, "")
    assert [reason.code for reason in town.verdict("agra").reasons] == [
        ReasonCode.SHARED_FAULT,
        ReasonCode.NO_DATA,
    ]
    assert [each.factor.kind for each in town.state.open_incidents()] == [FactorKind.HUB]
    town.offline.discard("agra")
    town.play(60)
    assert town.flags() == {}
    town.play(120)
    assert set(town.flags()) == {("meerut", "dark"), ("ballia", "dark"), ("unnao", "dark")}


def test_a_fault_at_headquarters_is_not_the_offices_to_mend(town: Town) -> None:
    """When every office breaks towards one end at once, nobody is told to restart a router."""
    town.play(WARM_S)
    for site in ("agra", "meerut", "ballia", "unnao"):
        town.break_line(site, down=0.2)
    town.play(60)
    assert {town.verdict(site).action for site in ("agra", "meerut", "ballia", "unnao")} == {
        Action.WAIT_HEADQUARTERS
    }


def test_a_running_meeting_is_judged_by_the_state_now(town: Town) -> None:
    """While a meeting runs, a broken line is not ready and a mended one is ready again."""
    town.meet(town.meeting("review", 0.05))
    town.play(0.05 * HOUR_NS / SECOND_NS + 60)
    assert town.verdict("agra").state is State.READY
    town.break_line("agra", up=0.06, pps=50)
    town.play(45)
    assert town.verdict("agra").state is State.NOT_READY
    town.heal("agra")
    town.play(60)
    assert town.verdict("agra").state is State.READY


def test_a_level_that_rose_is_told_and_spoils_nothing(town: Town) -> None:
    """A round trip that rises within the limit is a flag with what was usual; the verdict stays ready, and it clears when it is back."""
    town.play(450)
    town.break_line("agra", rtt_ms=90.0)
    town.play(140, lambda: ("agra", "moved_rtt") in town.flags())
    reason = town.flags()["agra", "moved_rtt"].reason
    assert reason.value == pytest.approx(90.0, rel=0.1)
    assert reason.usual == pytest.approx(40.0, rel=0.1)
    assert town.verdict("agra").state is State.READY
    assert {site for site, _ in town.flags()} == {"agra"}
    town.heal("agra")
    assert town.play(90, lambda: not town.flags()) < 90
