"""Looking through a store's file: is everything in it readable, and do its books agree with what it holds."""

from __future__ import annotations

import sqlite3
import struct
from collections import defaultdict
from contextlib import closing
from typing import TYPE_CHECKING, Final

import msgspec
import numpy as np

from telemetry import codec
from telemetry.intervals import IntervalSet
from telemetry.messages import Stream
from telemetry.store import packing
from telemetry.store.assembly import COMMIT
from telemetry.store.errors import StoreError
from telemetry.store.item_kinds import UNKNOWN_KIND
from telemetry.store.records import packed_records
from telemetry.store.rollup_tables import wanted_rollups
from telemetry.store.sqlite import fold, rollups
from telemetry.store.sqlite.accounts import unpacked
from telemetry.store.sqlite.blocks import PARTS_PER_BLOCK, SPAN_NS, Kind
from telemetry.store.sqlite.connection import connect_reader, transaction
from telemetry.store.sqlite.retention import raw_from
from telemetry.store.sqlite.schema import refuse_newer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from telemetry.store.ledger import Account

MOST_FAULTS: Final = 50
"""Told of one file; what is behind them is not looked at any more."""
_ROWS_AT_ONCE: Final = 500
_NAMES: Final[dict[int, str]] = {
    Kind.WINDOWS: "hour",
    Kind.ROLLUPS: "day of roll-ups",
    Kind.SUPERSEDED: "day of superseded roll-ups",
}
_UNREADABLE: Final = (
    *(StoreError, codec.MessageError, msgspec.MsgspecError, sqlite3.Error),
    *(struct.error, ValueError, IndexError, KeyError, TypeError, OverflowError),
)
Site = tuple[str, str]
"""site, probe"""


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What was looked at, and what is wrong."""

    faults: tuple[str, ...] = ()
    reports: int = 0
    """In rows of their own."""
    blocks: int = 0
    accounts: int = 0


def inspect(path: Path, progress: Callable[[int, int], None] = lambda *_: None) -> Found:
    """Look through a file, as of one moment, also while others write to it.

    Args:
        path: of the file; one of an older schema is looked at as it is.
        progress: told how many of how many blocks have been looked at.

    Raises:
        StoreError: the file cannot be opened at all, or is of a newer version.
    """
    with closing(connect_reader(path)) as connection:
        refuse_newer(connection, path)
        with transaction(connection, path, "DEFERRED"):
            looking = _Looking(connection)
            faults: list[str] = []
            for fault in looking.faults(progress):
                faults.append(fault)
                if len(faults) == MOST_FAULTS:
                    faults.append("and more: not looked at any further")
                    break
    return Found(
        faults=tuple(faults), reports=looking.reports, blocks=looking.blocks, accounts=looking.accounts
    )


class _Looking:
    """One look at one moment of a file."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.reports = self.blocks = self.accounts = 0
        self._kept: dict[Site, int] = defaultdict(int)
        """Reports by what holds them, rows or blocks."""
        self._numbers: dict[tuple[str, str, str], IntervalSet] = defaultdict(IntervalSet)
        """Of those in rows."""
        self._unread: set[str] = set()
        """Sites whose sums cannot be told."""
        self._probes = _names(connection, "SELECT site, probe FROM contact")
        self._paths = _names(connection, "SELECT site, path FROM line")

    def faults(self, progress: Callable[[int, int], None]) -> Iterator[str]:
        yield from damage(self._connection)
        yield from self._blocks(progress)
        yield from self._rows()
        yield from self._books()

    def _blocks(self, progress: Callable[[int, int], None]) -> Iterator[str]:
        query = "SELECT id, kind, site, start_ns FROM block ORDER BY id"
        rows = self._connection.execute(query).fetchall()
        for number, (block, kind, site, start_ns) in enumerate(rows, start=1):
            self.blocks += 1
            try:
                yield from self._block(block, Kind(kind), site, start_ns)
            except _UNREADABLE as error:
                self._unread.add(site)
                yield f"the {_named(kind)} of {site} from {_time(start_ns)} cannot be read: {error}"
            progress(number, len(rows))
        orphans = self._connection.execute(
            "SELECT count(*) FROM part WHERE id / ? NOT IN (SELECT id FROM block)", (PARTS_PER_BLOCK,)
        ).fetchone()[0]
        if orphans:
            yield f"{orphans} parts belong to no block"

    def _block(self, block: int, kind: Kind, site: str, start_ns: int) -> Iterator[str]:
        if kind is not Kind.WINDOWS:
            table = rollups.read_day(
                self._connection, block, site, wanted_rollups(None, None), histograms=True
            )
        else:
            hour = fold.read(self._connection, block, site)
            table = hour.windows
            self._count(site, hour)
            outside = [item for item in hour.items if not 0 <= item.start_ns - start_ns < SPAN_NS[kind]]
            if outside:
                yield f"the hour of {site} from {_time(start_ns)} holds {len(outside)} items of another time"
        strangers = set(table.probes) - self._probes[site] | set(table.paths) - self._paths[site]
        if strangers:
            yield f"the {_named(kind)} of {site} from {_time(start_ns)} names {', '.join(map(repr, sorted(strangers)))}"
        start = table.columns["start_ns"]
        outside_rows = int(np.count_nonzero((start < start_ns) | (start >= start_ns + SPAN_NS[kind])))
        if outside_rows:
            yield f"the {_named(kind)} of {site} from {_time(start_ns)} holds {outside_rows} rows of another time"
        for name, part in table.histograms.items():
            if len(part.offsets) != len(start) + 1 or part.offsets[-1] != len(part.bins):
                yield f"{name} of {site} from {_time(start_ns)} does not fit its windows"

    def _count(self, site: str, hour: fold.Hour) -> None:
        """The reports behind an hour: its contacts, but for those of imported windows, which no report brought."""
        windows, contacts = hour.windows, hour.contacts
        names = [windows.probes[code] for code in windows.columns["probe"].tolist()]
        commits, starts = windows.columns[COMMIT].tolist(), windows.columns["start_ns"].tolist()
        of_reports: set[tuple[str, int]] = set()
        of_imports: set[tuple[str, int]] = set()
        for name, start, commit in zip(names, starts, commits, strict=True):
            (of_reports if commit else of_imports).add((name, start))
        for item in hour.items:
            (of_reports if item.commit else of_imports).add((item.probe, item.start_ns))
        of_imports -= of_reports
        for code, start in zip(contacts.probe.tolist(), contacts.start_ns.tolist(), strict=True):
            probe = contacts.probes[code]
            self._kept[site, probe] += (probe, start) not in of_imports

    def _rows(self) -> Iterator[str]:
        after = 0
        while True:
            rows = self._connection.execute(
                "SELECT id, site, probe, epoch, seq, start_ns, emulated, paths, kinds, records, payload FROM report"
                " WHERE id > ? ORDER BY id LIMIT ?",
                (after, _ROWS_AT_ONCE),
            ).fetchall()
            if not rows:
                return
            for row in rows:
                after = row[0]
                self.reports += 1
                try:
                    yield from self._row(*row[1:])
                except _UNREADABLE as error:
                    yield f"report {row[4]} of {row[1]} from {_time(row[5])} cannot be read: {error}"

    def _row(  # noqa: PLR0913, PLR0917 - the columns of a row
        self,
        site: str,
        probe: str,
        epoch: str,
        seq: int,
        start_ns: int,
        emulated: int,
        paths: str,
        kinds: str,
        records: bytes,
        payload: bytes,
    ) -> Iterator[str]:
        envelope = codec.decode(packing.decompress(payload))
        said = (envelope.site, envelope.probe, envelope.epoch, envelope.seq, envelope.start_ns)
        if said != (site, probe, epoch, seq, start_ns):
            yield f"report {seq} of {site} from {_time(start_ns)} is another one than its row says"
        streams = [item for item in envelope.items if isinstance(item, Stream)]
        packed = packed_records(envelope, streams, emulated=bool(emulated))
        was_understood = UNKNOWN_KIND not in kinds.split(",")
        if was_understood and (packed != records or ",".join(s.path for s in streams) != paths):
            yield f"report {seq} of {site} from {_time(start_ns)}: its figures are not those of its message"
        if not self._numbers[site, probe, epoch].add(seq):
            yield f"report {seq} of {site} is there twice"
        self._kept[site, probe] += 1

    def _books(self) -> Iterator[str]:
        stored: dict[Site, int] = defaultdict(int)
        graves = self._graves()
        for site, probe, epoch, *packed in self._connection.execute("SELECT * FROM ledger").fetchall():
            self.accounts += 1
            try:
                account = unpacked(*packed)
            except _UNREADABLE as error:
                yield f"the ledger of {site}/{probe} cannot be read: {error}"
                continue
            stored[site, probe] += len(account.stored)
            key = (site, probe, epoch)
            yield from _compared(
                key, account, self._numbers.pop(key, IntervalSet()), graves.pop(key, IntervalSet())
            )
        for site, probe, _ in self._numbers.keys() | graves.keys():
            yield f"{site}/{probe} has reports or tombstones and no ledger"
        yield from self._sums(stored)

    def _graves(self) -> dict[tuple[str, str, str], IntervalSet]:
        graves: dict[tuple[str, str, str], IntervalSet] = defaultdict(IntervalSet)
        for *key, first, last in self._connection.execute(
            "SELECT site, probe, epoch, first_seq, last_seq FROM tombstone"
        ):
            graves[key[0], key[1], key[2]].add_range(first, last)
        return graves

    def _sums(self, stored: dict[Site, int]) -> Iterator[str]:
        """What is held against what is accounted for; less of it where retention, or a database server, has it."""
        kept_from = self._connection.execute("SELECT value FROM fact WHERE name = 'kept_from_ns'").fetchone()
        whole = raw_from(self._connection) == 0 and not (kept_from and kept_from[0])
        for site in sorted(stored.keys() | self._kept.keys()):
            kept, known = self._kept.get(site, 0), stored.get(site, 0)
            if site[0] in self._unread:
                continue
            if kept > known or (whole and kept < known):
                yield f"{site[0]}/{site[1]}: {known} reports are accounted for, {kept} are there"


