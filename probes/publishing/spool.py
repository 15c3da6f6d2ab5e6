"""The spool: every report on the disk, numbered without a hole, until the hub says that it has it.

`seq` is given in the transaction that stores the row, so a report that has a number is on the disk. A row goes
only when the hub's `stored` covers it; a PUBACK is no proof. What a full spool has to drop leaves a tombstone,
which rides on the next report and is kept until that report is stored.
"""

from __future__ import annotations

import contextlib
import secrets
import threading
from enum import Enum
from typing import TYPE_CHECKING, Final, NamedTuple
from zlib import crc32

import msgspec

from probes.publishing.office_settings import SpoolLimits
from probes.publishing.restart_reason import Run
from probes.publishing.spool_file import Opened, SpoolError, open_spool_file, translated
from telemetry.codec import decode, encode
from telemetry.intervals import IntervalSet
from telemetry.messages import Tombstone
from telemetry.windows import WINDOW_NS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from telemetry.control import Stored

SPOOL_FULL: Final = "spool_full"
SPOOL_DAMAGED: Final = "spool_damaged"
MAX_TOMBSTONES: Final = 16
"""Most that ride on one report; adjacent ones are merged, so there is hardly ever more than one."""
DELETED_AT_ONCE: Final = 500
"""Rows in one transaction, so that a new report never waits long for a big clearing."""
MAX_SEQ: Final = 2**53 - 1


class Made(NamedTuple):
    """When a report was made, by both clocks; `mono_ns` counts within `boot` only."""

    boot: str
    mono_ns: int
    real_ns: int


class Row(NamedTuple):
    """One spooled report."""

    seq: int
    made: Made
    payload: bytes


class Slot(NamedTuple):
    """What a report must carry: its identity, and the word of those that were dropped."""

    epoch: str
    seq: int
    tombstones: tuple[Tombstone, ...]
    spool_rows: int
    """Reports in the spool, this one included."""


class Confirmation(Enum):
    """What a `stored` message meant for this spool."""

    APPLIED = "applied"
    OTHER_EPOCH = "other_epoch"
    """It speaks of an earlier spool of this probe."""
    FROM_THE_FUTURE = "from_the_future"
    """The hub has a seq that this spool has not given yet: the disk went back in time, and the numbers with it."""
    NEVER_SENT = "never_sent"
    """The hub has a seq that this spool has given but not sent: another report had that number before, or elsewhere."""


