"""What the hub says to a publisher, over a real broker: stored, plans, commands, and what cannot be read."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from telemetry.codec import encode_control
from telemetry.control import Command, Plan, PlannedEnd, Stored
from tests.probes_publishing.rig import publishing, steadily

pytestmark = pytest.mark.server


async def test_retained_stored_spares_the_resending(make_rig: Any, make_hub: Any, eventually: Any) -> None:
    """After a restart the retained `stored` empties the spool before anything is sent again."""
    hub = make_hub()
    rig = make_rig()
    for _ in range(10):
        rig.spool_one(age_s=100, live=False)
    rig.spool.unsent_from = 11  # by the run before
    hub.publish("agra/p1/stored", encode_control(Stored(epoch=rig.spool.epoch, through=9)), retain=True)
    async with publishing(rig):
        await eventually(lambda: rig.spool.reports == 1)
        await steadily(rig, lambda: hub.seqs() == [10])
    assert rig.counters.published == 1


async def test_broken_messages_are_counted_and_ignored(
    make_rig: Any, make_hub: Any, eventually: Any, caplog: Any
) -> None:
    """A `stored`, plan or command that cannot be read is counted and said, and nothing stops."""
    hub = make_hub()
    rig = make_rig()
    async with publishing(rig):
        await eventually(lambda: rig.counters.connections == 1)
        epoch = rig.spool.epoch
        broken = [
            ("stored", b"\xff\xfe"),
            ("stored", b'{"epoch":"x","through":1}'),
            ("stored", encode_control(Stored(epoch=epoch, through=3, missing=((3, 1),)))),
            ("plan", b'{"valid_until_ns":"soon"}'),
            ("plan", b"[]"),
            ("command", b"{}"),
        ]
        for index, (leaf, payload) in enumerate(broken):
            hub.publish(f"agra/p1/{leaf}", payload)
            await eventually(lambda n=index + 1: rig.counters.bad_messages == n)
        hub.publish("agra/p1/stored", encode_control(Stored(epoch="0" * 16, through=3)))
        await eventually(lambda: rig.counters.stored_other_epoch == 1)
        rig.spool_one()
        await eventually(lambda: rig.spool.reports == 0)
    assert rig.plans == []
    assert any("message from the hub ignored: stored" in record.message for record in caplog.records)


async def test_plan_is_taken_and_kept(make_rig: Any, make_hub: Any, eventually: Any) -> None:
    """A plan is handed on and kept on the disk; a cleared one changes nothing."""
    hub = make_hub()
    rig = make_rig()
    plan = Plan(valid_until_ns=9, ends=(PlannedEnd(end="state", reflectors=("127.0.0.1:862",)),))
    hub.publish("agra/p1/plan", encode_control(plan), retain=True)
    async with publishing(rig):
        await eventually(lambda: rig.plans == [plan])
        hub.publish("agra/p1/plan", b"", retain=True)
        hub.publish("agra/p1/plan", encode_control(plan))
        await eventually(lambda: rig.plans == [plan, plan])
    assert rig.spool.plan() == encode_control(plan)


async def test_commands_are_answered(make_rig: Any, make_hub: Any, eventually: Any) -> None:
    """Each command is answered on the response topic with its correlation data; an unknown verb is not ok."""
    hub = make_hub()
    rig = make_rig()
    async with publishing(rig):
        await eventually(lambda: rig.counters.connections == 1)
        for correlation, verb in ((b"1", "ping"), (b"2", "dance"), (b"3", "status")):
            hub.command("agra", "p1", encode_control(Command(verb=verb)), correlation=correlation)
        await eventually(lambda: len(hub.answers) == 3)
    answers = {correlation: msgspec.json.decode(payload) for _, payload, correlation in hub.answers}
    assert answers[b"1"] == {"ok": True, "detail": "1.2.3"}
    assert answers[b"2"]["ok"] is False
    assert "dance" in answers[b"2"]["detail"]
    assert "connections=1" in answers[b"3"]["detail"]


async def test_command_that_wants_its_answer_elsewhere(make_rig: Any, make_hub: Any, eventually: Any) -> None:
    """A probe answers on its own topic only; a retained command is left over and not answered at all."""
    hub = make_hub()
    rig = make_rig()
    hub.publish("agra/p1/command", encode_control(Command(verb="ping")), retain=True)
    async with publishing(rig):
        await eventually(lambda: rig.counters.bad_messages == 1)
        hub.command("agra", "p1", encode_control(Command(verb="ping")), topic="tatpar/1/jhansi/p1/answer")
        await eventually(lambda: rig.counters.bad_messages == 2)
        hub.command("agra", "p1", encode_control(Command(verb="ping")))
        await eventually(lambda: len(hub.answers) == 1)
    assert hub.answers[0][0] == "tatpar/1/agra/p1/answer"


async def test_hub_that_knows_more_than_we_made(
    make_rig: Any, make_hub: Any, eventually: Any, caplog: Any
) -> None:
    """When the hub has numbers that were never given, reports get a new epoch and arrive under it."""
    hub = make_hub()
    rig = make_rig()
    rig.spool_one(age_s=100, live=False)
    old_epoch = rig.spool.epoch
    hub.publish("agra/p1/stored", encode_control(Stored(epoch=old_epoch, through=500)), retain=True)
    async with publishing(rig):
        await eventually(lambda: rig.counters.renumbered == 1)
        new_epoch = rig.spool.epoch
        rig.spool_one()
        await steadily(rig, lambda: rig.spool.reports == 0)
    assert new_epoch != old_epoch
    assert sorted(set(hub.seqs(new_epoch))) == [1, 2]
    assert any("the disk went back in time" in record.message for record in caplog.records)


async def test_hub_that_knows_what_we_have_not_sent(make_rig: Any, make_hub: Any) -> None:
    """An old copy of the spool, put back, has made more reports off line than were lost: none passes for a stored one."""
    hub = make_hub()
    rig = make_rig()
    for _ in range(4):
        rig.spool_one(age_s=100, live=False)
    rig.spool.unsent_from = 3  # the first two went out, then the copy was made; 3..8 were sent and are gone
    for _ in range(6):
        rig.spool_one()
    old_epoch = rig.spool.epoch
    hub.publish("agra/p1/stored", encode_control(Stored(epoch=old_epoch, through=8)), retain=True)
    async with publishing(rig):
        await steadily(rig, lambda: rig.spool.reports == 0)
    assert rig.counters.renumbered == 1
    assert hub.seqs(old_epoch) == []  # told before anything was sent
    assert sorted(set(hub.seqs(rig.spool.epoch))) == list(range(1, 9))
