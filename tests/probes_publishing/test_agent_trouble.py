"""The agent: a fault of one office stays its own, and what a disk refuses waits."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import pytest

from probes import kept_going
from probes.publishing import office as office_module
from probes.publishing.agent import run_offices
from probes.publishing.office_settings import Patience
from probes.publishing.spool import Spool
from tests.probes_publishing.agents import running, said

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.server


async def test_full_disk_of_one_office_is_its_own(  # noqa: PLR0917 - fixtures
    make_hub: Any,
    make_office: Any,
    fake_measurer: Any,
    make_window: Any,
    eventually: Any,
    caplog: Any,
) -> None:
    """While one office's disk is full its reports wait in memory and the others go on; afterwards they arrive in order."""
    caplog.set_level("INFO")
    hub = make_hub()
    full, fine = make_office("agra", patience=Patience(disk_s=0.1)), make_office("jhansi")
    async with running([full, fine], fake_measurer) as agent:
        await eventually(lambda: all(office._publisher is not None for office in agent.offices.values()))
        spool = agent.offices[full.key]._publisher._spool
        spool._db.execute(f"PRAGMA max_page_count = {spool._db.execute('PRAGMA page_count').fetchone()[0]}")
        wide = tuple(make_window(full.key).streams * 40)
        for index in range(4):
            fake_measurer.queue.put_nowait(make_window(full.key, index, streams=wide))
            fake_measurer.queue.put_nowait(make_window(fine.key, index))
        await eventually(lambda: agent.offices[fine.key].counters.stored == 4)
        assert agent.offices[full.key].counters.stored < 4
        await eventually(
            lambda: any("full; reports wait in memory" in record.message for record in caplog.records)
        )
        spool._db.execute("PRAGMA max_page_count = 1000000")
        await eventually(lambda: agent.offices[full.key].counters.stored == 4)
    agra = [envelope for envelope in hub.envelopes if envelope.site == "agra"]
    starts = {envelope.seq: envelope.start_ns for envelope in agra}
    assert [starts[seq] for seq in (1, 2, 3, 4)] == sorted(starts.values())
    complaints = [record for record in caplog.records if "reports wait in memory" in record.message]
    assert len(complaints) == 1
    assert any(record.message == "agra/p1: spool: works again" for record in caplog.records)


async def test_memory_is_bounded_while_the_spool_cannot_be_opened(
    make_office: Any, fake_measurer: Any, make_window: Any, tmp_path: Path, eventually: Any
) -> None:
    """With a spool that cannot be opened an hour of reports waits in memory; the oldest beyond that are dropped and counted."""
    blocked = tmp_path / "file"
    blocked.write_text("a file where a folder should be", encoding="utf-8")
    office = make_office(spool=blocked / "agra.db")
    async with running([office], fake_measurer) as agent:
        for index in range(250):
            fake_measurer.queue.put_nowait(make_window(office.key, index))
        counters = agent.offices[office.key].counters
        await eventually(lambda: counters.reports_made == 250)
        assert counters.reports_dropped == 10
        assert len(agent.offices[office.key]._waiting) == 240


async def test_spool_damaged_while_running_is_replaced(  # noqa: PLR0917 - fixtures
    make_hub: Any, make_office: Any, fake_measurer: Any, make_window: Any, eventually: Any, caplog: Any
) -> None:
    """A spool that breaks under way is moved aside; reports go on under a new epoch, the one in hand included."""
    hub = make_hub(confirm=False)
    office = make_office()
    async with running([office], fake_measurer) as agent:
        for index in range(3):
            fake_measurer.queue.put_nowait(make_window(office.key, index))
        await eventually(lambda: len(hub.seqs()) == 3)
        spool = agent.offices[office.key]._publisher._spool
        spool._db.execute("PRAGMA writable_schema = ON")
        spool._db.execute("UPDATE sqlite_master SET rootpage = 999999 WHERE name = 'report'")
        spool._db.execute("PRAGMA writable_schema = RESET")
        fake_measurer.queue.put_nowait(make_window(office.key, 3))
        await eventually(lambda: len({envelope.epoch for envelope in hub.envelopes}) == 2)
    assert hub.envelopes[-1].seq == 1
    assert hub.envelopes[-1].start_ns == make_window(office.key, 3).start_ns
    assert (office.spool.parent / "agra.db.damaged-1").exists()
    assert any("it is moved aside and a new one begun" in record.message for record in caplog.records)


