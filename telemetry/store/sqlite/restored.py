"""A store that was put back from a backup: what it must say again, because others have heard more than it knows.

Probes have let go of reports that were stored after the backup was made; those show as holes as soon as the next ones
come. What a broker keeps for a probe may still say that they are stored: it is told anew to all, once.
"""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Final

from telemetry.store.sqlite.connection import connect_reader, connect_writer, transaction, translated
from telemetry.store.sqlite.schema import migrate
from telemetry.windows import HOUR_NS

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

AT: Final = "restored_ns"
FROM: Final = "restored_from_ns"
UNTOLD: Final = "restored_untold"
Told = tuple[str, str, str]
"""site, probe, epoch"""
_PUT: Final = "INSERT INTO fact VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value"


def mark(path: Path, moment_ns: int, now_ns: int) -> None:
    """Note in a file that it was put back, and have a journal take another name: its server knows commits that are not in it.

    Args:
        path: of the store's file; it is brought up to date on the way.
        moment_ns: of the backup.
        now_ns: the present.

    Raises:
        StoreError: the file cannot be read or written.
    """
    with closing(connect_writer(path)) as connection:
        migrate(connection, path)
        with transaction(connection, path):
            connection.executemany(_PUT, [(AT, now_ns), (FROM, moment_ns), (UNTOLD, 1)])
            if _value(connection, "identity") is not None:
                _is_a_journal(connection, now_ns)
        connection.execute("PRAGMA journal_mode=DELETE")  # one file, to be moved


def _is_a_journal(connection: sqlite3.Connection, now_ns: int) -> None:
    """Another name, and nothing before the present is here whole any more: it is read from the server as well."""
    connection.execute("DELETE FROM fact WHERE name = 'identity'")
    connection.execute(_PUT, ("kept_from_ns", now_ns // HOUR_NS * HOUR_NS + HOUR_NS))


def untold(connection: sqlite3.Connection) -> list[Told]:
    """Every probe with the epoch that it last reported in, when all are to be told anew; else nobody.

    Which of several epochs is the last is known of probes whose reports still have rows of their own; of others with
    more than one nothing is said: they are told after their next report, as ever.
    """
    if _value(connection, UNTOLD) != 1:
        return []
    told: dict[tuple[str, str], str] = {}
    query = "SELECT site, probe, min(epoch) FROM ledger GROUP BY site, probe HAVING count(*) = 1"
    for site, probe, epoch in connection.execute(query):
        told[site, probe] = epoch
    query = "SELECT site, probe, epoch, max(id) FROM report GROUP BY site, probe"
    for site, probe, epoch, _ in connection.execute(query):
        told[site, probe] = epoch
    return [(*who, epoch) for who, epoch in sorted(told.items())]


def told(connection: sqlite3.Connection) -> None:
    """All were told."""
    connection.execute(_PUT, (UNTOLD, 0))


def put_back(path: Path) -> tuple[int, int] | None:
    """From the moment of the backup to when it was put back, ns: reports of that time may be gone. None when it never was.

    Raises:
        StoreError: the file cannot be read.
    """
    with closing(connect_reader(path)) as connection, translated(path):
        from_ns, at_ns = _value(connection, FROM), _value(connection, AT)
    return None if from_ns is None or at_ns is None else (from_ns, at_ns)


def untouched_from(path: Path) -> int | None:
    """Moment of the backup, ns, when the file was put back and no hub has worked with it since; else None.

    Raises:
        StoreError: the file cannot be read.
    """
    with closing(connect_reader(path)) as connection, translated(path):
        from_ns, is_untold = _value(connection, FROM), _value(connection, UNTOLD) == 1
    return from_ns if is_untold else None


def _value(connection: sqlite3.Connection, name: str) -> int | None:
    row = connection.execute("SELECT value FROM fact WHERE name = ?", (name,)).fetchone()
    return None if row is None else int(row[0])