class Spool:
    """The spool of one probe. Thread-safe; every call may touch the disk, so keep it off the event loop."""

    def __init__(self, path: Path, *, site: str, probe: str, limits: SpoolLimits | None = None) -> None:
        """Open or create.

        Raises:
            SpoolError: another process has it open, a newer version wrote it, or the disk refuses.
        """
        self.path = path
        self._limits = limits or SpoolLimits()
        self._lock = threading.Lock()
        self._file = open_spool_file(path, site, probe)
        self._db = self._file.connection
        try:
            books = self._books()
        except (
            BaseException
        ):  # else the lock would stay ours, and the next try would be told of another agent
            self._file.close()
            raise
        self.epoch: str = books[0]
        self.next_seq: int = books[1]
        self.reports: int = books[2]
        self.bytes: int = books[3]
        self.confirmed = 0
        """Reports deleted since the opening because the hub has them."""
        self.unsent_from: int = books[4]
        """Reports from here on had not been handed to a broker when this run began."""
        self._is_out = False

    def _books(self) -> tuple[str, int, int, int, int]:
        """Epoch, next seq, reports, bytes, and from where on nothing has been sent."""
        with translated(self.path):
            self._db.execute("UPDATE spool SET unsent_from = next_seq WHERE unsent_from IS NULL")
            books: tuple[str, int, int, int, int] = self._db.execute(
                "SELECT epoch, next_seq, reports, bytes, unsent_from FROM spool"
            ).fetchone()
        return books

    @property
    def opened(self) -> Opened:
        """How the file was found."""
        return self._file.opened

    def close(self) -> None:
        """Close the file and release the lock."""
        with self._lock:
            self._file.close()

    def append(self, start_ns: int, made: Made, encode: Callable[[Slot], bytes]) -> Row:
        """Number and store one report; on return it is on the disk. Past the limits the oldest go.

        Raises:
            SpoolError: it could not be stored; no number was used up.
        """
        with self._transaction():
            self._make_room()
            tombstones = self._take_tombstones(self.next_seq)
            payload = encode(Slot(self.epoch, self.next_seq, tombstones, self.reports + 1))
            self._db.execute(
                "INSERT INTO report VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (self.next_seq, start_ns, *made, len(payload), crc32(payload), payload),
            )
            row = Row(self.next_seq, made, payload)
            self._note(next_seq=self.next_seq + 1, reports=self.reports + 1, size=self.bytes + len(payload))
        return row

    def read(self, seq: int) -> Row | None:
        """One report, or None when it has gone.

        SQLite does not notice bytes that went bad on the disk; we do, and drop such a report with a tombstone.
        """
        with self._lock, translated(self.path):
            found = self._db.execute(
                "SELECT boot, made_mono_ns, made_real_ns, payload, crc FROM report WHERE seq = ?", (seq,)
            ).fetchone()
        if found is None:
            return None
        if crc32(found[3]) != found[4]:
            with self._transaction():
                self._drop(seq, SPOOL_DAMAGED)
            return None
        return Row(seq, Made(*found[:3]), found[3])

    def held(self) -> IntervalSet:
        """Every seq in the spool."""
        with self._lock, translated(self.path):
            ranges = self._db.execute(
                "SELECT min(seq), max(seq) FROM (SELECT seq, seq - row_number() OVER (ORDER BY seq) AS island FROM report)"
                " GROUP BY island ORDER BY 1"
            ).fetchall()
        return IntervalSet(ranges)

    def going_out(self) -> None:
        """From now on reports may be handed to a broker; told before the first is, once a connection."""
        if not self._is_out:
            with self._transaction():
                self._db.execute("UPDATE spool SET unsent_from = NULL")
            self._is_out = True

    def stays_in(self) -> None:
        """The connection is gone: what is made from now on has not been sent, also after a restart."""
        if self._is_out:
            with self._transaction():
                self._db.execute("UPDATE spool SET unsent_from = next_seq")
            self._is_out = False

    def confirm(self, stored: Stored, sent: IntervalSet | None = None) -> Confirmation:
        """Delete what the hub has committed.

        Args:
            stored: what the hub says.
            sent: every seq handed to a broker in this run; None when that is not known.

        Raises:
            ValueError: a range in `missing` runs backwards.
            SpoolError: the disk refuses; what is left goes with the next `stored`.
        """
        if stored.epoch != self.epoch:
            return Confirmation.OTHER_EPOCH
        covered = IntervalSet(IntervalSet(stored.missing).holes(1, stored.through))
        if (covered.top or 0) >= self.next_seq:
            return Confirmation.FROM_THE_FUTURE
        if sent is not None and self._never_sent(covered, sent):
            return Confirmation.NEVER_SENT
        with self._lock, translated(self.path):
            lowest = self._db.execute("SELECT min(seq) FROM report").fetchone()[0]
        for first, last in covered if lowest is not None else ():
            for start in range(max(first, lowest), last + 1, DELETED_AT_ONCE):
                with self._transaction():
                    self._delete([(start, min(start + DELETED_AT_ONCE - 1, last))])
        return Confirmation.APPLIED

    def renumber(self, stored: Stored, sent: IntervalSet | None = None) -> None:
        """Begin a new epoch, because the hub has seq of this one that it cannot have from this spool.

        What had been sent when this run began bears its true number, so `stored` may delete it. What was not (`sent`
        may know better) bears numbers that were given to other reports as well: it stays. All that is left gets a new
        identity, seq from 1 in the old order. Tombstones speak of old numbers and go.

        Raises:
            SpoolError: the disk refuses; nothing was changed.
        """
        epoch = secrets.token_hex(8)
        accounted = IntervalSet(IntervalSet(stored.missing).holes(1, stored.through))
        if (accounted.top or 0) >= self.next_seq:
            doubtful = self.next_seq - 1
        else:
            doubtful = self._never_sent(accounted, sent or IntervalSet())
        covered = IntervalSet(
            part
            for first, last in accounted
            for part in IntervalSet(((self.unsent_from, max(doubtful, self.unsent_from)),)).holes(first, last)
        )
        with self._transaction():
            self._delete(covered)
            self._db.execute("DELETE FROM tombstone")
            old = [row[0] for row in self._db.execute("SELECT seq FROM report ORDER BY seq").fetchall()]
            size = sum(self._reidentify(old_seq, epoch, seq) for seq, old_seq in enumerate(old, start=1))
            self._db.execute("UPDATE spool SET epoch = ?, unsent_from = 1", (epoch,))
            self._note(next_seq=len(old) + 1, reports=len(old), size=size)
            self.epoch = epoch
        self.unsent_from, self._is_out = 1, False

    def _never_sent(self, accounted: IntervalSet, sent: IntervalSet) -> int:
        """The last report here that the hub accounts for although it was never sent; 0 when there is none.

        (Of a number that is not here any more the hub may know from a tombstone.)
        """
        unsent = [
            seqs
            for first, last in accounted
            if last >= self.unsent_from
            for seqs in sent.holes(max(first, self.unsent_from), last)
        ]
        with self._lock, translated(self.path):
            found = [
                self._db.execute("SELECT max(seq) FROM report WHERE seq BETWEEN ? AND ?", seqs).fetchone()[0]
                for seqs in unsent
            ]
        return max((seq for seq in found if seq is not None), default=0)

    def _reidentify(self, old_seq: int, epoch: str, seq: int) -> int:
        """Give a report a new identity; its new size. (`seq` never passes `old_seq`, so it is free.)."""
        (payload,) = self._db.execute("SELECT payload FROM report WHERE seq = ?", (old_seq,)).fetchone()
        renamed = reidentified(payload, epoch, seq)
        self._db.execute(
            "UPDATE report SET seq = ?, bytes = ?, crc = ?, payload = ? WHERE seq = ?",
            (seq, len(renamed), crc32(renamed), renamed, old_seq),
        )
        return len(renamed)

    def plan(self) -> bytes | None:
        """The last plan that was put, as it came."""
        with self._lock, translated(self.path):
            (plan,) = self._db.execute("SELECT plan FROM spool").fetchone()
        return bytes(plan) if plan is not None else None

    def put_plan(self, plan: bytes) -> None:
        """Keep the plan, so that a probe that starts without its hub still knows what to measure."""
        with self._transaction():
            self._db.execute("UPDATE spool SET plan = ?", (plan,))

    def begin_run(self, boot: str, version: str) -> Run | None:
        """Note that a run begins; what the run before it noted."""
        with self._transaction():
            found = self._db.execute("SELECT boot, version, clean FROM run").fetchone()
            self._db.execute("INSERT OR REPLACE INTO run VALUES (1, ?, ?, 0)", (boot, version))
        return None if found is None else Run(found[0], found[1], bool(found[2]))

    def end_run(self) -> None:
        """Note that this run ends on purpose."""
        with self._transaction():
            self._db.execute("UPDATE run SET clean = 1")

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        """All or nothing, in the file and in our copy of the books."""
        with self._lock, translated(self.path):
            books = (self.epoch, self.next_seq, self.reports, self.bytes)
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                self.epoch, self.next_seq, self.reports, self.bytes = books
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def _note(self, *, next_seq: int, reports: int, size: int) -> None:
        self._db.execute("UPDATE spool SET next_seq = ?, reports = ?, bytes = ?", (next_seq, reports, size))
        self.next_seq, self.reports, self.bytes = next_seq, reports, size

    def _delete(self, ranges: Iterable[tuple[int, int]]) -> None:
        for span in ranges:
            count, size = self._db.execute(
                "SELECT count(*), coalesce(sum(bytes), 0) FROM report WHERE seq BETWEEN ? AND ?", span
            ).fetchone()
            if count:
                self._db.execute("DELETE FROM report WHERE seq BETWEEN ? AND ?", span)
                self._db.execute("DELETE FROM tombstone WHERE carried_by BETWEEN ? AND ?", span)
                self._note(next_seq=self.next_seq, reports=self.reports - count, size=self.bytes - size)
                self.confirmed += count

    def _make_room(self) -> None:
        if self.next_seq > MAX_SEQ:
            raise SpoolError(f"{self.path}: every number is used up; move the file away")
        while self.reports and (
            self.reports >= self._limits.max_reports or self.bytes >= self._limits.max_bytes
        ):
            (oldest,) = self._db.execute("SELECT min(seq) FROM report").fetchone()
            self._drop(oldest, SPOOL_FULL)

    def _drop(self, seq: int, reason: str) -> None:
        """Delete a report that the hub does not have; its tombstone, and those that it carried, wait for a ride."""
        start_ns, size = self._db.execute(
            "SELECT start_ns, bytes FROM report WHERE seq = ?", (seq,)
        ).fetchone()
        self._db.execute("DELETE FROM report WHERE seq = ?", (seq,))
        self._db.execute("UPDATE tombstone SET carried_by = NULL WHERE carried_by = ?", (seq,))
        self._bury(seq, start_ns, reason)
        self._note(next_seq=self.next_seq, reports=self.reports - 1, size=self.bytes - size)

    def _bury(self, seq: int, start_ns: int, reason: str) -> None:
        """Add one dropped report to the tombstones, to its neighbour's where that still waits for a ride."""
        neighbour = self._db.execute(
            "SELECT first_seq, from_ns, until_ns FROM tombstone WHERE last_seq = ? AND carried_by IS NULL AND reason = ?",
            (seq - 1, reason),
        ).fetchone()
        until_ns = start_ns + WINDOW_NS
        if neighbour is None:
            self._db.execute(
                "INSERT INTO tombstone VALUES (?, ?, ?, ?, ?, NULL)",
                (seq, seq, start_ns, until_ns, reason),
            )
            return
        first_seq, from_ns, last_until_ns = neighbour
        self._db.execute(
            "UPDATE tombstone SET last_seq = ?, from_ns = ?, until_ns = ? WHERE first_seq = ?",
            (seq, min(from_ns, start_ns), max(last_until_ns, until_ns), first_seq),
        )

    def _take_tombstones(self, carrier: int) -> tuple[Tombstone, ...]:
        found = self._db.execute(
            "SELECT first_seq, last_seq, from_ns, until_ns, reason FROM tombstone WHERE carried_by IS NULL"
            " ORDER BY first_seq LIMIT ?",
            (MAX_TOMBSTONES,),
        ).fetchall()
        self._db.executemany(
            "UPDATE tombstone SET carried_by = ? WHERE first_seq = ?", [(carrier, row[0]) for row in found]
        )
        return tuple(
            Tombstone(first_seq=first, last_seq=last, from_ns=from_ns, until_ns=until_ns, reason=reason)
            for first, last, from_ns, until_ns, reason in found
        )


def reidentified(payload: bytes, epoch: str, seq: int) -> bytes:
    """The same report under another identity, without its tombstones."""
    envelope = decode(payload)
    items = tuple(item for item in envelope.items if not isinstance(item, Tombstone))
    return encode(msgspec.structs.replace(envelope, epoch=epoch, seq=seq, items=items))
