"""The campaign's own instruments: the draw, the count and the wires see what they must see."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import resource
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest
import urllib3

from bench._faults import offices
from bench._faults.campaign import libfaketime
from bench._faults.counting import Made, SqliteUnderTrial, count
from bench._faults.databases import differences
from bench._faults.gate import Gate
from bench._faults.offices import PROBE, spool_of, window
from bench._faults.processes import HOUSE
from bench._faults.schedule import Answer, Kind, draw
from bench._faults.wire import Cut, Wire
from probes.counters import Counters
from probes.publishing.report import Draft, report_bytes
from probes.publishing.spool import Made as MadeAt
from probes.publishing.spool import Spool
from probes.publishing.spool_file import SpoolError
from telemetry.codec import decode
from telemetry.control import Stored
from telemetry.store.protocol import Received
from telemetry.store.sqlite import SqliteStore
from telemetry.windows import WINDOW_NS, window_start

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

SITE = "agra"
T0 = window_start(time.time_ns()) - 100 * WINDOW_NS


def test_a_schedule_is_the_same_whenever_it_is_drawn() -> None:
    """Seed and index say everything; other ones say something else; every kind of fault comes up."""
    every = tuple(Kind)
    drawn = [draw(7, index, every) for index in range(200)]
    assert drawn == [draw(7, index, every) for index in range(200)]
    assert draw(8, 0, every).faults != drawn[0].faults
    assert {fault.kind for schedule in drawn for fault in schedule.faults} == set(Kind)
    assert all(2 <= len(schedule.faults) <= 5 for schedule in drawn)


def test_a_disk_that_fills_before_the_first_report_is_the_spools_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when `tatpar probe` starts on a full disk: one line and to be started again, no traceback in the log."""
    orders = offices.Orders(
        sites=(SITE,),
        folder=str(tmp_path),
        broker_port=1,
        real_ns=T0,
        monotonic_ns=0,
        first=0,
        live=0,
        backlog=0,
        per_s=1.0,
    )
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    def opened_and_then_full(*args: Any, **kwargs: Any) -> Spool:
        spool = Spool(*args, **kwargs)
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
        return spool

    monkeypatch.setattr(offices, "Spool", opened_and_then_full)
    try:
        with pytest.raises(SpoolError):
            offices.fill(offices.settings(orders, SITE), orders)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not spool_of(tmp_path, SITE).exists()
    monkeypatch.undo()
    offices.fill(offices.settings(orders, SITE), orders)
    assert spool_of(tmp_path, SITE).exists()


class House:
    """A spool and a store with the same five reports, all confirmed: nothing differs."""

    def __init__(self, folder: Path) -> None:
        self.data, self.spools, self.made = folder / "data", folder, Made()
        spool = Spool(spool_of(folder, SITE), site=SITE, probe=PROBE)
        rows = [self.spool(spool, mark) for mark in range(5)]
        spool.confirm(Stored(epoch=spool.epoch, through=5))
        spool.close()
        self.reports = [Received(decode(row), T0) for row in rows]
        for mark in range(5):
            self.made.take(f"made {SITE} {mark}")

    def spool(self, spool: Spool, mark: int) -> bytes:
        closed = window(SITE, T0 + mark * WINDOW_NS, mark)
        draft = Draft(closed, closed.streams, MadeAt("boot", 1, T0))
        row = spool.append(
            closed.start_ns, draft.made, lambda slot: report_bytes(draft, slot, SITE, PROBE, Counters())
        )
        return row.payload

    def store(self, reports: list[Received]) -> None:
        with contextlib.closing(SqliteStore(self.data / "reports.db")) as store:
            store.append(reports)

    def differences(self) -> list[str]:
        return count(
            self.spools, self.made, (SITE,), SqliteUnderTrial.opened(self.data / "reports.db")
        ).differences


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def test_the_count_finds_nothing_when_nothing_differs(house: House) -> None:
    """Five made, five numbered, five stored."""
    house.store(house.reports)
    assert house.differences() == []


