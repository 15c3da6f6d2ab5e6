"""Many schedules, some at once: each run in a folder of its own, counted, and when it fails kept with all its logs."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from bench._faults.counting import Count, SqliteUnderTrial, count, waiting
from bench._faults.databases import differences
from bench._faults.processes import Nursery
from bench._faults.schedule import Schedule, Shape, draw
from bench._faults.world import World
from config.settings import Store
from telemetry.store.open import store_file

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

HEALED_S: Final = 90.0
"""After the last fault everything must be stored and confirmed within so long. Takes one or two seconds; the rest is for
a machine that others use too."""
LOOK_S: Final = 0.1
FAKETIME: Final = ("/usr/lib", "/usr/local/lib")
MODULES: Final = (
    "collector.service",
    "collector.broker",
    "config.live",
    "probes.publishing.agent",
    "tatpar.commands.collect",
    "telemetry.state.db",
    "telemetry.store.open",
    "telemetry.store.sqlite",
    "telemetry.store.server",
    "telemetry.store.server.connect",
    "bench._faults.nursery",
)
"""What collectors and probes import."""
ONE_THREAD: Final = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one schedule."""

    schedule: Schedule
    count: Count
    duplicates: int
    took_s: float
    folder: Path

    @property
    def failed(self) -> bool:
        """Whether anything is not as it must be."""
        return bool(self.count.differences)

    def lines(self) -> list[str]:
        """For people: the schedule, the differences, where the logs are."""
        wrong = [f"  ✗ {line}" for line in self.count.differences]
        return [*self.schedule.lines(), *wrong, f"  logs and files: {self.folder}"]


@dataclass(slots=True)
class Total:
    """What became of all."""

    schedules: int = 0
    sent: int = 0
    stored: int = 0
    duplicates: int = 0
    unnumbered: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    failed: list[Outcome] = field(default_factory=list)
    longest_s: float = 0.0

    def add(self, outcome: Outcome) -> None:
        """One more."""
        self.schedules += 1
        self.sent += outcome.count.sent
        self.stored += outcome.count.stored
        self.unnumbered += outcome.count.unnumbered
        self.duplicates += outcome.duplicates
        self.faults.update(fault.kind.value for fault in outcome.schedule.faults)
        self.longest_s = max(self.longest_s, outcome.took_s)
        if outcome.failed:
            self.failed.append(outcome)


@dataclass(frozen=True, slots=True)
class Nurseries:
    """One with the machine's clock and one whose children's clocks can be stepped."""

    plain: Nursery
    faked: Nursery

    def of(self, schedule: Schedule) -> Nursery:
        """The one that a schedule needs."""
        return self.faked if schedule.fakes_time else self.plain

    @classmethod
    @contextlib.asynccontextmanager
    async def opened(cls, folder: Path) -> AsyncIterator[Nurseries]:
        """Start both."""
        truth = folder / "true-time"
        truth.write_text("+0\n", encoding="ascii")
        faked = ONE_THREAD | {
            "LD_PRELOAD": str(libfaketime()),
            "FAKETIME_TIMESTAMP_FILE": str(truth),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
        }
        both = cls(Nursery(ONE_THREAD, MODULES), Nursery(faked, MODULES))
        try:
            await asyncio.gather(both.plain.start(), both.faked.start())
            yield both
        finally:
            await both.plain.close()
            await both.faked.close()


def libfaketime() -> Path:
    """The library that steps clocks.

    Raises:
        RuntimeError: it is not on this machine.
    """
    for place in map(Path, FAKETIME):
        for found in sorted(place.glob("**/faketime/libfaketimeMT.so.1")):
            return found
    raise RuntimeError("libfaketime is not on this machine; deploy/setup.sh databases installs it")


async def campaign(  # noqa: PLR0913 - what a campaign is made of
    seed: int,
    indices: Sequence[int],
    *,
    shape: Shape,
    jobs: int,
    keep: Path | None = None,
    done: Callable[[Outcome], None],
) -> Total:
    """Run schedules, `jobs` at once; those that fail leave their folder in `keep` (default: the temporary folder)."""
    total = Total()
    waiting_list = iter(indices)
    with tempfile.TemporaryDirectory(prefix="tatpar-faults-") as scratch:
        async with Nurseries.opened(Path(scratch)) as nurseries:

            async def work() -> None:
                for index in waiting_list:
                    schedule = draw(seed, index, shape.kinds)
                    folder = Path(scratch) / schedule.name
                    outcome = await trial(schedule, shape, nurseries.of(schedule), folder)
                    if outcome.failed:
                        outcome = _kept(outcome, keep)
                    else:
                        await asyncio.to_thread(shutil.rmtree, folder)
                    total.add(outcome)
                    done(outcome)

            async with asyncio.TaskGroup() as group:
                for number in range(jobs):
                    group.create_task(work(), name=f"schedules {number}")
    return total


def _kept(outcome: Outcome, keep: Path | None) -> Outcome:
    """Move the folder of a failed schedule to where it stays."""
    place = keep or Path(tempfile.gettempdir()) / "tatpar-faults-failed"
    place.mkdir(parents=True, exist_ok=True)
    target = place / f"{outcome.schedule.name}-{os.getpid()}"
    shutil.move(outcome.folder, target)
    (target / "schedule.txt").write_text("\n".join(outcome.lines()) + "\n", encoding="utf-8")
    return Outcome(outcome.schedule, outcome.count, outcome.duplicates, outcome.took_s, target)


async def trial(schedule: Schedule, shape: Shape, nursery: Nursery, folder: Path) -> Outcome:
    """Run one schedule from the start of the house to the count."""
    began = time.monotonic()
    await asyncio.to_thread(folder.mkdir)
    world = World(folder, shape, schedule.backlog, nursery)
    try:
        await world.up()
        async with asyncio.TaskGroup() as group:
            for fault in schedule.faults:
                group.create_task(world.suffer(fault), name=str(fault))
        found = await _settled(world, shape)
        if not found.differences:
            found.differences += await world.end()
            after = await _count(world, shape)
            found.differences += [f"after the end: {line}" for line in after.differences]
    except Exception as error:  # noqa: BLE001 - a fault of the house, or of the harness: either way this trial failed
        found = Count(differences=[f"the trial itself failed: {error!r}"])
    finally:
        await world.close()
    return Outcome(schedule, found, world.duplicates, time.monotonic() - began, folder)


async def _settled(world: World, shape: Shape) -> Count:
    """Wait until nothing differs; what still does when the time is over."""
    end = time.monotonic() + HEALED_S
    while True:
        late = time.monotonic() > end
        idle = world.all_made and await asyncio.to_thread(waiting, world.spools, shape.sites) == 0
        if idle or late:
            found = await _count(world, shape)
            if not world.all_made:
                found.differences.append("not every window of the load was made")
            if late or not found.differences:
                return found
        await asyncio.sleep(LOOK_S)


async def _count(world: World, shape: Shape) -> Count:
    settings = msgspec.convert({"kind": shape.store}, Store)
    opened = SqliteUnderTrial.opened(store_file(settings, world.data))
    found = await asyncio.to_thread(count, world.spools, world.made, shape.sites, opened)
    if world.server is not None and not found.differences:
        try:
            there = await asyncio.to_thread(world.server.marks, shape.sites)
        except OSError as error:
            found.differences.append(f"the database does not answer: {error}")
        else:
            found.differences += differences(there, found.marks)
    return found
