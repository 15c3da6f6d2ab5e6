"""The state database's file: connection, transactions, and the revision that every change raises."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from threading import RLock
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec

from telemetry import write_ahead
from telemetry.state.errors import StateError
from telemetry.state.migrations import migrate

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

BUSY_MS: Final = 10_000
T = TypeVar("T")
Row = tuple[Any, ...]
_encoder = msgspec.json.Encoder()


class Database:
    """One connection, shared by the threads of a process; other processes have their own and take turns."""

    def __init__(self, path: Path) -> None:
        """Open or make the file, and bring its tables up to date.

        Raises:
            StateError: it is damaged, cannot be made, or is of a newer version.
        """
        self._path = path
        self._lock = RLock()
        with self._translated():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(
                mode=0o600
            )  # it holds what offices' passwords are checked by; SQLite's other files follow it
            self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            self._connection.execute(f"PRAGMA busy_timeout={BUSY_MS}")
            write_ahead.switch_on(self._connection, BUSY_MS)
            self._connection.execute("PRAGMA synchronous=FULL")
            migrate(self._connection, path)

    @property
    def path(self) -> Path:
        """Of the file."""
        return self._path

    def revision(self) -> int:
        """A number that rises with every change by any process (a lease that is renewed changes nothing)."""
        number: int = self._rows("SELECT number FROM revision")[0][0]
        return number

    def compact(self) -> None:
        """Write the file anew without what is free in it; other writers wait for so long."""
        with self._lock, self._translated():
            self._connection.execute("VACUUM")
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Let go of the file."""
        with self._lock, self._translated():
            self._connection.close()

    def _rows(self, query: str, parameters: Sequence[object] = ()) -> list[Row]:
        with self._lock, self._translated():
            return self._connection.execute(query, parameters).fetchall()

    @contextmanager
    def _change(self) -> Iterator[Change]:
        """A short write transaction: all or nothing. It raises the revision if it has changed a row."""
        with self._lock, self._translated():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                change = Change(self._connection)
                yield change
                if change.rows:
                    self._connection.execute("UPDATE revision SET number = number + 1")
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise StateError(f"{self._path}: {error}") from error


class Change:
    """The statements of one transaction, and how many rows they changed."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.rows = 0

    def execute(self, statement: str, parameters: Sequence[object] = (), *, quietly: bool = False) -> int:
        """Run a statement; how many rows it changed. Quietly: the revision does not rise for it."""
        changed = max(self._connection.execute(statement, parameters).rowcount, 0)
        self.rows += 0 if quietly else changed
        return changed

    def rows_of(self, query: str, parameters: Sequence[object] = ()) -> list[Row]:
        """The rows of a query."""
        return self._connection.execute(query, parameters).fetchall()


def encoded(value: object) -> str:
    """A struct as JSON text."""
    return _encoder.encode(value).decode()


def decoded(text: object, kind: type[T]) -> T:
    """A struct out of its JSON text.

    Raises:
        StateError: the text is none of its kind.
    """
    try:
        return msgspec.json.decode(str(text), type=kind)
    except msgspec.MsgspecError as error:
        raise StateError(f"a stored {kind.__name__} cannot be read: {error}") from error
