"""The ledger's rows: interval sets and holes as packed integers, cached by the writer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from telemetry.intervals import IntervalSet
from telemetry.messages import Tombstone
from telemetry.store.ledger import Account, Hole

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

    from telemetry.store.protocol import Received

Key = tuple[str, str, str]
"""site, probe, epoch"""


class Accounts:
    """The accounts that the writer has touched; changes are staged until their transaction is through."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._settled: dict[Key, Account] = {}
        self._staged: dict[Key, Account] = {}
        self._data_version = -1

    def begin(self) -> None:
        """Start staging; forget what is cached if another process has written in between."""
        self._staged = {}
        version: int = self._connection.execute("PRAGMA data_version").fetchone()[0]
        if version != self._data_version:
            self._settled = {}
            self._data_version = version

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
        self._connection.executemany(
            "INSERT INTO ledger (site, probe, epoch, stored, written_off, holes) VALUES (?, ?, ?, ?, ?, ?)"
            " ON CONFLICT DO UPDATE SET stored = excluded.stored, written_off = excluded.written_off,"
            " holes = excluded.holes",
            [(*key, *_packed(account)) for key, account in self._staged.items()],
        )

    def settle(self) -> None:
        """The transaction is through: what was staged holds."""
        self._settled |= self._staged
        self._staged = {}

    def _of(self, key: Key) -> Account:
        if key not in self._staged:
            settled = self._settled.get(key) or load(self._connection, key) or Account()
            self._staged[key] = settled.copy()
        return self._staged[key]


def load(connection: sqlite3.Connection, key: Key) -> Account | None:
    """The account of one epoch, or None when it never reported."""
    row = connection.execute(
        "SELECT stored, written_off, holes FROM ledger WHERE site = ? AND probe = ? AND epoch = ?", key
    ).fetchone()
    return None if row is None else unpacked(*row)


def _packed(account: Account) -> tuple[bytes, bytes, bytes]:
    return _integers(account.stored), _integers(account.written_off), _integers(account.holes)


def _integers(rows: Iterable[tuple[int, ...]]) -> bytes:
    return np.array([x for row in rows for x in row], "<i8").tobytes()


def unpacked(stored: bytes, written_off: bytes, holes: bytes) -> Account:
    """An account from its packed row."""
    account = Account()
    account.stored = IntervalSet(map(tuple, np.frombuffer(stored, "<i8").reshape(-1, 2).tolist()))
    account.written_off = IntervalSet(map(tuple, np.frombuffer(written_off, "<i8").reshape(-1, 2).tolist()))
    account.holes = [Hole(*row) for row in np.frombuffer(holes, "<i8").reshape(-1, 3).tolist()]
    return account