def test_the_count_finds_a_lost_report(house: House) -> None:
    """By its number, by its hole, by the number of rows, and by its window."""
    house.store([*house.reports[:2], *house.reports[3:]])
    found = "\n".join(house.differences())
    assert "the ledger has [(1, 2), (4, 5)]" in found
    assert "an open hole 3..3" in found
    assert "5 reports were numbered, 4 rows are stored" in found
    assert "window 2 was made and is not stored" in found


def test_the_count_finds_a_report_stored_twice(house: House) -> None:
    """A window under two numbers, as after a spool that numbered it twice."""
    import msgspec

    twin = msgspec.structs.replace(house.reports[4].envelope, seq=6)
    house.store([*house.reports, Received(twin, T0)])
    assert any("window 4 is stored 2 times" in line for line in house.differences())


def test_the_count_finds_what_was_never_sent(house: House) -> None:
    """A report of another epoch that no spool knows, with a window that nobody made."""
    house.made.by_site[SITE].remove(3)
    import msgspec

    stranger = msgspec.structs.replace(house.reports[0].envelope, epoch="00000000deadbeef")
    house.store([*house.reports, Received(stranger, T0)])
    found = "\n".join(house.differences())
    assert "knows epoch 00000000deadbeef" in found
    assert "window 3 is stored and was never made" in found


def test_what_died_with_a_killed_probe_is_no_loss(house: House) -> None:
    """A window without a number may die with its process, but only with one that was killed after it."""
    house.store(house.reports)
    house.made.take(f"made {SITE} 5")
    assert house.differences() == [f"{SITE}: window 5 was made and is not stored"]
    house.made.killed()
    assert house.differences() == []


async def echo_server() -> tuple[asyncio.Server, int]:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(1000):
                writer.write(data)
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    return server, server.sockets[0].getsockname()[1]


async def asked(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, word: bytes) -> bytes:
    writer.write(word)
    async with asyncio.timeout(60):
        return await reader.readexactly(len(word))


@pytest.mark.parametrize("how", list(Cut))
async def test_a_wire_is_cut_and_mended(how: Cut) -> None:
    """Reset: an error at once. Silent: goes on afterwards. Forgotten: only a new connection goes on."""
    server, port = await echo_server()
    wire = Wire("under test", ("127.0.0.1", port))
    await wire.open()
    reader, writer = await asyncio.open_connection("127.0.0.1", wire.port)
    assert await asked(reader, writer, b"one") == b"one"
    wire.sever(how)
    writer.write(b"two")
    if how is Cut.RESET:
        with pytest.raises(ConnectionResetError):
            async with asyncio.timeout(60):
                await reader.readexactly(3)
    else:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await reader.read(3)
    wire.mend()
    if how is Cut.SILENT:
        async with asyncio.timeout(60):
            assert await reader.readexactly(3) == b"two"
    if how is Cut.FORGOTTEN:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await reader.read(3)
    fresh, to_fresh = await asyncio.open_connection("127.0.0.1", wire.port)
    assert await asked(fresh, to_fresh, b"three") == b"three"
    for one in (writer, to_fresh):
        one.close()
    await wire.close()
    server.close()


class Database:
    """Takes requests and keeps what was written."""

    def __init__(self) -> None:
        self.written: list[bytes] = []

    @contextlib.asynccontextmanager
    async def behind(self) -> AsyncIterator[Gate]:
        server = await asyncio.start_server(self._talk, "127.0.0.1", 0)
        gate = Gate(server.sockets[0].getsockname()[1])
        await gate.open()
        yield gate
        await gate.close()
        server.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        self.written += (await reader.readexactly(length)).splitlines()
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        writer.close()


