"""Taking turns at writing: processes that share a file write one after another, each without waiting long.

SQLite alone lets a writer that waits look again after ever longer pauses (up to 100 ms), while one that has just
finished may begin again at once: with several busy writers some starve. Here whoever wants to write first joins a
queue of one, a lock beside the file; only its holder tries for SQLite's own lock, every millisecond, and leaves the
queue when it has it. So the next in line is always there before whoever has just written.

The queue is for fairness only; SQLite's lock decides. The kernel drops both when a process dies, however it dies. One
that is stopped while it stands in the queue must not hold up the others: who has waited `PATIENCE_S` goes past it.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PATIENCE_S: Final = 1.0
"""A transaction of a collector takes some 10 to 200 ms; nobody stands first in the queue for long."""
_LOOK_S: Final = 0.001


class Turns:
    """The queue beside one file. Every connection that writes has its own object."""

    def __init__(self, path: Path) -> None:
        """Open or make the lock file `<path>-turns`.

        Raises:
            OSError: it cannot be made.
        """
        name = path.with_name(path.name + "-turns")
        self._fd = os.open(name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        self._stuck = False
        self.passed = 0
        """How often we went past somebody who did not move."""

    def begin(self, connection: sqlite3.Connection, busy_ms: int) -> None:
        """Begin a write transaction when it is our turn.

        Raises:
            sqlite3.OperationalError: somebody else has been writing for `busy_ms`.
        """
        with self._first_in_line():
            _begin(connection, busy_ms)

    def close(self) -> None:
        """Let go of the lock file."""
        os.close(self._fd)

    @contextmanager
    def _first_in_line(self) -> Iterator[None]:
        ours = self._join()
        try:
            yield
        finally:
            if ours:
                fcntl.flock(self._fd, fcntl.LOCK_UN)

    def _join(self) -> bool:
        """Wait to be the next; False when whoever is does not move (then we no longer wait until that is over)."""
        end = time.monotonic() + (0.0 if self._stuck else PATIENCE_S)
        while True:
            try:
                fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= end:
                    self._stuck = True
                    self.passed += 1
                    return False
                time.sleep(_LOOK_S)
            else:
                self._stuck = False
                return True


def _begin(connection: sqlite3.Connection, busy_ms: int) -> None:
    """`BEGIN IMMEDIATE`, tried every millisecond rather than by SQLite's growing pauses."""
    end = time.monotonic() + busy_ms / 1e3
    connection.execute("PRAGMA busy_timeout=0")
    try:
        while True:
            try:
                connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() >= end:
                    raise
                time.sleep(_LOOK_S)
            else:
                return
    finally:
        connection.execute(f"PRAGMA busy_timeout={busy_ms}")
