"""The reading half of the SQLite store: blocks and recent rows as one; safe beside a writer in another process."""

from __future__ import annotations

from contextlib import contextmanager
from threading import RLock
from typing import TYPE_CHECKING

from telemetry.store import assembly, derived
from telemetry.store.derived import DerivedDays
from telemetry.store.sqlite import blocks, fullness, gaps, items, newest, recent, rollups, streams
from telemetry.store.sqlite.accounts import rows_of, unpacked
from telemetry.store.sqlite.blocks import Kind
from telemetry.store.sqlite.connection import connect_reader, transaction, translated
from telemetry.store.sqlite.schema import make_if_absent

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from pathlib import Path

    from telemetry.intervals import IntervalSet
    from telemetry.messages import Envelope
    from telemetry.store.protocol import Gaps, InHour, Selection, StoredItem
    from telemetry.store.sqlite.accounts import Key
    from telemetry.store.tables import RollupTable, StreamTable


class SqliteReader:
    """Reads a store's file; every read sees one moment of it. Safe to use from several threads, one at a time."""

    def __init__(self, path: Path) -> None:
        """Open the file; an empty store is made when there is none yet.

        Raises:
            StoreError: the file is damaged, or of a newer version.
        """
        self._path = path
        self._lock = RLock()
        make_if_absent(path)
        self._connection = connect_reader(path)
        self._derived = DerivedDays(path.with_name(derived.FILE))

    @property
    def derived(self) -> DerivedDays:
        """What was worked out of days of roll-ups; see `derived.Deriving`."""
        return self._derived

    def day_marks(self, site: str, start_ns: int, end_ns: int) -> Mapping[int, int]:
        """By its start, the mark of each day of roll-ups of a site that overlaps a span; see `derived.Deriving`."""
        with self._view() as connection:
            return blocks.marks(connection, Kind.ROLLUPS, site, start_ns, end_ns)

    def streams(
        self, selection: Selection, *, histograms: bool = True, columns: Collection[str] | None = None
    ) -> StreamTable:
        """Stream windows of a selection; see `StoreReader.streams`."""
        with self._view() as connection:
            return assembly.published(
                streams.read(connection, selection, histograms=histograms, columns=assembly.wanted(columns))
            )

    def rollups(
        self,
        selection: Selection,
        *,
        histograms: bool = True,
        columns: Collection[str] | None = None,
        window_values: Collection[str] | None = None,
    ) -> RollupTable:
        """Five-minute roll-ups of a selection; see `StoreReader.rollups`."""
        with self._view() as connection:
            return rollups.read(
                connection, selection, histograms=histograms, columns=columns, window_values=window_values
            )

    def superseded(
        self,
        selection: Selection,
        *,
        histograms: bool = True,
        columns: Collection[str] | None = None,
        window_values: Collection[str] | None = None,
    ) -> RollupTable:
        """Imported roll-ups that have given way to what came later; see `StoreReader.superseded`."""
        with self._view() as connection:
            return rollups.read(
                connection,
                selection,
                histograms=histograms,
                columns=columns,
                window_values=window_values,
                kind=Kind.SUPERSEDED,
            )

    def items(self, kind: str, selection: Selection) -> list[StoredItem]:
        """Items of one tag that is not `stream`, by (site, start)."""
        with self._view() as connection:
            return items.read(connection, kind, selection)

    def latest(self, *, as_of_ns: int | None = None, histograms: bool = False) -> StreamTable:
        """The newest window of every (site, path)."""
        with self._view() as connection:
            table = newest.read(connection, as_of_ns, histograms=histograms)
            return assembly.published(assembly.tidied(table))

    def tail(self, cursor: int, limit: int = 10_000, *, histograms: bool = False) -> tuple[int, StreamTable]:
        """Stream windows committed after `cursor`; see `StoreReader.tail`."""
        with self._view() as connection:
            upto, table = streams.read_tail(connection, cursor, limit, histograms=histograms)
            return upto, assembly.published(table)

    def reports_in_hour(self, site: str, probe: str, hour_ns: int) -> InHour:
        """How many reports of a probe an hour holds, recent or folded; see `protocol.Counting`."""
        with self._view() as connection:
            return fullness.reports_in_hour(connection, site, probe, hour_ns)

    def envelopes(self, site: str, start_ns: int, end_ns: int) -> list[Envelope]:
        """The raw reports behind a span, while they are kept whole."""
        where = "site = ? AND start_ns >= ? AND start_ns < ? ORDER BY start_ns, id"
        with self._view() as connection:
            found = recent.read_envelopes(connection, where, (site, start_ns, end_ns))
            return [envelope for envelope, _ in found]

    def gaps(self, selection: Selection) -> Gaps:
        """What is missing in a selection."""
        with self._view() as connection:
            return gaps.read(connection, selection)

    def received(self, site: str, probe: str) -> Mapping[str, IntervalSet]:
        """Per epoch, the seq ranges accounted for."""
        with self._view() as connection:
            rows = connection.execute(
                "SELECT epoch, stored, written_off, holes FROM ledger WHERE site = ? AND probe = ?",
                (site, probe),
            )
            return {epoch: unpacked(*packed).accounted() for epoch, *packed in rows}

    def accounted(self, epochs: Sequence[Key]) -> Mapping[Key, IntervalSet]:
        """The seq ranges accounted for of many epochs at one look."""
        with self._view() as connection:
            return {key: unpacked(*row).accounted() for key, row in rows_of(connection, epochs)}

    def close(self) -> None:
        """Let go of the files."""
        self._derived.close()
        with self._lock, translated(self._path):
            self._connection.close()

    @contextmanager
    def _view(self) -> Iterator[sqlite3.Connection]:
        """One moment of the file, however long the read takes."""
        with self._lock, transaction(self._connection, self._path, "DEFERRED"):
            yield self._connection
