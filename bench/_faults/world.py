"""The house under trial, in a folder of its own: broker, collector, the probes' process, and the wires between them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sqlite3
import time
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec

from bench._faults.counting import Made
from bench._faults.databases import Server
from bench._faults.gate import Gate
from bench._faults.member import Member
from bench._faults.offices import BACKLOG_MARK, Orders
from bench._faults.processes import start_program
from bench._faults.schedule import LOAD_S, SQLITE, Answer, Kind
from bench._faults.wire import Cut, Wire
from collector.broker.mosquitto import find, recipe
from collector.broker.ports import free_port
from config.settings import Broker

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bench._faults.processes import Nursery, Running
    from bench._faults.schedule import Fault, Shape

UP_S: Final = 60.0
T = TypeVar("T")
SETTINGS: Final = """
[collector]
batch_ms = 20
confirm_s = 0.3
stalled_s = 1.5
retry_s = 0.5

[[headquarters]]
id = "state"
name_en = "State"
name_hi = "राज्य"
reflectors = ["127.0.0.1:862"]
"""
DATABASE: Final = """
[store]
kind = "{kind}"
url = "http://127.0.0.1:{port}"
"""


class World:
    """Everything that runs; faults are applied to it one by one."""

    def __init__(self, folder: Path, shape: Shape, backlog: int, nursery: Nursery) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.spools = folder / "spools"
        self.made = Made()
        self._shape = shape
        self._backlog = backlog
        self._nursery = nursery
        self._began = (time.time_ns(), time.monotonic_ns())
        self._broker_port = free_port()
        self._probes_wire = Wire("probes-broker", ("127.0.0.1", self._broker_port))
        self._collector_wires = [
            Wire(f"collector-{number}-broker", ("127.0.0.1", self._broker_port))
            for number in range(shape.collectors)
        ]
        self._turns = {kind: asyncio.Lock() for kind in Kind}
        self.collectors = [
            Member(f"collector-{number}", partial(self._start_collector, number))
            for number in range(shape.collectors)
        ]
        self.broker = Member("broker", self._start_broker)
        self.probes = Member("probes", self._start_probes)
        self._connected = [asyncio.Event() for _ in self.collectors]
        self._counters: dict[str, int] = {}
        self.server: Server | None = None
        self._gate: Gate | None = None
        self._database_wire: Wire | None = None
        self.database = Member("database", self._start_database)
        if shape.store != SQLITE:
            self.server = Server(shape.store, folder / "database", free_port(), free_port())
            self._database_wire = Wire("collector-database", ("127.0.0.1", self.server.port))

    # ------------------------------------------------------------------ up and down

    async def up(self) -> None:
        """Start everything and wait until the collector stands."""
        for wire in self._all_wires:
            await wire.open()
        if self.server is not None and self._database_wire is not None:
            self._gate = Gate(self._database_wire.port)
            await self._gate.open()
            await self.database.up()
            await asyncio.to_thread(self.server.prepare)
        self._write()
        await self.broker.up()
        for collector in self.collectors:
            await collector.up()
        async with asyncio.timeout(UP_S):
            for connected in self._connected:
                await connected.wait()
        await self.probes.up()

    @property
    def _all_wires(self) -> list[Wire]:
        database = [] if self._database_wire is None else [self._database_wire]
        return [self._probes_wire, *self._collector_wires, *database]

    async def end(self) -> list[str]:
        """End probes and collector in order; what was wrong with that."""
        self._note_counters()
        wrong = [
            f"{member.name}: ended with status {status} when asked to"
            for member in (self.probes, *self.collectors)
            if (status := await member.end()) != 0
        ]
        for member in (self.probes, *self.collectors):
            wrong += [f"{member.name}: fell over with {s}" for s in member.ended_by_itself if s != 1]
        for log in self.folder.glob("*.log"):
            if "Traceback" in (text := log.read_text(encoding="utf-8", errors="replace")):
                wrong.append(f"{log.name}: {text.count('Traceback')} tracebacks")
        return wrong

    async def close(self) -> None:
        """Whatever still runs is killed."""
        for member in (self.probes, *self.collectors, self.broker, self.database):
            await member.kill()
        if self._gate is not None:
            await self._gate.close()
        for wire in self._all_wires:
            await wire.close()

    @property
    def all_made(self) -> bool:
        """Whether every window of the load was made."""
        marks = self.made.by_site
        return all(self._shape.live - 1 in marks.get(site, ()) for site in self._shape.sites)

    @property
    def duplicates(self) -> int:
        """Copies that the collectors said they refused; those of a killed one's last seconds are not among them."""
        return sum(self._counters.values())

    def _write(self) -> None:
        self.data.mkdir(parents=True)
        self.spools.mkdir()
        (self.folder / "meetings").mkdir()
        store = ""
        if self._gate is not None:
            store = DATABASE.format(kind=self._shape.store, port=self._gate.port)
        (self.folder / "tatpar.toml").write_text(SETTINGS + store, encoding="utf-8")
        rows = [f"{site},{site},{site},awadh,27.0,80.0,linked" for site in self._shape.sites]
        text = "\n".join(["id,name_en,name_hi,region,lat,lon,status", *rows, ""])
        (self.folder / "sites.csv").write_text(text, encoding="utf-8")
        for role in ("collector", "probes"):
            self._set_clock(role, 0)

    # ------------------------------------------------------------------ the members

    async def _start_broker(self) -> Running:
        program = find()
        if program is None:
            raise RuntimeError("mosquitto is not on this machine; deploy/setup.sh servers installs it")
        how = recipe(program, Broker(bring="mosquitto"), self._broker_port, self.folder)
        return await start_program(how.command, self.folder / "broker.log")

    async def _start_database(self) -> Running:
        assert self.server is not None
        return await self.server.start()

    async def _start_collector(self, number: int) -> Running:
        place = ["--config", str(self.folder / "tatpar.toml"), "--data", str(self.data)]
        where = f"127.0.0.1:{self._collector_wires[number].port}"
        share = ["--share"] if len(self.collectors) > 1 else []
        return await self._nursery.spawn(
            ["tatpar", "collect", *place, "--broker", where, *share],
            self.folder / f"collector-{number}.log",
            env=self._clock_of("collector"),
            on_line=partial(self._collector_says, number),
        )

    async def _start_probes(self) -> Running:
        real_ns, monotonic_ns = self._began
        orders = Orders(
            sites=self._shape.sites,
            folder=str(self.spools),
            broker_port=self._probes_wire.port,
            real_ns=real_ns,
            monotonic_ns=monotonic_ns,
            first=self.made.next_live(BACKLOG_MARK),
            live=self._shape.live,
            backlog=self._backlog,
            per_s=self._shape.live / LOAD_S,
        )
        return await self._nursery.spawn(
            ["bench._faults.offices", msgspec.json.encode(orders).decode()],
            self.folder / "probes.log",
            env=self._clock_of("probes"),
            on_line=self.made.take,
        )

    def _collector_says(self, number: int, line: str) -> None:
        if "connected to the broker" in line:
            self._connected[number].set()

    def _note_counters(self) -> None:
        """Add up what collectors say of themselves, as of their last heartbeat."""
        with contextlib.suppress(sqlite3.Error, OSError, ValueError):
            with contextlib.closing(sqlite3.connect(f"file:{self.data}/state.db?mode=ro", uri=True)) as db:
                rows = db.execute("SELECT role, body FROM heartbeat").fetchall()
            for role, body in rows:
                said: dict[str, Any] = json.loads(body)
                self._counters[f"{role} {len(self._counters)}"] = int(said.get("duplicates", 0))

    # ------------------------------------------------------------------ clocks

    def _clock_of(self, role: str) -> dict[str, str]:
        return {"FAKETIME_TIMESTAMP_FILE": str(self.folder / f"clock-{role}")}

    def _set_clock(self, role: str, offset_s: float) -> None:
        file = self.folder / f"clock-{role}"
        new = file.with_suffix(".new")
        new.write_text(f"{offset_s:+g}\n" if abs(offset_s) < 1e5 else f"{offset_s:+.0f}\n", encoding="ascii")
        new.replace(file)

    # ------------------------------------------------------------------ faults

    async def suffer(self, fault: Fault) -> None:
        """Apply a fault at its time, for its time, and heal it. Faults of one kind take turns."""
        await asyncio.sleep(fault.at_s)
        match fault.kind:
            case Kind.CUT_PROBES | Kind.CUT_COLLECTOR | Kind.CUT_DATABASE:
                await self._cut(self._wire_of(fault), fault)
            case Kind.DISK_COLLECTOR | Kind.DISK_PROBES:
                await self._fill_disk(self._member_of(fault), fault)
            case Kind.CLOCK_COLLECTOR:
                await self._step_clock("collector", fault)
            case Kind.CLOCK_PROBES:
                await self._step_clock("probes", fault)
            case Kind.ANSWERS:
                await self._answer(fault)
            case _:
                await self._kill(self._member_of(fault), fault)

    def _member_of(self, fault: Fault) -> Member:
        """Whom a fault befalls."""
        match fault.kind:
            case Kind.KILL_COLLECTOR | Kind.DISK_COLLECTOR:
                return _one_of(self.collectors, fault)
            case Kind.KILL_BROKER:
                return self.broker
            case Kind.KILL_DATABASE:
                return self.database
        return self.probes

    def _wire_of(self, fault: Fault) -> Wire:
        """Which wire is cut."""
        if fault.kind is Kind.CUT_PROBES:
            return self._probes_wire
        if fault.kind is Kind.CUT_COLLECTOR:
            return _one_of(self._collector_wires, fault)
        assert self._database_wire is not None
        return self._database_wire

    async def _kill(self, member: Member, fault: Fault) -> None:
        async with member.turn:
            if member in self.collectors:
                self._note_counters()
            await member.kill()
            if member is self.probes:
                self.made.killed()
            if member is self.broker and fault.number:
                for file in (self.folder / "mosquitto" / "store").iterdir():
                    file.unlink()
            await asyncio.sleep(fault.for_s)
            await member.up()

    async def _cut(self, wire: Wire, fault: Fault) -> None:
        async with self._turns[fault.kind]:
            wire.sever(Cut(fault.detail))
            await asyncio.sleep(fault.for_s)
            wire.mend()

    async def _answer(self, fault: Fault) -> None:
        async with self._turns[fault.kind]:
            assert self._gate is not None
            self._gate.trouble = Answer(fault.detail)
            await asyncio.sleep(fault.for_s)
            self._gate.trouble = None

    async def _fill_disk(self, member: Member, fault: Fault) -> None:
        """What it may write is bounded by RLIMIT_FSIZE: writes fail as they do on a full disk, short ones included."""
        async with self._turns[fault.kind]:
            limited = member.limit_files(int(fault.number))
            await asyncio.sleep(fault.for_s)
            if limited is not None:
                member.limit_files(None)

    async def _step_clock(self, role: str, fault: Fault) -> None:
        async with self._turns[fault.kind]:
            self._set_clock(role, fault.number)
            await asyncio.sleep(fault.for_s)
            self._set_clock(role, 0)


def _one_of(several: Sequence[T], fault: Fault) -> T:
    return several[int(fault.which * len(several)) % len(several)]