@pytest.mark.parametrize(
    ("trouble", "statuses", "written"),
    [
        (None, [204, 204], 8),
        (Answer.SLOW, [204, 204], 8),
        (Answer.BROKEN, [500, 500], 0),
        (Answer.BROKEN_AFTER, [500, 500], 8),
        (Answer.BUSY, [429, 429], 0),
        (Answer.HALF, [500, 500], 4),
        (Answer.HALF_REFUSED, [400, 204], 6),
    ],
)
async def test_the_gate_answers_as_told_and_stores_what_it_says(
    trouble: Answer | None, statuses: list[int], written: int
) -> None:
    """Two writes of four lines each over one connection."""
    database = Database()
    async with database.behind() as gate:
        gate.trouble = trouble
        pool = urllib3.HTTPConnectionPool("127.0.0.1", gate.port, retries=False, timeout=60)
        with contextlib.closing(pool):
            for status in statuses:
                body = b"a 1\nb 2\nc 3\nd 4"
                answer = await asyncio.to_thread(pool.request, "POST", "/api/v2/write?bucket=x", body=body)
                assert answer.status == status
    assert len(database.written) == written


def test_what_the_database_has_otherwise_is_found() -> None:
    """Missing, too often, and nothing when all is well."""
    assert differences({"agra": [1, 2]}, {"agra": [2, 1]}) == []
    assert differences({"agra": [1, 1]}, {"agra": [1, 2]}) == [
        "agra: window 2 is not in the database",
        "agra: window 1 is in the database too often",
    ]


def test_failures_are_told_by_the_status(monkeypatch: pytest.MonkeyPatch) -> None:
    """`python -m bench` ends with 1 when a benchmark that can fail says so."""
    from bench import __main__ as front
    from bench import faults

    monkeypatch.setattr(sys, "argv", ["bench", "faults", "--only", "3", "--json"])
    seen: list[object] = []

    def run(_progress: Callable[[str], None], chosen: object) -> dict[str, object]:
        seen.append(chosen)
        return {"failures": ["1-3"]}

    monkeypatch.setattr(faults, "run", run)
    assert front.main() == 1
    monkeypatch.setattr(faults, "run", lambda *_: {"failures": []})
    assert front.main() == 0
    assert seen[0].only == 3  # type: ignore[attr-defined]


def test_a_child_of_the_nursery_is_a_process_of_its_own() -> None:
    """It runs a module as `python -m` does, tells its status, and dies with the nursery."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    nursery = subprocess.Popen(
        [sys.executable, "-m", "bench._faults.nursery", str(theirs.fileno())],
        pass_fds=(theirs.fileno(),),
        cwd=HOUSE,
    )
    theirs.close()
    ours.settimeout(60)
    assert json.loads(ours.recv(1000))["ready"] == nursery.pid
    reading, writing = os.pipe()
    request = {"argv": ["this"], "env": {"A": "b"}}
    socket.send_fds(ours, [json.dumps(request).encode()], [writing])
    os.close(writing)
    pid = json.loads(ours.recv(1000))["pid"]
    assert pid != nursery.pid
    with os.fdopen(reading, "rb") as said:
        assert b"Beautiful is better than ugly." in said.read()
    assert json.loads(ours.recv(1000)) == {"pid": pid, "status": 0}
    ours.close()
    assert nursery.wait(60) == 0


def test_who_lives_by_another_clock_may_rest_however_shortly() -> None:
    """Libfaketime refuses a sleep whose end is over when it is asked for: what the nursery starts sleeps another way."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    faked = {"LD_PRELOAD": str(libfaketime()), "FAKETIME": "-90", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    with subprocess.Popen(
        [sys.executable, "-m", "bench._faults.nursery", str(theirs.fileno())],
        pass_fds=(theirs.fileno(),),
        cwd=HOUSE,
        env=os.environ | faked | {"DONT_FAKE_MONOTONIC": "1"},
    ):
        theirs.close()
        ours.settimeout(60)
        ours.recv(1000)
        reading, writing = os.pipe()
        request = {"argv": ["tests.faults.naps"], "env": {}}
        socket.send_fds(ours, [json.dumps(request).encode()], [writing])
        os.close(writing)
        with os.fdopen(reading, "rb") as said:
            assert said.read() == b"rested\n"
        ours.close()
