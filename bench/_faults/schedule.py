"""What shall go wrong, and when: drawn from a seed, and said so that a person can read it."""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from bench._faults.wire import Cut

if TYPE_CHECKING:
    from collections.abc import Sequence

LOAD_S: Final = 2.0
"""Reports are made for so long; faults begin within it."""
STEPS_S: Final = (-315_360_000, -86_400, -3600, -90, -5, 0.4, 5, 90, 3600, 86_400)
"""By how much a clock is stepped; the first is that of a machine without a battery."""


class Kind(StrEnum):
    """Kinds of faults."""

    KILL_COLLECTOR = "kill -9 collector"
    KILL_BROKER = "kill -9 broker"
    KILL_PROBES = "kill -9 probes"
    CUT_PROBES = "cut probes-broker"
    CUT_COLLECTOR = "cut collector-broker"
    DISK_COLLECTOR = "disk full for collector"
    DISK_PROBES = "disk full for probes"
    CLOCK_COLLECTOR = "clock step at collector"
    CLOCK_PROBES = "clock step at probes"
    KILL_DATABASE = "kill -9 database"
    CUT_DATABASE = "cut collector-database"
    ANSWERS = "database answers"


class Answer(StrEnum):
    """How a database (or what stands before it) answers a write."""

    BROKEN = "500"
    BROKEN_AFTER = "500, though it has stored everything"
    BUSY = "429"
    SLOW = "slow"
    HALF = "500, and has stored half of the batch"
    HALF_REFUSED = "400 once, and has stored half of the batch"


_DATABASE: Final[tuple[Kind, ...]] = (Kind.KILL_DATABASE, Kind.CUT_DATABASE, Kind.ANSWERS)
_CLOCKS: Final = (Kind.CLOCK_COLLECTOR, Kind.CLOCK_PROBES)
SQLITE: Final = "sqlite"


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault, from when, for how long, and how."""

    kind: Kind
    at_s: float
    for_s: float
    detail: str = ""
    number: float = 0.0
    """What `detail` says, as a number: seconds of a step, bytes still free."""
    which: float = 0.0
    """0 to 1: whom of several it befalls."""

    def __str__(self) -> str:
        return f"{self.at_s:5.2f} s  for {self.for_s:4.2f} s  {self.kind}  {self.detail}".rstrip()


@dataclass(frozen=True, slots=True)
class Shape:
    """What stands under trial."""

    sites: tuple[str, ...] = ("agra", "etah", "kannauj", "unnao")
    live: int = 24
    """Windows of each office, made within `LOAD_S`."""
    collectors: int = 1
    """More than one share the load (`tatpar collect --share`)."""
    store: str = SQLITE
    """`store.kind` of the settings."""
    spared: tuple[Kind, ...] = ()
    """Faults that are not drawn."""

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The faults that can befall it.

        With a database no clock is stepped: its points are known by their time, so two reports that a wrong clock puts at
        one time may cover each other there (one time in 16, telemetry/store/server/README.md); the journal keeps both.
        """
        if self.store == SQLITE:
            kinds: tuple[Kind, ...] = tuple(kind for kind in Kind if kind not in _DATABASE)
        else:
            own = tuple(kind for kind in Kind if kind not in _CLOCKS and kind not in _DATABASE)
            kinds = (*own, *_DATABASE, *_DATABASE)
        return tuple(kind for kind in kinds if kind not in self.spared)


@dataclass(frozen=True, slots=True)
class Schedule:
    """The trial of one (seed, index)."""

    seed: int
    index: int
    backlog: int
    faults: tuple[Fault, ...]

    @property
    def name(self) -> str:
        """Of its folder and in reports."""
        return f"{self.seed}-{self.index}"

    @property
    def fakes_time(self) -> bool:
        """Whether a clock is stepped."""
        return any(fault.kind in (Kind.CLOCK_COLLECTOR, Kind.CLOCK_PROBES) for fault in self.faults)

    def lines(self) -> list[str]:
        """For people."""
        head = (
            f"schedule --seed {self.seed} --only {self.index}: {self.backlog} reports in each spool, faults:"
        )
        return [head, *(f"  {fault}" for fault in self.faults)]


def draw(seed: int, index: int, kinds: Sequence[Kind]) -> Schedule:
    """The schedule of one (seed, index) for a house that these can befall; the same whenever it is drawn."""
    chance = random.Random(f"{seed}/{index}")
    backlog = chance.choice((0, 0, 4, 12))
    faults = [_fault(chance, chance.choice(kinds)) for _ in range(chance.randint(2, 5))]
    return Schedule(seed, index, backlog, tuple(sorted(faults, key=lambda fault: fault.at_s)))


def _fault(chance: random.Random, kind: Kind) -> Fault:
    at_s, for_s = round(chance.uniform(0.05, LOAD_S - 0.2), 2), round(chance.uniform(0.1, 0.9), 2)
    detail, number = "", 0.0
    match kind:
        case Kind.KILL_BROKER:
            number = float(chance.random() < 0.3)
            detail = "and its disk is lost" if number else ""
        case Kind.CUT_PROBES | Kind.CUT_COLLECTOR:
            detail = chance.choice(tuple(Cut)).value
        case Kind.CUT_DATABASE:  # one that is forgotten would be noticed after a minute only
            detail = chance.choice((Cut.RESET, Cut.SILENT)).value
        case Kind.ANSWERS:
            detail = chance.choice(tuple(Answer)).value
        case Kind.DISK_COLLECTOR | Kind.DISK_PROBES:
            number = float(chance.choice((0, 1, 4096, 20_000, 100_000)))
            detail = f"files end at {number:.0f} bytes" if number else "not a byte more"
        case Kind.CLOCK_COLLECTOR | Kind.CLOCK_PROBES:
            number = float(chance.choice(STEPS_S))
            detail = f"by {number:+g} s"
    return Fault(kind, at_s, for_s, detail, number, round(chance.random(), 3))
