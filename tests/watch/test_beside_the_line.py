"""What a call needs beside the line, and the probe's own trouble: what verdicts say of offices whose lines are perfect, or cannot be judged."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from msgspec import structs

from config.live import LiveConfig
from config.reach import ReachCheck
from probes.reaching import asking, reacher
from probes.reaching.reacher import Reacher
from probes.reaching.targets import Asked, Questions
from probes.workers import Workers
from telemetry.decisions import Action, ReasonCode, State
from telemetry.messages import Reach, ReachOutcome, SelfReport
from telemetry.windows import HOUR_NS, SECOND_NS, WINDOW_NS
from tests.reaching.far_ends import device

if TYPE_CHECKING:
    from conftest import Town

    from telemetry.messages import Envelope, Item

MINUTE_S = 60
STEP_S = 5.0
"""Between two looks: what is asked for here takes minutes."""
OFFICES = ("agra", "meerut", "ballia", "unnao")


def tell(town: Town, items: dict[str, tuple[Item, ...]], itself: dict[str, SelfReport] | None = None) -> None:
    """From now on these offices' reports hold these items too, and say this of the probe."""
    plain = type(town).envelope

    def envelope(site: str, start_ns: int) -> Envelope:
        made = plain(town, site, start_ns)
        made = structs.replace(made, items=(*made.items, *items.get(site, ())))
        return structs.replace(made, self_report=(itself or {}).get(site, made.self_report))

    town.envelope = envelope  # type: ignore[method-assign]


def reach(target: str, *, answered: bool, method: str = "sip") -> Reach:
    outcome = ReachOutcome.ANSWERED if answered else ReachOutcome.TIMEOUT
    return Reach(target=target, method=method, answered=answered, outcome=outcome, address="10.1.2.3:5060")


def meeting_in(town: Town, minutes: float) -> None:
    town.meet(town.meeting("review", minutes / 60))
    town.live = LiveConfig(town.folder / "tatpar.toml")
    town.restart()


