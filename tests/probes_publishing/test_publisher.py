"""The publisher against a real broker, with time moved by hand where time is the subject."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from probes.publishing.connection import CONNECT_S
from probes.publishing.office_settings import Patience
from probes.publishing.spool_file import SpoolError
from telemetry.codec import encode_control
from telemetry.control import Presence, Stored
from telemetry.windows import SECOND_NS
from tests.probes_publishing.rig import BOOT, Rig, publishing, steadily

if TYPE_CHECKING:
    from collections.abc import Callable


pytestmark = pytest.mark.server


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