def _compared(
    key: tuple[str, str, str], account: Account, numbers: IntervalSet, graves: IntervalSet
) -> Iterator[str]:
    who = f"{key[0]}/{key[1]}"
    strange = sum(last - first + 1 for a, b in numbers for first, last in account.stored.holes(a, b))
    if strange:
        yield f"{who}: {strange} reports are there that the ledger does not know"
    if graves != account.written_off:
        yield f"{who}: the ledger writes off {account.written_off!r}, the tombstones say {graves!r}"
    accounted = account.accounted()
    told = IntervalSet((hole.first, hole.last) for hole in account.holes)
    wanted = IntervalSet(accounted.holes(1, account.top)) if account.top else IntervalSet()
    if told != wanted:
        yield f"{who}: the ledger's holes are {told!r}, its numbers leave {wanted!r}"


def _names(connection: sqlite3.Connection, query: str) -> dict[str, set[str]]:
    """By site, the names that it has used."""
    names: dict[str, set[str]] = defaultdict(set)
    for site, name in connection.execute(query):
        names[site].add(name)
    return names


def damage(connection: sqlite3.Connection) -> Iterator[str]:
    """What SQLite itself finds wrong with the pages, indexes and references of a file."""
    try:
        for (line,) in connection.execute(f"PRAGMA integrity_check({MOST_FAULTS})"):
            if line != "ok":
                yield f"SQLite: {' '.join(str(line).split())}"
        for table, *_ in connection.execute("PRAGMA foreign_key_check"):
            yield f"SQLite: a row of {table} refers to one that is gone"
    except sqlite3.Error as error:
        yield f"SQLite: {error}"


def _named(kind: int) -> str:
    return _NAMES.get(kind, "block")


def _time(at_ns: int) -> str:
    return str(np.datetime64(at_ns // 10**9, "s")) + "Z"
