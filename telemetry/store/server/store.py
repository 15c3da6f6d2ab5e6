"""The writing half: appends to the journal, has it shipped, makes roll-ups, forgets what the server has."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Final

from telemetry.store import assembly
from telemetry.store.imported import completed, is_among
from telemetry.store.protocol import Selection
from telemetry.store.rollup_tables import as_rollups, as_windows
from telemetry.store.server.cursor import Cursor, OnlyOne
from telemetry.store.server.delivery import Delivery
from telemetry.store.server.journal import Journal
from telemetry.store.server.journal_reader import JournalReader
from telemetry.store.server.lines import LineMaker
from telemetry.store.server.mending import Mending
from telemetry.store.server.quarantine import Quarantine
from telemetry.store.server.reader import ServerReader
from telemetry.store.server.shipper import Means, Shipper
from telemetry.store.server.shipping import Shipping
from telemetry.windows import DAY_NS, SLOT_NS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from config.settings import Store
    from telemetry.intervals import IntervalSet
    from telemetry.store.protocol import Fate, InHour, Received
    from telemetry.store.server.database import Database
    from telemetry.store.tables import RollupTable, StreamTable

log: Final = logging.getLogger(__name__)
JOURNAL_FILE: Final = "journal.db"
DAYS_PER_CALL: Final = 4


class ServerStore(ServerReader):
    """A report store on a database server; several processes may write to one data folder."""

    def __init__(
        self,
        settings: Store,
        data_dir: Path,
        database: Database,
        *,
        ships: bool = True,
        settles_s: float | None = None,
    ) -> None:
        """Open or make the journal; the server is not waited for.

        Args:
            settings: retention, how long the journal keeps, size of batches.
            data_dir: of the journal.
            database: the server; closed with this store.
            ships: False to call `ship` by hand.
            settles_s: in place of the database's own, for tests.

        Raises:
            StoreError: the journal cannot be opened.
        """
        path = data_dir / JOURNAL_FILE
        self._settings = settings
        self._path = path
        self._writer = Journal(path, raw_days=settings.raw_days, rollup_days=settings.rollup_days)
        super().__init__(JournalReader(path), database)
        self._own = JournalReader(path)  # the shipper's: its reads do not wait for others'
        self._shipping = Shipping(database.where)
        self._only_one = OnlyOne(path.with_suffix(".shipper"))
        self._shipper = Shipper(
            Means(
                self._writer,
                self._own,
                database,
                Delivery(database, self._shipping, Quarantine(data_dir / "journal.rejected")),
                LineMaker(settings.prefix, strings=database.strings),
                Cursor(path.with_suffix(".cursor")),
                self._only_one,
                self._shipping,
                settings.batch_reports,
                Mending(self._writer, ServerReader(self._own, database)),
                lambda: self._now_ns or time.time_ns(),
                settles_s,
            )
        )
        self._too_large = False
        self._now_ns = 0
        if ships:
            self._shipper.start()

    def prepare(self, report: Received) -> Received:
        """The same report for `append`, without what the journal does not need; see `protocol.Preparing`."""
        return self._writer.prepare(report)

    def append(self, reports: Sequence[Received]) -> list[Fate]:
        """Store reports durably in the journal, in one transaction; the server is not waited for."""
        fates = self._writer.append(reports)
        self._shipper.wake()
        return fates

    def untold(self) -> Sequence[tuple[str, str, str]]:
        """Who is to be told anew what is stored; see `protocol.Restorable`."""
        return self._writer.untold()

    def all_told(self) -> None:
        """They were."""
        self._writer.all_told()

    def reports_in_hour(self, site: str, probe: str, hour_ns: int) -> InHour:
        """How many reports of a probe the journal holds of an hour; see `protocol.Counting`."""
        return self._writer.reports_in_hour(site, probe, hour_ns)

    def accounted(self, epochs: Sequence[tuple[str, str, str]]) -> Mapping[tuple[str, str, str], IntervalSet]:
        """The seq ranges accounted for of many epochs at one look."""
        return self._writer.accounted(epochs)

    def ship(self) -> int:
        """Ship a batch now, when no other process is the shipper; how much that was.

        Raises:
            StoreError: the server did not take it.
        """
        return self._shipper.step() if self._only_one.take() else 0

    def import_streams(self, table: StreamTable) -> None:
        """Take in windows of another origin; rows that are there already, here or on the server, stay."""
        rows = completed(table)
        if len(rows):
            there = self.streams(_span_of(rows), histograms=False, columns=())
            rows = assembly.rows_where(rows, ~is_among(rows, there))
        self._writer.import_streams(rows)
        self._shipper.wake()

    def import_rollups(self, table: RollupTable) -> None:
        """Take in roll-ups of another origin; slots that were measured stay."""
        rows = as_windows(table)
        versions: Mapping[tuple[str, int], int] = {}
        if len(rows):
            there, versions = self.rollups_there(_span_of(rows))
            measured = assembly.rows_where(there, there.columns["emulated"] == 0)
            rows = assembly.rows_where(rows, ~is_among(rows, measured))
        self._writer.import_versions(as_rollups(rows), versions)
        self._shipper.wake()

    def maintain(self, now_ns: int) -> int:
        """Roll up closed slots, fold closed hours that the server has, take up what an upgrade made readable.

        The server is not waited for: slots that need it are mended by the shipper.
        """
        self._now_ns = now_ns
        days = self._writer.whole_days(now_ns, DAYS_PER_CALL)
        pieces = sum(self._writer.roll_up_day(site, day, now_ns) for site, day in days)
        pieces += self._writer.fold_shipped(now_ns, self._shipper.shipped)
        pieces += self._writer.revive()
        self._weigh()
        if pieces:
            self._shipper.wake()
        return pieces

    def prune(self, now_ns: int) -> None:
        """Drop what is past its retention, and from the journal what the server has; the server prunes by its own rules."""
        self._writer.prune(now_ns)
        self.drop_shipped(now_ns - round(self._settings.journal_days * DAY_NS))

    def drop_shipped(self, before_ns: int) -> None:
        """Let the journal forget what starts before a time and is on the server."""
        self._writer.drop_shipped(before_ns, self._shipper.shipped)

    def _weigh(self) -> None:
        """Tell when the journal has grown too large."""
        too_large = self._bytes() > self._settings.journal_megabytes * 1e6
        if too_large and not self._too_large:
            log.error(
                "%s has grown to %.0f MB (store.journal_megabytes is %.0f): see that the database server runs;"
                " nothing is dropped",
                self._path,
                self._bytes() / 1e6,
                self._settings.journal_megabytes,
                extra={"event": "journal.too-large"},
            )
        self._too_large = too_large

    def _bytes(self) -> int:
        beside = (self._path, self._path.with_name(self._path.name + "-wal"))
        return sum(file.stat().st_size for file in beside if file.exists())

    @property
    def shipping(self) -> Mapping[str, int | float | bool | str | None]:
        """How the shipping fares; the backlog is the journal's and told by whoever ships, the counters are this process's."""
        own = {
            **self._shipping.figures(),
            "journal_bytes": self._bytes(),
            "journal_too_large": self._too_large,
            **{f"server_lost_{reason}": number for reason, number in self._shipper.lost.items()},
        }
        if self._shipper.elsewhere:
            return own
        shipped = self._shipper.shipped
        waiting = self._journal.waiting(self._shipper.sent)
        return {
            **own,
            "journal_backlog_reports": waiting.last_commit - self._shipper.sent,
            "unsettled_reports": self._shipper.sent - shipped,
            "journal_backlog_rollups": waiting.rollups,
            "journal_backlog_hours": waiting.hours,
            "oldest_unshipped_ns": waiting.oldest_received_ns,
        }

    def close(self) -> None:
        """Stop shipping and let go of everything; what waits is shipped at the next start."""
        self._shipper.stop()
        self._own.close()
        self._writer.close()
        super().close()


def _span_of(rows: StreamTable) -> Selection:
    starts = rows.columns["start_ns"]
    return Selection(int(starts.min()), int(starts.max()) + SLOT_NS, sites=tuple(rows.sites))
