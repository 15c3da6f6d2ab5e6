"""The count at the end: what was made and numbered at the offices against what is in the store, report by report."""

from __future__ import annotations

import contextlib
import sqlite3
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from bench._faults.offices import PROBE, spool_of
from telemetry.intervals import IntervalSet
from telemetry.store.errors import StoreError
from telemetry.store.protocol import Selection
from telemetry.store.sqlite import SqliteReader

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from telemetry.store.protocol import SeqHole

ALWAYS = Selection(0, 2**62)


@dataclass(slots=True)
class Made:
    """The windows that were made, by their marks, as the probes' processes told."""

    by_site: dict[str, list[int]] = field(default_factory=dict)
    at_risk: set[tuple[str, int]] = field(default_factory=set)
    """Made before the last kill of the probes: these alone may have died in memory, without a number."""

    def take(self, line: str) -> bool:
        """Take note of a line of output; False when it says something else."""
        if not line.startswith("made "):
            return False
        _, site, mark = line.split(" ")
        self.by_site.setdefault(site, []).append(int(mark))
        return True

    def killed(self) -> None:
        """The process that held the latest ones in memory is gone."""
        self.at_risk = {(site, mark) for site, marks in self.by_site.items() for mark in marks}

    def next_live(self, least_backlog: int) -> int:
        """The mark with which a process that takes over goes on."""
        live = [mark for marks in self.by_site.values() for mark in marks if mark < least_backlog]
        return max(live, default=-1) + 1


@dataclass(frozen=True, slots=True)
class Spooled:
    """The books of one spool."""

    epoch: str
    numbered: int
    """The last seq that was given."""
    held: int
    """Reports that wait for `stored`."""


class StoreUnderTrial(Protocol):
    """What is asked of a store at the end."""

    def received(self, site: str, probe: str) -> Mapping[str, IntervalSet]:
        """Per epoch, what is accounted for."""
        ...

    def marks(self, site: str) -> list[int]:
        """The mark of every row of a site, copies included."""
        ...

    def holes(self) -> list[SeqHole]:
        """What is missing, as the store sees it."""
        ...


class SqliteUnderTrial:
    """The embedded store, or the journal before a database, by the reader that everyone uses."""

    def __init__(self, reader: SqliteReader) -> None:
        self._reader = reader

    @classmethod
    @contextlib.contextmanager
    def opened(cls, file: Path) -> Iterator[SqliteUnderTrial]:
        """Open a store's file, or the journal of a database's."""
        with contextlib.closing(SqliteReader(file)) as reader:
            yield cls(reader)

    def received(self, site: str, probe: str) -> Mapping[str, IntervalSet]:
        """Per epoch, what is accounted for."""
        return self._reader.received(site, probe)

    def marks(self, site: str) -> list[int]:
        """The mark of every row of a site, copies included."""
        wanted = Selection(ALWAYS.start_ns, ALWAYS.end_ns, sites=(site,))
        table = self._reader.streams(wanted, histograms=False, columns=("straddled",))
        marks: list[int] = table.columns["straddled"].tolist()
        return marks

    def holes(self) -> list[SeqHole]:
        """What is missing, as the store sees it."""
        return list(self._reader.gaps(ALWAYS).holes)


@dataclass(slots=True)
class Count:
    """Sent and stored, and every difference in one line each."""

    sent: int = 0
    stored: int = 0
    unnumbered: int = 0
    """Windows that died in memory with a killed process before they had a number."""
    differences: list[str] = field(default_factory=list)
    marks: dict[str, list[int]] = field(default_factory=dict)
    """The mark of every row, by site."""


def spooled(folder: Path, site: str) -> Spooled | str:
    """The books of a spool, or why they cannot be read."""
    file = spool_of(folder, site)
    try:
        with contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=5)) as db:
            epoch, next_seq, held = db.execute("SELECT epoch, next_seq, reports FROM spool").fetchone()
            rows = db.execute("SELECT count(*) FROM report").fetchone()[0]
    except sqlite3.Error as error:
        return f"{file.name}: {error}"
    if rows != held:
        return f"{file.name}: books say {held} reports, there are {rows}"
    return Spooled(epoch, next_seq - 1, held)


def waiting(folder: Path, sites: tuple[str, ...]) -> int | None:
    """Reports in all spools that wait for `stored`; None while one cannot be read."""
    found = [spooled(folder, site) for site in sites]
    return sum(one.held for one in found if isinstance(one, Spooled)) if _all_read(found) else None


def _all_read(found: list[Spooled | str]) -> bool:
    return all(isinstance(one, Spooled) for one in found)


def count(
    spools: Path, made: Made, sites: tuple[str, ...], opened: AbstractContextManager[StoreUnderTrial]
) -> Count:
    """Compare; no differences means: stored exactly once, all that was numbered, nothing else."""
    result = Count()
    try:
        with opened as store:
            for site in sites:
                _count_site(result, spools, site, made, store)
            for hole in store.holes():
                result.differences.append(f"{hole.site}: an open hole {hole.first_seq}..{hole.last_seq}")
    except StoreError as error:
        result.differences.append(f"the store cannot be read: {error}")
    return result


def _count_site(result: Count, spools: Path, site: str, made: Made, store: StoreUnderTrial) -> None:
    say = result.differences.append
    spool = spooled(spools, site)
    if isinstance(spool, str):
        say(f"{site}: {spool}")
        return
    if spool.held:
        say(f"{site}: {spool.held} reports of {spool.numbered} wait in the spool")
    accounted = store.received(site, PROBE)
    wanted = IntervalSet([(1, spool.numbered)]) if spool.numbered else IntervalSet()
    if accounted.get(spool.epoch, IntervalSet()) != wanted:
        say(f"{site}: numbered {list(wanted)}, the ledger has {list(accounted.get(spool.epoch, ()))}")
    for other in set(accounted) - {spool.epoch}:
        say(f"{site}: the ledger knows epoch {other} with {list(accounted[other])}, the spool does not")
    result.marks[site] = store.marks(site)
    _count_rows(result, spool.numbered, site, made, Counter(result.marks[site]))


def _count_rows(result: Count, numbered: int, site: str, made: Made, marks: Counter[int]) -> None:
    say = result.differences.append
    result.sent += numbered
    result.stored += marks.total()
    if marks.total() != numbered:
        say(f"{site}: {numbered} reports were numbered, {marks.total()} rows are stored")
    for mark, times in marks.items():
        if times > 1:
            say(f"{site}: window {mark} is stored {times} times")
    told = set(made.by_site.get(site, ()))
    for mark in sorted(marks.keys() - told):
        say(f"{site}: window {mark} is stored and was never made")
    lost = told - marks.keys()
    result.unnumbered += len(lost)
    for mark in sorted(lost):
        if (site, mark) not in made.at_risk:
            say(f"{site}: window {mark} was made and is not stored")
