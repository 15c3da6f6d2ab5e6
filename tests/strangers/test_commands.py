"""Commands at an enrolled probe: what its hub has signed for now is obeyed once; everything else is refused."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from probes.publishing.commands import LONGEST_NS, SKEW_NS, Guard, RefusedCommandError
from tatpar.identity.enrolling import Hub, answered, order
from telemetry.clock import ManualClock
from telemetry.codec import encode_control
from telemetry.control import Command
from telemetry.signing import signed_command
from telemetry.windows import SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Eventually = Callable[..., Awaitable[None]]

ROOT = "tatpar/1"
KEY, OTHER_KEY = b"k" * 32, b"o" * 32
NOW = 1_800_000_000 * SECOND_NS


def command(**changes: Any) -> Command:
    fields = {"verb": "ping", "id": "1", "issued_ns": NOW, "expires_ns": NOW + 30 * SECOND_NS}
    return Command(**(fields | changes))


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW - 3600 * SECOND_NS, 0)


@pytest.fixture
def guard(clock: ManualClock) -> Guard:
    made = Guard("agra", "p1", clock)
    clock.advance(3600 * SECOND_NS)
    return made


def test_what_the_hub_signed_is_obeyed_once(guard: Guard) -> None:
    """The same message again, from whoever kept it, is not."""
    good = signed_command(KEY, "agra", "p1", command())
    assert guard.objection(good, [OTHER_KEY, KEY]) == ""
    assert guard.objection(good, [OTHER_KEY, KEY]) == "it was obeyed before"


@pytest.mark.parametrize(
    "change",
    [
        {"verb": "resend"},
        {"arguments": {"a": "b"}},
        {"id": "2"},
        {"issued_ns": NOW + 1},
        {"expires_ns": NOW + 31 * SECOND_NS},
        {"signature": "0" * 64},
        {"signature": "आगरा"},
        {"signature": ""},
    ],
)
def test_whatever_is_changed_breaks_the_signature(guard: Guard, change: dict[str, Any]) -> None:
    """Verb, arguments, id, times: each is covered; such a command is not even answered."""
    forged = replace(signed_command(KEY, "agra", "p1", command()), **change)
    with pytest.raises(RefusedCommandError):
        guard.objection(forged, [KEY])


@pytest.mark.parametrize(
    ("site", "probe", "key"), [("meerut", "p1", KEY), ("agra", "p2", KEY), ("agra", "p1", OTHER_KEY)]
)
def test_what_is_for_another_probe_or_of_another_hub_is_refused(
    guard: Guard, site: str, probe: str, key: bytes
) -> None:
    """Site and probe are signed along, so that a command cannot be sent on."""
    with pytest.raises(RefusedCommandError, match="signed by somebody else, or for another probe"):
        guard.objection(signed_command(key, site, probe, command()), [KEY])


@pytest.mark.parametrize(
    ("later_ns", "change", "why"),
    [
        (SKEW_NS + 31 * SECOND_NS, {}, "it has expired: it is 91 s old by the clock of this machine"),
        (0, {"expires_ns": NOW + LONGEST_NS + 1}, "it has expired"),
        (-SKEW_NS - SECOND_NS, {}, "it is from the future: 61 s by the clock of this machine"),
        (0, {"issued_ns": NOW - 3700 * SECOND_NS, "expires_ns": NOW - 110 * SECOND_NS}, "it has expired"),
    ],
)
def test_what_is_not_for_now_is_refused_and_answered(
    guard: Guard, clock: ManualClock, later_ns: int, change: dict[str, Any], why: str
) -> None:
    """Old, for longer than an hour, from the future: the hub is told why, for it may be this machine's clock."""
    clock.step(later_ns)
    assert guard.objection(signed_command(KEY, "agra", "p1", command(**change)), [KEY]).startswith(why)


def test_what_is_from_before_the_start_is_refused(clock: ManualClock) -> None:
    """A restart forgets what was obeyed; so nothing from before it is."""
    clock.advance(3600 * SECOND_NS)
    young = Guard("agra", "p1", clock)
    old = command(issued_ns=NOW - SKEW_NS - 1, expires_ns=NOW + SECOND_NS)
    assert (
        young.objection(signed_command(KEY, "agra", "p1", old), [KEY])
        == "it is from before this agent's start"
    )


@pytest.mark.server
async def test_a_poisoned_broker_commands_nothing(
    hub: Any, running_probe: Any, answer_to: Any, eventually: Eventually
) -> None:
    """Unsigned, wrongly signed, another's, replayed and retained commands at a real broker: none is obeyed; the hub's is."""
    async with running_probe(hub) as agent:
        counters = agent.offices["agra/p1"].counters
        tools = Hub(hub.live.current.settings, hub.data_dir, hub.state, hub.keys, hub.authority)
        insider = await hub.insider()
        await insider.subscribe(f"{ROOT}/agra/p1/+")
        row = order(tools, "agra", "p1", "status", {}, 20)
        done = await asyncio.to_thread(answered, tools, row)
        assert done.ok
        assert done.delay_ms is not None
        topic, answers = f"{ROOT}/agra/p1/command", f"{ROOT}/agra/p1/answer"
        now_ns = time.time_ns()
        fresh = command(id="x", issued_ns=now_ns, expires_ns=now_ns + 20 * SECOND_NS)
        heard = [m for m in insider.mail if m.topic == answers]
        assert len(heard) == 1
        (told,) = [m for m in insider.mail if m.topic == topic]
        assert (told.qos, told.retain, told.properties.ResponseTopic) == (1, False, answers)
        assert told.properties.CorrelationData == heard[0].properties.CorrelationData == done.id.encode()
        assert 0 < told.properties.MessageExpiryInterval <= 20
        for payload in (fresh, signed_command(b"w" * 32, "agra", "p1", fresh)):
            await insider.publish(topic, encode_control(payload), properties=answer_to(answers, b"x"))
        await eventually(lambda: counters.commands_refused == 2)
        await insider.publish(topic, encode_control(done.command), properties=answer_to(answers, b"x"))
        await eventually(lambda: counters.commands_refused == 3)  # the hub's own, once more
        await eventually(lambda: len([m for m in insider.mail if m.topic == answers]) == 2)
        last = [m for m in insider.mail if m.topic == answers][-1]
        assert b"refused: it was obeyed before" in bytes(last.payload)
        await eventually(lambda: hub.counts["orders"]["answers_unasked"] == 1)
        kept = signed_command(b"w" * 32, "agra", "p1", fresh)
        await insider.publish(topic, encode_control(kept), retain=True, properties=answer_to(answers, b"x"))
        await eventually(lambda: counters.commands_refused == 4)
        counts = {
            "sent": 1,
            "answered": 1,
            "told": 0,
            "answers_unasked": 1,
            "claims_absurd": 0,
            "answers_forged": 0,
        }
        assert hub.counts["orders"] == counts
        assert (await asyncio.to_thread(hub.state.commands, 9)) == [done]


@pytest.mark.server
async def test_a_command_that_nobody_hears_is_said_to_be_unanswered(hub: Any) -> None:
    """An enrolled probe that is away: the order is void when its time is up, and the reason is told."""
    from tatpar.identity.enrolling import silence

    await hub.enter("agra")
    tools = Hub(hub.live.current.settings, hub.data_dir, hub.state, hub.keys, hub.authority)
    row = await asyncio.to_thread(answered, tools, order(tools, "agra", "p1", "ping", {}, 1.0))
    assert (row.answered_ns, row.ok) == (None, None)
    assert silence(tools, row, "en") == "agra/p1 did not answer in time"