async def test_fault_of_one_office_is_its_own(  # noqa: PLR0917 - fixtures
    make_hub: Any, make_office: Any, fake_measurer: Any, make_window: Any, eventually: Any, monkeypatch: Any
) -> None:
    """An unforeseen fault in one office is counted, that office starts again, and the others never notice."""
    hub = make_hub()
    weak, fine = make_office("agra", patience=Patience(disk_s=0.1)), make_office("jhansi")
    real = office_module.report_bytes
    failures = iter([True, True])

    def sometimes(draft: Any, slot: Any, site: str, *rest: Any) -> bytes:
        if site == "agra" and next(failures, False):
            raise RuntimeError("a bug")
        return real(draft, slot, site, *rest)

    monkeypatch.setattr(office_module, "report_bytes", sometimes)
    async with running([weak, fine], fake_measurer) as agent:
        for index in range(3):
            fake_measurer.queue.put_nowait(make_window(weak.key, index))
            fake_measurer.queue.put_nowait(make_window(fine.key, index))
        await eventually(lambda: all(office.counters.stored == 3 for office in agent.offices.values()))
        assert [office.counters.faults for office in agent.offices.values()] == [2, 0]
    assert sorted(e.seq for e in hub.envelopes if e.site == "agra") == [1, 2, 3]


async def test_plans_are_followed_after_a_refusal(
    make_office: Any, fake_measurer: Any, monkeypatch: Any, eventually: Any
) -> None:
    """When the measurer refuses sessions once, they are given to it again."""
    monkeypatch.setattr(kept_going, "FIRST_WAIT_S", 0.05)
    refusals = iter([True, True])
    real = fake_measurer.set_sessions

    async def sometimes(sessions: Any) -> None:
        if next(refusals, False):
            raise RuntimeError("not now")
        await real(sessions)

    fake_measurer.set_sessions = sometimes
    async with running([make_office(ends={"state": "127.0.0.1:9"})], fake_measurer):
        await eventually(lambda: len(fake_measurer.sessions) == 1)


async def test_measurer_that_fails_for_good_ends_the_agent(
    make_hub: Any, make_office: Any, eventually: Any
) -> None:
    """Without a measurer an agent is of no use: it ends with the reason, and the broker's will says offline."""

    class Failing:
        async def start(self) -> None: ...
        async def stop(self) -> None: ...
        async def set_sessions(self, sessions: Any) -> None: ...
        async def windows(self) -> Any:
            await eventually(lambda: hub.presence["agra"])
            raise RuntimeError("the measurer failed")
            yield

    hub = make_hub()
    with pytest.raises(ExceptionGroup) as caught:
        await asyncio.wait_for(run_offices([make_office()], Failing()), 60)
    assert [str(one) for one in caught.value.exceptions] == ["the measurer failed"]
    await eventually(lambda: [one.online for one in said(hub)] == [True, False])


async def test_a_report_that_is_being_spooled_when_its_office_starts_again_is_numbered_once(  # noqa: PLR0917 - fixtures
    make_hub: Any, make_office: Any, fake_measurer: Any, make_window: Any, eventually: Any, monkeypatch: Any
) -> None:
    """A fault elsewhere in the office cancels the writer while the disk is at work; the report does not come twice."""
    hub = make_hub()
    office = make_office(patience=Patience(disk_s=0.05, reconnect_s=0.01))
    at_work, go_on = threading.Event(), threading.Event()
    real = Spool.append

    def slow(spool: Spool, *given: Any) -> Any:
        row = real(spool, *given)
        if row.seq == 1:
            at_work.set()
            go_on.wait(60)
        return row

    monkeypatch.setattr(Spool, "append", slow)
    async with running([office], fake_measurer) as agent:
        await eventually(lambda: agent.offices[office.key].counters.connections == 1)
        fake_measurer.queue.put_nowait(make_window(office.key, 0))
        await eventually(at_work.is_set)
        publisher = agent.offices[office.key]._publisher

        async def broken(*_given: Any) -> None:
            threading.Timer(0.2, go_on.set).start()
            raise RuntimeError("a bug")

        monkeypatch.setattr(publisher, "_connected", broken)
        publisher._sender._connection.abort("cut by the test")
        fake_measurer.queue.put_nowait(make_window(office.key, 1))
        await eventually(lambda: agent.offices[office.key].counters.stored == 2)
        assert agent.offices[office.key].counters.faults == 1
    windows = {envelope.start_ns: envelope.seq for envelope in hub.envelopes}
    assert windows == {make_window(office.key, 0).start_ns: 1, make_window(office.key, 1).start_ns: 2}
    assert sorted(hub.seqs()) == [1, 2]
