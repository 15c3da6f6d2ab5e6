"""The tables of the store's file, as numbered steps; each step is one transaction, so an upgrade can be resumed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from telemetry.store.errors import StoreError
from telemetry.store.sqlite.connection import connect_writer, transaction, translated

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

MIGRATIONS: Final[tuple[str, ...]] = (
    """
    -- Recent reports, one row each. `id` is the number of the commit: it only ever rises.
    CREATE TABLE report (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        site TEXT NOT NULL,
        probe TEXT NOT NULL,
        epoch TEXT NOT NULL,
        seq INTEGER NOT NULL,
        start_ns INTEGER NOT NULL,
        received_ns INTEGER NOT NULL,
        emulated INTEGER NOT NULL,
        paths TEXT NOT NULL,     -- of its streams, joined by commas
        kinds TEXT NOT NULL,     -- tags of its other items, joined by commas; `?` for one not understood
        records BLOB NOT NULL,   -- telemetry.store.records, one a stream
        payload BLOB NOT NULL    -- the envelope as it came, zstd
    );
    CREATE INDEX report_by_site ON report (site, start_ns);

    -- Packed blocks: kind 0 an hour of windows of a site, kind 1 a day of roll-ups of a site, kind 2 of superseded ones.
    CREATE TABLE block (
        id INTEGER PRIMARY KEY,
        kind INTEGER NOT NULL,
        site TEXT NOT NULL,
        start_ns INTEGER NOT NULL,
        first_commit INTEGER NOT NULL DEFAULT 0,
        last_commit INTEGER NOT NULL DEFAULT 0,
        opaque INTEGER NOT NULL DEFAULT 0,  -- items not understood
        UNIQUE (kind, site, start_ns)
    );
    CREATE INDEX block_by_commit ON block (last_commit);
    -- Their parts, so that a read fetches only what it wants; id = block id * 32 + number of the part.
    CREATE TABLE part (id INTEGER PRIMARY KEY, data BLOB NOT NULL);

    -- What is accounted for; outlives the rows.
    CREATE TABLE ledger (
        site TEXT NOT NULL,
        probe TEXT NOT NULL,
        epoch TEXT NOT NULL,
        stored BLOB NOT NULL,
        written_off BLOB NOT NULL,
        holes BLOB NOT NULL,
        PRIMARY KEY (site, probe, epoch)
    ) WITHOUT ROWID;
    CREATE TABLE tombstone (
        site TEXT NOT NULL,
        probe TEXT NOT NULL,
        epoch TEXT NOT NULL,
        first_seq INTEGER NOT NULL,
        last_seq INTEGER NOT NULL,
        from_ns INTEGER NOT NULL,
        until_ns INTEGER NOT NULL,
        reason TEXT NOT NULL,
        received_ns INTEGER NOT NULL,
        PRIMARY KEY (site, probe, epoch, first_seq, last_seq)
    ) WITHOUT ROWID;

    -- Who ever reported: the sites of a read, and where silence begins.
    CREATE TABLE contact (
        site TEXT NOT NULL,
        probe TEXT NOT NULL,
        first_start_ns INTEGER NOT NULL,
        first_received_ns INTEGER NOT NULL,
        PRIMARY KEY (site, probe)
    ) WITHOUT ROWID;
    CREATE TABLE line (
        site TEXT NOT NULL,
        path TEXT NOT NULL,
        newest_ns INTEGER NOT NULL,
        first_received_ns INTEGER NOT NULL,
        PRIMARY KEY (site, path)
    ) WITHOUT ROWID;

    -- Slots whose roll-up is to be made (again).
    CREATE TABLE pending_slot (
        site TEXT NOT NULL,
        slot_ns INTEGER NOT NULL,
        imported INTEGER NOT NULL,  -- 1: only an import asks for it
        PRIMARY KEY (slot_ns, site)
    ) WITHOUT ROWID;
    CREATE TABLE fact (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
    """,
    """
    -- Drawn anew at every writing of a block: what was worked out of it under another mark is out of date.
    ALTER TABLE block ADD COLUMN mark INTEGER NOT NULL DEFAULT 0;
    UPDATE block SET mark = random() WHERE kind = 1;
    """,
)


def version_of(connection: sqlite3.Connection) -> int:
    """Number of migrations that a file has behind it."""
    row: tuple[int] = connection.execute("PRAGMA user_version").fetchone()
    return row[0]


def migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Bring a file up to date.

    Raises:
        StoreError: a newer version of this program wrote it.
    """
    with translated(path):
        refuse_newer(connection, path)
        for number, script in enumerate(MIGRATIONS, start=1):
            with transaction(connection, path):
                if version_of(connection) >= number:  # read inside: another process may have been quicker
                    continue
                for statement in statements(script):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version={number}")


def make_if_absent(path: Path) -> None:
    """See that there is a store that can be read: made when there is none, brought up to date when it is older."""
    connection = connect_writer(path)
    try:
        with translated(path):
            found = version_of(connection)
        if found != len(MIGRATIONS):
            migrate(connection, path)
    finally:
        connection.close()


def refuse_newer(connection: sqlite3.Connection, path: Path) -> None:
    """Stop before a file whose format is not known here."""
    found = version_of(connection)
    if found > len(MIGRATIONS):
        raise StoreError(
            f"{path}: the file has format {found}, this version knows up to {len(MIGRATIONS)}; use the newer version"
        )


def statements(script: str) -> list[str]:
    """The statements of a script (`executescript` would commit between them)."""
    without_comments = "\n".join(line.split("--")[0] for line in script.splitlines())
    return [part for part in without_comments.split(";") if part.strip()]
