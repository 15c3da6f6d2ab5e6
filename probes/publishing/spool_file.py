"""The spool's SQLite file: opened, locked to one process, checked, and moved aside when it is damaged.

WAL with `synchronous=FULL`: a commit that returned is on the disk, so a power cut loses at most what was not
yet appended. (`NORMAL` may lose the last commits, and with them reuse their seq.)
"""

from __future__ import annotations

import contextlib
import os
import secrets
import sqlite3
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

from probes.kernel.system import O_CLOEXEC, lock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SCHEMA_VERSION: Final = 2
KEPT_ASIDE: Final = 2
CACHE_KB: Final = 256
"""Of pages: reports are written once and read once, and the machine is small."""
_SCHEMA: Final = """
CREATE TABLE spool(
  id INTEGER PRIMARY KEY CHECK (id = 1), site TEXT NOT NULL, probe TEXT NOT NULL, epoch TEXT NOT NULL,
  next_seq INTEGER NOT NULL, reports INTEGER NOT NULL, bytes INTEGER NOT NULL, plan BLOB, unsent_from INTEGER
);
CREATE TABLE report(
  seq INTEGER PRIMARY KEY, start_ns INTEGER NOT NULL, boot TEXT NOT NULL, made_mono_ns INTEGER NOT NULL,
  made_real_ns INTEGER NOT NULL, bytes INTEGER NOT NULL, crc INTEGER NOT NULL, payload BLOB NOT NULL
);
CREATE TABLE tombstone(
  first_seq INTEGER PRIMARY KEY, last_seq INTEGER NOT NULL, from_ns INTEGER NOT NULL, until_ns INTEGER NOT NULL,
  reason TEXT NOT NULL, carried_by INTEGER
);
CREATE TABLE run(id INTEGER PRIMARY KEY CHECK (id = 1), boot TEXT NOT NULL, version TEXT NOT NULL, clean INTEGER NOT NULL);
"""
_CORRUPT: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


class SpoolError(Exception):
    """The spool cannot be written or read now (disk full, no permission); it may be able to later."""


class SpoolDamagedError(SpoolError):
    """The spool file is damaged: open it again, which moves it aside and begins a new one."""


class Opened(Enum):
    """How the spool was found."""

    KEPT = "kept"
    NEW = "new"
    DAMAGED = "damaged"
    """The old file was damaged; it lies beside the new one."""
    FOREIGN = "foreign"
    """The old file belonged to another site or probe; it lies beside the new one."""


@dataclass(frozen=True)
class SpoolFile:
    """An open connection, the lock that makes it ours alone, and how it was found."""

    connection: sqlite3.Connection
    lock_fd: int
    opened: Opened

    def close(self) -> None:
        """Close both."""
        self.connection.close()
        os.close(self.lock_fd)


