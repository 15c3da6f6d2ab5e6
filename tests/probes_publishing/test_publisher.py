"""The publisher against a real broker, with time moved by hand where time is the subject."""

from __future__ import annotations

import asyncio
import contextlib
import time
from itertools import count
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from probes.backoff import Backoff
from probes.counters import Counters
from probes.publishing.connection import CONNECT_S
from probes.publishing.office_settings import Patience
from probes.publishing.presence import Identity
from probes.publishing.publisher import Publisher
from probes.publishing.report import Draft, report_bytes
from probes.publishing.restart_reason import RestartReason
from probes.publishing.spool import Made, Spool
from probes.publishing.spool_file import SpoolError
from probes.workers import Workers
from telemetry.clock import ManualClock
from telemetry.codec import encode_control
from telemetry.control import Command, Plan, PlannedEnd, Presence, Stored
from telemetry.windows import SECOND_NS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from probes.publishing.office_settings import OfficeSettings

pytestmark = pytest.mark.server
BOOT = "boot-now"


class Rig:
    """A publisher with its spool, clock and counters to hand."""

    def __init__(self, office: OfficeSettings, make_window: Callable[..., Any], workers: Workers) -> None:
        self.office = office
        self.clock = ManualClock(1_800_000_000 * SECOND_NS, 5_000 * SECOND_NS)
        self.counters = Counters()
        self.spool = Spool(office.spool, site=office.site, probe=office.probe)
        self.plans: list[Plan] = []
        self.meeting = False
        self.publisher = Publisher(
            office,
            self.spool,
            Identity("1.2.3", BOOT, RestartReason.POWER),
            clock=self.clock,
            workers=workers,
            counters=self.counters,
            on_plan=self.plans.append,
            in_meeting=lambda: self.meeting,
            backoff=Backoff(base_s=0.05, cap_s=0.1),
        )
        self._make_window = make_window

    def spool_one(self, *, age_s: float = 0.0, boot: str = BOOT, live: bool = True) -> int:
        made = Made(
            boot,
            self.clock.monotonic_ns() - int(age_s * SECOND_NS),
            self.clock.now_ns() - int(age_s * SECOND_NS),
        )
        draft = Draft(self._make_window(self.office.key), (), made)
        row = self.spool.append(
            0,
            made,
            lambda slot: report_bytes(draft, slot, self.office.site, self.office.probe, self.counters),
        )
        if live:
            self.publisher.submit(row)
        return row.seq

    def pass_time(self, seconds: float) -> None:
        self.clock.advance(int(seconds * SECOND_NS))
        self.publisher.wake()


@pytest.fixture
def workers() -> Iterator[Workers]:
    with Workers() as pools:
        yield pools


@pytest.fixture
def make_rig(make_office: Any, make_window: Any, workers: Workers) -> Iterator[Callable[..., Rig]]:
    rigs: list[Rig] = []

    def make(**options: Any) -> Rig:
        rigs.append(Rig(make_office(**options), make_window, workers))
        return rigs[-1]

    yield make
    for rig in rigs:
        rig.spool.close()


@contextlib.asynccontextmanager
async def publishing(rig: Rig) -> AsyncIterator[None]:
    task = asyncio.create_task(rig.publisher.run())
    try:
        yield
    finally:
        rig.publisher.stop()
        await asyncio.wait_for(task, 60)


async def steadily(rig: Rig, condition: Callable[[], bool], step_s: float = 0.05, within: int = 400) -> None:
    """Let rig time pass in small steps until a condition holds; a broker that is slow is waited for while it stands still."""
    patience = time.monotonic() + 60
    for step in count():
        if condition():
            return
        if step < within:
            rig.pass_time(step_s)
        elif time.monotonic() > patience:
            pytest.fail("it did not come true")
        await asyncio.sleep(0.01)


async def test_puback_alone_empties_nothing(make_rig: Any, make_hub: Any, eventually: Any) -> None:
    """What the broker acknowledged stays in the spool, and goes again when 60 s pass without `stored`."""
    hub = make_hub(confirm=False)
    rig = make_rig()
    async with publishing(rig):
        rig.spool_one()
        await eventually(lambda: hub.seqs() == [1])
        rig.pass_time(59)
        await asyncio.sleep(0.2)
        assert hub.seqs() == [1]
        assert rig.spool.reports == 1
        rig.pass_time(1.1)
        await eventually(lambda: hub.seqs() == [1, 1])
        assert [leaf for leaf, _, _ in hub.arrivals] == ["report", "backlog"]
        assert rig.counters.resent == 1
        hub.store("agra", "p1", rig.spool.epoch)
        await eventually(lambda: rig.spool.reports == 0)


