"""The ledger's rows: interval sets and holes as packed integers, cached by the writer."""

from __future__ import annotations

import struct
from itertools import chain
from typing import TYPE_CHECKING, Final

from telemetry.intervals import IntervalSet
from telemetry.messages import Tombstone
from telemetry.store.ledger import Account, Hole

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Sequence

    from telemetry.store.protocol import Received

Key = tuple[str, str, str]
"""site, probe, epoch"""
Row = tuple[bytes, bytes, bytes]
KEYS_AT_ONCE: Final = 300
"""Accounts read in one query."""


class Accounts:
    """The accounts that the writer has touched; changes are staged until their transaction is through.

    When another process has written in between, those that a batch touches are read again, all in one query, and
    decoded again only when their rows have changed. (With several collectors that is so at every commit.)
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._settled: dict[Key, Account] = {}
        self._staged: dict[Key, Account] = {}
        self._rows: dict[Key, Row] = {}
        """What `_settled` was decoded from, or written as."""
        self._saved: dict[Key, Row] = {}
        self._current: set[Key] = set()
        """Keys that nobody else has written since they were read, those without a row included."""
        self._data_version = -1

    def begin(self, reports: Iterable[Received]) -> None:
        """Start staging for a batch; read again what another process may have written in between."""
        self._staged, self._saved = {}, {}
        version: int = self._connection.execute("PRAGMA data_version").fetchone()[0]
        if version != self._data_version:
            self._current = set()
            self._data_version = version
        self._read({(r.envelope.site, r.envelope.probe, r.envelope.epoch) for r in reports} - self._current)

    def take(self, report: Received) -> bool:
        """Account for a report and for the tombstones in it; False when it is stored already."""
        e = report.envelope
        account = self._of((e.site, e.probe, e.epoch))
        if e.seq in account.stored:
            return False
        for item in e.items:
            if isinstance(item, Tombstone):
                account.write_off(item.first_seq, item.last_seq, report.received_ns)
        return account.take(e.seq, report.received_ns)

    def save(self) -> None:
        """Write what is staged, within the caller's transaction."""
        rows = {key: _packed(account) for key, account in self._staged.items()}
        self._connection.executemany(
            "INSERT INTO ledger (site, probe, epoch, stored, written_off, holes) VALUES (?, ?, ?, ?, ?, ?)"
            " ON CONFLICT DO UPDATE SET stored = excluded.stored, written_off = excluded.written_off,"
            " holes = excluded.holes",
            [(*key, *row) for key, row in rows.items()],
        )
        self._saved = rows

    def settle(self) -> None:
        """The transaction is through: what was staged holds."""
        self._settled |= self._staged
        self._rows |= self._saved
        self._staged, self._saved = {}, {}

    def _of(self, key: Key) -> Account:
        if key not in self._staged:
            settled = self._settled.get(key)
            self._staged[key] = Account() if settled is None else settled.copy()
        return self._staged[key]

    def _read(self, wanted: set[Key]) -> None:
        for key, row in rows_of(self._connection, list(wanted)):
            self._adopt(key, row)
        self._current |= wanted

    def _adopt(self, key: Key, row: Row) -> None:
        if self._rows.get(key) != row:
            self._settled[key] = unpacked(*row)
            self._rows[key] = row


def rows_of(connection: sqlite3.Connection, keys: Sequence[Key]) -> Iterator[tuple[Key, Row]]:
    """The packed rows of many accounts, a few hundred a query; a key without a row is passed over."""
    for start in range(0, len(keys), KEYS_AT_ONCE):
        some = keys[start : start + KEYS_AT_ONCE]
        for site, probe, epoch, *row in connection.execute(
            f"WITH wanted(s, p, e) AS (VALUES {', '.join(['(?, ?, ?)'] * len(some))})"  # noqa: S608
            " SELECT site, probe, epoch, stored, written_off, holes FROM wanted"
            " CROSS JOIN ledger ON site = s AND probe = p AND epoch = e",
            [name for key in some for name in key],
        ):
            yield (site, probe, epoch), (row[0], row[1], row[2])


def load(connection: sqlite3.Connection, key: Key) -> Account | None:
    """The account of one epoch, or None when it never reported."""
    row = connection.execute(
        "SELECT stored, written_off, holes FROM ledger WHERE site = ? AND probe = ? AND epoch = ?", key
    ).fetchone()
    return None if row is None else unpacked(*row)


def _packed(account: Account) -> Row:
    return _integers(account.stored), _integers(account.written_off), _integers(account.holes)


def _integers(rows: Iterable[tuple[int, ...]]) -> bytes:
    flat = list(chain.from_iterable(rows))
    return struct.pack(f"<{len(flat)}q", *flat)


def unpacked(stored: bytes, written_off: bytes, holes: bytes) -> Account:
    """An account from its packed row.

    Raises:
        struct.error: the row is damaged.
    """
    account = Account()
    account.stored = IntervalSet(struct.iter_unpack("<qq", stored))
    account.written_off = IntervalSet(struct.iter_unpack("<qq", written_off))
    account.holes = [Hole(*row) for row in struct.iter_unpack("<qqq", holes)]
    return account