async def test_a_device_that_goes_off_while_its_line_is_perfect(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A real device is asked, its answers go through reports and store, and its silence makes the office not ready, alone, until it is back.

    The chance stays the line's own, which is perfect, and the one thing to do is to switch the device on.
    """
    monkeypatch.setattr(asking, "PATIENCE_S", 0.5)
    monkeypatch.setattr(asking, "REPEAT_S", 0.1)
    monkeypatch.setattr(reacher, "TICK_S", 0.01)
    meeting_in(town, 25)
    heard: dict[str, tuple[Item, ...]] = {}
    tell(town, heard)
    with Workers() as workers:
        made = Reacher(town.clock, workers)
        async with device("sip") as room:
            check = ReachCheck("sip", "127.0.0.1", room.port)
            made.set_questions("meerut/p1", Questions((Asked("room", check),), every_s=15.0))
            asking_on = asyncio.create_task(made.run())

            async def play(windows: int) -> None:
                """Of each window the answer is waited for, then time goes on."""
                for _ in range(windows):
                    asked = room.asked
                    async with asyncio.timeout(60):
                        while room.asked == asked or made._asking:  # noqa: ASYNC110 - it has no event
                            await asyncio.sleep(0.01)
                    heard["meerut"] = made.take("meerut/p1", town.now_ns // WINDOW_NS * WINDOW_NS)
                    assert len(heard["meerut"]) == 1
                    town.play(15, step_s=STEP_S)

            town.play(15, step_s=STEP_S)
            await play(8)
            assert {town.verdict(site).state for site in OFFICES} == {State.READY}
            room.off = True
            await play(5)
            verdict = town.verdict("meerut")
            assert verdict.state is State.NOT_READY
            assert [reason.code for reason in verdict.reasons] == [ReasonCode.ROOM_DEVICE]
            assert verdict.action is Action.SWITCH_ON_DEVICE
            assert verdict.probability is not None
            assert verdict.probability >= 0.9
            since_ns = verdict.reasons[0].since_ns
            assert since_ns is not None
            assert 15 <= (town.now_ns - since_ns) / SECOND_NS <= 105
            assert {town.verdict(site).state for site in OFFICES if site != "meerut"} == {State.READY}
            room.off = False
            await play(2)
            assert (town.verdict("meerut").state, town.verdict("meerut").reasons) == (State.READY, ())
            asking_on.cancel()


def test_rooms_are_switched_on_shortly_before(town: Town) -> None:
    """A device that is off counts from half an hour before the meeting, not from before that."""
    meeting_in(town, 33)
    tell(town, {"meerut": (reach("room", answered=False),)})
    town.play(2.5 * MINUTE_S, step_s=STEP_S)
    assert town.verdict("meerut").state is State.READY
    town.play(MINUTE_S, step_s=STEP_S)
    assert town.verdict("meerut").reasons[0].code is ReasonCode.ROOM_DEVICE


def test_a_device_that_answers_in_one_way_is_on(town: Town) -> None:
    """SIP is silent and H.323 answers: it is on. What a probe could not ask at all says nothing, nor does a name that is wrong."""
    meeting_in(town, 25)
    could_not = Reach(
        target="room", method="sip", answered=False, outcome=ReachOutcome.OWN_TROUBLE, error="no socket"
    )
    tell(
        town,
        {
            "meerut": (reach("room", answered=False), reach("room", answered=True, method="h323")),
            "agra": (could_not,),
            "ballia": (structs.replace(could_not, outcome=ReachOutcome.NAME_UNKNOWN),),
        },
    )
    town.play(4 * MINUTE_S, step_s=STEP_S)
    assert {town.verdict(site).state for site in OFFICES} == {State.READY}


def test_a_platform_that_one_office_or_all_cannot_reach(town: Town) -> None:
    """One office's way to the platform is that office's; what is away for all is at most a risk, and there is nothing to do at the office."""
    meeting_in(town, 25)
    there, away = reach("edge", answered=True, method="tls"), reach("edge", answered=False, method="tls")
    items = dict.fromkeys(OFFICES, (there,)) | {"ballia": (away,)}
    tell(town, items)
    town.play(3 * MINUTE_S, step_s=STEP_S)
    verdict = town.verdict("ballia")
    assert (verdict.state, verdict.action) == (State.NOT_READY, Action.CALL_PROVIDER)
    assert [reason.code for reason in verdict.reasons] == [ReasonCode.PLATFORM_EDGE]
    assert town.verdict("agra").state is State.READY
    items.update(dict.fromkeys(OFFICES, (away,)))
    town.play(3 * MINUTE_S, step_s=STEP_S)
    for site in OFFICES:
        verdict = town.verdict(site)
        assert (verdict.state, verdict.action) == (State.AT_RISK, Action.WAIT_HEADQUARTERS), site
        assert verdict.reasons[0].code is ReasonCode.PLATFORM_EDGE


@pytest.mark.parametrize(
    ("line", "itself"),
    [
        ({"down": 0.05}, SelfReport(rx_drops=60)),
        ({"jitter_ms": 90.0}, SelfReport(late_sends=60, late_max_ms=80.0)),
    ],
)
def test_figures_that_the_probes_own_trouble_explains(
    town: Town, line: dict[str, float], itself: SelfReport
) -> None:
    """Replies dropped at the probe's own socket, or sending late: unknown, with the reason, and no flag; healed, ready again.

    The same figures of a probe without trouble are the line's.
    """
    meeting_in(town, 40)
    town.play(2 * MINUTE_S, step_s=STEP_S)
    known: dict[str, SelfReport] = {"meerut": itself}
    tell(town, {}, known)
    town.break_line("meerut", **line)
    town.break_line("agra", **line)
    town.play(2 * MINUTE_S, step_s=STEP_S)
    verdict = town.verdict("meerut")
    assert (verdict.state, verdict.probability) == (State.UNKNOWN, None)
    assert [reason.code for reason in verdict.reasons] == [ReasonCode.PROBE_FAULT]
    assert verdict.action is Action.WATCH
    assert {site for site, _ in town.flags()} == {"agra"}
    assert town.verdict("agra").state in (State.AT_RISK, State.NOT_READY)
    known.clear()
    town.heal("meerut")
    town.play(2 * MINUTE_S, step_s=STEP_S)
    assert town.verdict("meerut").state is State.READY


def test_a_probe_that_always_claims_trouble_hides_its_line_for_ten_minutes(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After that its line is flagged and not ready, with what the probe says of itself beside the reason; never ready before."""
    meeting_in(town, 60)
    town.play(MINUTE_S, step_s=STEP_S)
    tell(town, {}, {"meerut": SelfReport(rx_drops=100_000, late_sends=100_000)})
    town.break_line("meerut", down=0.05)
    town.play(MINUTE_S, step_s=15.0)
    assert town.verdict("meerut").state is State.UNKNOWN
    with monkeypatch.context() as patched:  # nobody looks meanwhile: that would cost ten seconds of CPU
        patched.setattr(town.watch, "step", lambda _now_ns: None)
        town.play(10 * MINUTE_S, step_s=15.0)
    town.play(MINUTE_S, step_s=STEP_S)
    verdict = town.verdict("meerut")
    assert verdict.state in (State.AT_RISK, State.NOT_READY)
    codes = [reason.code for reason in verdict.reasons]
    assert codes[0] is not ReasonCode.PROBE_FAULT
    assert codes[-1] is ReasonCode.PROBE_FAULT
    assert {site for site, _ in town.flags()} == {"meerut"}


def test_a_meeting_measured_by_a_probe_in_trouble_does_not_fail_the_office(town: Town) -> None:
    """Windows that only the probe's own trouble breaks do not count in the outcome; those of a sound probe do."""
    town.meet(town.meeting("review", 0.0, minutes=4))
    town.live = LiveConfig(town.folder / "tatpar.toml")
    town.restart()
    tell(town, {}, {"meerut": SelfReport(rx_drops=60)})
    town.break_line("meerut", down=0.05)
    town.break_line("agra", down=0.05)
    town.play(6 * MINUTE_S, step_s=STEP_S)
    later_ns = town.now_ns + 25 * HOUR_NS
    town.watch.settle(later_ns)
    states = {each.site: each.state.value for each in town.state.outcomes(0, later_ns)}
    assert states["agra"] == "failed"
    assert states["meerut"] == "excused"
    assert states["ballia"] == "held"