async def test_nobody_at_the_hub_is_not_sent(
    make_rig: Any, make_hub: Any, eventually: Any, caplog: Any
) -> None:
    """PUBACK 0x10 does not count as sent; the probe holds back, says so once, and goes on when somebody is there."""
    make_hub(reports=False)
    rig = make_rig()
    async with publishing(rig):
        for _ in range(3):
            rig.spool_one()
        await eventually(lambda: rig.counters.nobody_there >= 1)
        await eventually(lambda: rig.publisher._queue.in_flight == 0)  # all that went together are refused
        await asyncio.sleep(0.2)
        tried = rig.counters.nobody_there
        assert tried <= 3
        for attempt, wait_s in enumerate((5, 10, 20), start=1):  # held: one at a time, less and less often
            rig.pass_time(wait_s - 0.1)
            await asyncio.sleep(0.1)
            assert rig.counters.nobody_there == tried + attempt - 1
            rig.pass_time(0.1)
            await eventually(lambda n=tried + attempt: rig.counters.nobody_there == n)
        assert rig.spool.reports == 3
        hub = make_hub()
        rig.pass_time(60)
        await steadily(rig, lambda: rig.spool.reports == 0)
        assert sorted(set(hub.seqs())) == [1, 2, 3]
    said = [record.message for record in caplog.records if "nobody who takes our reports" in record.message]
    assert len(said) == 1


async def test_word_from_the_hub_ends_the_holding_back(make_rig: Any, make_hub: Any, eventually: Any) -> None:
    """A fresh `stored` shows that the hub is back, so nothing more is waited for."""
    silent = make_hub(reports=False)
    rig = make_rig()
    async with publishing(rig):
        rig.spool_one()
        await eventually(lambda: rig.counters.nobody_there == 1)
        rig.pass_time(5)
        await eventually(lambda: rig.counters.nobody_there == 2)  # now held for 10 s
        hub = make_hub()
        rig.spool_one()
        await asyncio.sleep(0.2)
        assert hub.seqs() == []
        silent.publish("agra/p1/stored", encode_control(Stored(epoch=rig.spool.epoch, through=0)))
        await eventually(lambda: 2 in hub.seqs())


async def test_live_goes_before_backlog(make_rig: Any, make_hub: Any, eventually: Any) -> None:
    """With an old backlog a live report goes at once, on its own topic; the backlog follows at its pace."""
    hub = make_hub()
    rig = make_rig()
    for _ in range(40):
        rig.spool_one(age_s=3600, live=False)
    async with publishing(rig):
        await eventually(lambda: rig.counters.connections == 1)
        rig.spool_one()
        await eventually(lambda: hub.seqs() == [41])  # time stands still: no backlog yet
        rig.pass_time(1.0)
        await eventually(lambda: hub.seqs() == [41, 1])
        await asyncio.sleep(0.2)
        assert hub.seqs() == [41, 1]  # one per 50 ms of a time that stands still
        for expected in range(2, 12):
            rig.pass_time(0.05)
            await eventually(lambda n=expected: len(hub.seqs()) == n + 1)
        rig.spool_one()
        await eventually(lambda: hub.seqs()[-1] == 42)
        await steadily(rig, lambda: len(set(hub.seqs())) == 42)
        await eventually(lambda: rig.spool.reports == 0)
    leaves = {envelope.seq: leaf for leaf, envelope, _ in hub.arrivals}
    assert {seq for seq, leaf in leaves.items() if leaf == "report"} == {41, 42}
    ages = {envelope.seq: properties for _, envelope, properties in hub.arrivals}
    assert 3_600_000 <= int(ages[1]["age-ms"]) < 3_602_000
    assert ages[41] == {"age-ms": "0"}


async def test_backlog_yields_to_a_meeting(make_rig: Any, make_hub: Any, eventually: Any) -> None:
    """While the plan says that a meeting is near the backlog goes at two a second."""
    hub = make_hub()
    rig = make_rig()
    rig.meeting = True
    for _ in range(5):
        rig.spool_one(age_s=3600, live=False)
    async with publishing(rig):
        await eventually(lambda: rig.counters.connections == 1)
        rig.pass_time(1.0)
        await eventually(lambda: len(hub.seqs()) == 1)
        rig.pass_time(0.49)
        await asyncio.sleep(0.2)
        assert len(hub.seqs()) == 1
        rig.pass_time(0.01)
        await eventually(lambda: len(hub.seqs()) == 2)


async def test_reports_of_another_boot_are_backlog(make_rig: Any, make_hub: Any, eventually: Any) -> None:
    """Across a reboot the age is by real time, which is said, and the topic is `backlog`."""
    hub = make_hub()
    rig = make_rig()
    rig.spool_one(age_s=5, boot="boot-before", live=False)
    async with publishing(rig):
        await eventually(lambda: rig.counters.connections == 1)
        await steadily(rig, lambda: len(hub.seqs()) == 1)
    leaf, _, properties = hub.arrivals[0]
    assert leaf == "backlog"
    assert properties["age-clock"] == "real"
    assert 5_000 <= int(properties["age-ms"]) < 30_000


