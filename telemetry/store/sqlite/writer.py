"""The writing half of the SQLite store: one writer, durable commits."""

from __future__ import annotations

from contextlib import contextmanager
from threading import RLock
from typing import TYPE_CHECKING, Final

from telemetry.store import derived
from telemetry.store.derived import DerivedDays
from telemetry.store.sqlite import fold, imports, intake, restored, retention, upkeep
from telemetry.store.sqlite.accounts import Accounts
from telemetry.store.sqlite.connection import connect_writer, transaction, translated
from telemetry.store.sqlite.prepared import prepare
from telemetry.store.sqlite.reader import SqliteReader
from telemetry.store.sqlite.schema import migrate
from telemetry.store.sqlite.turns import Turns
from telemetry.windows import DAY_NS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from telemetry.store.protocol import Fate, Received, StoredItem
    from telemetry.store.sqlite.retention import Outdated
    from telemetry.store.tables import RollupTable, StreamTable

FOLDS_PER_CALL: Final = 1
ROLLUPS_PER_CALL: Final = 1


class SqliteStore(SqliteReader):
    """A report store in one SQLite file.

    Commits are on the disk when `append` returns (WAL, synchronous=FULL). Several processes may hold one open: writes
    take turns, readers never wait. Safe to use from several threads.
    """

    def __init__(self, path: Path, *, raw_days: float = 90, rollup_days: float = 730) -> None:
        """Open or make the file.

        Args:
            path: of the file; its folder is made.
            raw_days: how long windows are kept.
            rollup_days: how long roll-ups are kept.

        Raises:
            StoreError: the file is damaged, cannot be made, or is of a newer version.
        """
        self._path = path
        self._lock = RLock()
        self._raw_ns = round(raw_days * DAY_NS)
        self._rollup_ns = round(rollup_days * DAY_NS)
        self._connection = connect_writer(path)
        migrate(self._connection, path)
        with translated(path):
            self._turns = Turns(path)
        self._derived = DerivedDays(path.with_name(derived.FILE))
        self._accounts = Accounts(self._connection)
        self._revived: int | None = 0

    def prepare(self, report: Received) -> Received:
        """The same report for `append`, without what its row does not need; see `protocol.Preparing`."""
        return prepare(report)

    def append(self, reports: Sequence[Received]) -> list[Fate]:
        """Store reports in one durable transaction; one fate each, in order.

        Raises:
            StoreError: nothing of it was stored.
        """
        batch = intake.ready(reports)
        with self._lock:
            with self._write():
                fates = intake.take(self._connection, self._accounts, batch)
            self._accounts.settle()
            return fates

    def import_streams(self, table: StreamTable) -> None:
        """Take in windows of another origin; rows that are there already stay."""
        with self._lock, self._write():
            imports.import_streams(self._connection, table)

    def import_rollups(self, table: RollupTable) -> None:
        """Take in roll-ups of another origin; slots that were measured here stay."""
        with self._lock, self._write():
            imports.import_rollups(self._connection, table)

    def import_items(self, items: Sequence[StoredItem]) -> None:
        """Take in items of another origin; see `protocol.TakingItems`."""
        with self._lock, self._write():
            imports.import_items(self._connection, items)

    def maintain(self, now_ns: int) -> int:
        """Fold, roll up, take up late rows; how many pieces of work were done: call again soon while there are any."""
        with self._lock, self._write():
            days = upkeep.due(self._connection, now_ns, ROLLUPS_PER_CALL)
            for site, day_ns in days:
                upkeep.roll_up_day(self._connection, site, day_ns, now_ns)
            hours = fold.due(self._connection, now_ns, FOLDS_PER_CALL)
            for site, hour_ns in hours:
                fold.fold(self._connection, site, hour_ns)
            return len(days) + len(hours) + self._revive()

    def prune(self, now_ns: int) -> None:
        """Drop what is past its retention."""
        with self._lock, self._write():
            retention.prune(
                self._connection,
                raw_from_ns=now_ns - self._raw_ns,
                rollups_from_ns=now_ns - self._rollup_ns,
            )

    def untold(self) -> Sequence[tuple[str, str, str]]:
        """Who is to be told anew what is stored; see `protocol.Restorable`."""
        with self._view() as connection:
            return restored.untold(connection)

    def all_told(self) -> None:
        """They were."""
        with self._lock, self._write():
            restored.told(self._connection)

    def outdated(self, raw_from_ns: int, rollups_from_ns: int) -> Outdated:
        """What lies before these times."""
        with self._view() as connection:
            return retention.outdated(connection, raw_from_ns=raw_from_ns, rollups_from_ns=rollups_from_ns)

    def let_go(self, raw_from_ns: int, rollups_from_ns: int, progress: Callable[[int, int], None]) -> None:
        """Drop what lies before these times, a day at a time, so that other writers get their turn between.

        `progress` is told how many of how many days are done.
        """
        with self._view() as connection:
            days = retention.days_before(connection, max(raw_from_ns, rollups_from_ns))
        for number, end_ns in enumerate([*(day_ns + DAY_NS for day_ns in days), 2**62], start=1):
            with self._lock, self._write():
                retention.prune(
                    self._connection,
                    raw_from_ns=min(end_ns, raw_from_ns),
                    rollups_from_ns=min(end_ns, rollups_from_ns),
                )
            progress(number, len(days) + 1)

    def free_bytes(self) -> int:
        """What the file has free within, which new reports use before it grows."""
        with self._view() as connection:
            (pages,) = connection.execute("PRAGMA freelist_count").fetchone()
            (size,) = connection.execute("PRAGMA page_size").fetchone()
        return int(pages * size)

    def compact(self) -> None:
        """Write the file anew without what is free in it; other writers wait for so long.

        Raises:
            StoreError: another process is writing, or the disk has no room for a copy.
        """
        with self._lock, translated(self._path):
            self._connection.execute("VACUUM")
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    @property
    def shipping(self) -> Mapping[str, int | float | bool | str | None]:
        """Nothing: there is no server."""
        return {}

    def _revive(self) -> int:
        """Once after every start, block by block: what an older version did not understand."""
        if self._revived is not None:
            self._revived = fold.revive(self._connection, self._revived)
        return int(self._revived is not None)

    def close(self) -> None:
        """Let go of the file."""
        super().close()
        self._turns.close()

    @contextmanager
    def _write(self) -> Iterator[None]:
        with transaction(self._connection, self._path, turns=self._turns):
            yield