def open_spool_file(path: Path, site: str, probe: str) -> SpoolFile:
    """Open or create the spool of one probe.

    Raises:
        SpoolError: another process has it open, a newer version wrote it, or the disk refuses.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock_fd = _lock(path)
    except OSError as error:
        raise SpoolError(f"{path}: cannot be opened ({error.strerror})") from error
    try:
        connection, opened = _open_or_begin(path, site, probe)
    except BaseException:
        os.close(lock_fd)
        raise
    return SpoolFile(connection, lock_fd, opened)


def _lock(path: Path) -> int:
    """Take the lock beside the spool; it goes with the process, whatever ends it."""
    fd = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT | O_CLOEXEC, 0o600)
    try:
        lock(fd)
    except BlockingIOError:
        os.close(fd)
        raise SpoolError(
            f"{path}: another agent has this spool open; stop it, or give this one its own"
        ) from None
    except BaseException:
        os.close(fd)
        raise
    return fd


def _open_or_begin(path: Path, site: str, probe: str) -> tuple[sqlite3.Connection, Opened]:
    fresh = not path.exists()
    try:
        with translated(path):
            connection = _connect(path, site, probe)
    except SpoolDamagedError:
        found = Opened.DAMAGED
    else:
        if _owner(connection) == (site, probe):
            return connection, Opened.NEW if fresh else Opened.KEPT
        connection.close()
        found = Opened.FOREIGN
    move_aside(path, found)
    with translated(path):
        return _connect(path, site, probe), found


def _connect(path: Path, site: str, probe: str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5.0)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute(
            "PRAGMA secure_delete=OFF"
        )  # some builds overwrite what is deleted: a GB, after a month
        connection.execute("PRAGMA journal_size_limit=4194304")
        connection.execute(f"PRAGMA cache_size=-{CACHE_KB}")
        _prepare(connection, path, site, probe)
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection, path: Path, site: str, probe: str) -> None:
    """Create what is missing; refuse what is newer; read what must be readable."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > SCHEMA_VERSION:
        raise SpoolError(
            f"{path}: written by a newer version of the probe; install that version again, or move the file away"
        )
    if version == 0:
        epoch = secrets.token_hex(8)
        connection.executescript(f"BEGIN IMMEDIATE;{_SCHEMA}PRAGMA user_version={SCHEMA_VERSION};")
        connection.execute("INSERT INTO spool VALUES (1, ?, ?, ?, 1, 0, 0, NULL, 1)", (site, probe, epoch))
        connection.execute("COMMIT")
    elif version == 1:
        connection.executescript(
            f"BEGIN IMMEDIATE;ALTER TABLE spool ADD COLUMN unsent_from INTEGER;PRAGMA user_version={SCHEMA_VERSION};COMMIT;"
        )
    _check(connection)


def _check(connection: sqlite3.Connection) -> None:
    """Cheap signs of damage. The full check reads the whole file, far too long for a month of reports."""
    state = connection.execute("SELECT epoch, next_seq FROM spool").fetchone()
    top = connection.execute("SELECT max(seq) FROM report").fetchone()[0]
    connection.execute("SELECT count(*) FROM tombstone").fetchone()
    if state is None or len(state[0]) != 16 or (top is not None and top >= state[1]):
        raise sqlite3.DatabaseError("the spool's own books do not agree")


def _owner(connection: sqlite3.Connection) -> tuple[str, str]:
    site, probe = connection.execute("SELECT site, probe FROM spool").fetchone()
    return site, probe


def move_aside(path: Path, found: Opened) -> Path:
    """Rename the file (and its WAL) out of the way; of earlier ones only the latest are kept."""
    aside = sorted(path.parent.glob(f"{path.name}.{found.value}-*"), key=_number)
    aside = [one for one in aside if not one.name.endswith(("-wal", "-shm"))]
    for old in aside[: max(0, len(aside) - KEPT_ASIDE + 1)]:
        for each in (old, old.with_name(old.name + "-wal"), old.with_name(old.name + "-shm")):
            each.unlink(missing_ok=True)
    target = path.with_name(f"{path.name}.{found.value}-{_number(aside[-1]) + 1 if aside else 1}")
    for suffix in ("-wal", "-shm", ""):
        with contextlib.suppress(FileNotFoundError):
            path.with_name(path.name + suffix).rename(target.with_name(target.name + suffix))
    return target


def _number(aside: Path) -> int:
    digits = aside.name.rpartition("-")[2]
    return int(digits) if digits.isdigit() else 0


@contextlib.contextmanager
def translated(path: Path) -> Iterator[None]:
    """SQLite's errors as ours: damaged, or cannot now.

    Raises:
        SpoolDamagedError: the file is no database, or its pages or books disagree.
        SpoolError: anything else that SQLite or the disk refuses.
    """
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", None)
        if (code is None and type(error) is sqlite3.DatabaseError) or (
            code is not None and code & 0xFF in _CORRUPT
        ):
            raise SpoolDamagedError(f"{path}: damaged ({error})") from error
        raise SpoolError(f"{path}: {error}") from error
    except OSError as error:
        raise SpoolError(f"{path}: {error.strerror}") from error