async def test_clock_that_jumps_years_does_not_matter(make_rig: Any, make_hub: Any, eventually: Any) -> None:
    """Real time stepped by years either way: a live report stays live, with its true age."""
    hub = make_hub()
    rig = make_rig()
    async with publishing(rig):
        for index, years in enumerate((10, -30)):
            rig.clock.step(years * 365 * 86400 * SECOND_NS)
            rig.spool_one()
            await eventually(lambda n=index + 1: len(hub.seqs()) == n)
    assert [(leaf, properties) for leaf, _, properties in hub.arrivals] == [("report", {"age-ms": "0"})] * 2


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


async def test_what_is_made_between_connections_is_marked_as_not_sent(
    mosquitto: Any, make_rig: Any, make_hub: Any, eventually: Any
) -> None:
    """While connected anything may have gone out; when the connection is lost the mark is on the disk."""
    make_hub()
    rig = make_rig()

    def mark() -> int | None:
        row: tuple[int | None] = rig.spool._db.execute("SELECT unsent_from FROM spool").fetchone()
        return row[0]

    assert mark() == 1
    async with publishing(rig):
        rig.spool_one()
        await steadily(rig, lambda: rig.spool.reports == 0)
        assert mark() is None
        mosquitto.kill()
        await eventually(lambda: mark() == 2)
        mosquitto.start()
        await steadily(rig, lambda: mark() is None)


async def test_nothing_goes_out_before_the_disk_has_noted_it(
    make_rig: Any, make_hub: Any, eventually: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a full disk refuses the mark reports wait; without it a crash would have them numbered, and stored, twice."""
    hub = make_hub()
    rig = make_rig(patience=Patience(disk_s=0.05))
    full, mark = True, rig.spool.going_out

    def going_out() -> None:
        if full:
            raise SpoolError("database or disk is full")
        mark()

    monkeypatch.setattr(rig.spool, "going_out", going_out)
    rig.spool_one()
    async with publishing(rig):
        await eventually(lambda: rig.counters.unmarked >= 3)
        assert not hub.seqs()
        full = False
        await eventually(lambda: rig.spool.reports == 0)
    assert hub.seqs() == [1]


async def test_broker_that_is_killed_with_its_queue(
    mosquitto: Any, make_rig: Any, make_hub: Any, eventually: Any
) -> None:
    """Killed -9 in mid-flow and started again: every report made reaches the hub, and the spool empties."""
    hub = make_hub()
    rig = make_rig()
    async with publishing(rig):
        for round_number in range(3):
            for _ in range(10):
                rig.spool_one()
                await asyncio.sleep(0.005)
            mosquitto.kill()
            for _ in range(5):
                rig.spool_one()
            mosquitto.start()
            await eventually(lambda n=round_number + 2: rig.counters.connections >= n)
        await steadily(rig, lambda: len(set(hub.seqs())) == 45, step_s=1.0)
        await steadily(rig, lambda: rig.spool.reports == 0, step_s=1.0)
    assert sorted(set(hub.seqs())) == list(range(1, 46))


async def test_presence_carries_the_reason(make_rig: Any, make_hub: Any, eventually: Any) -> None:
    """Presence says version, boot, since when, and why the probe last started."""
    hub = make_hub()
    rig = make_rig()
    async with publishing(rig):
        await eventually(lambda: hub.presence["agra"])
    said = msgspec.json.decode(hub.presence["agra"][0][0], type=Presence)
    assert said == Presence(
        online=True, since_ns=rig.clock.now_ns(), version="1.2.3", boot=BOOT, restart_reason="power"
    )


async def test_trouble_is_said_once(make_rig: Any, mosquitto: Any, eventually: Any, caplog: Any) -> None:
    """A broker that stays away is said once, and once that it is back, however many attempts lie between."""
    caplog.set_level("INFO")
    rig = make_rig()
    mosquitto.kill()
    async with publishing(rig):
        await eventually(lambda: rig.counters.unreached >= 5)
        mosquitto.start()
        await eventually(lambda: rig.counters.connections == 1)
    said = [record.message.rpartition(": ")[2] for record in caplog.records if "broker" in record.message]
    assert said == ["Connection refused", "reached"]


async def test_stopped_while_it_connects_it_waits_for_nobody(make_rig: Callable[..., Rig]) -> None:
    """In an outage there is nobody to say goodbye to: told to stop while a broker does not answer, it ends at once."""
    reached = asyncio.Event()

    async def silent(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        reached.set()
        with contextlib.suppress(ConnectionError):
            await _reader.read()
        writer.close()

    async with await asyncio.start_server(silent, "127.0.0.1", 0) as server:
        rig = make_rig(broker_port=server.sockets[0].getsockname()[1])
        running = asyncio.create_task(rig.publisher.run())
        await asyncio.wait_for(reached.wait(), 60)
        rig.publisher.stop()
        async with asyncio.timeout(CONNECT_S / 2):
            await running
