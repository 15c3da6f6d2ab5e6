"""How far the server has the journal, and who may ship: two small files beside it."""

from __future__ import annotations

import fcntl
import os
from typing import IO, TYPE_CHECKING

from telemetry.store.errors import StoreError

if TYPE_CHECKING:
    from pathlib import Path


class Cursor:
    """The number of the last commit that the server has.

    In a file of its own and not in the journal, since the journal's writers would take every step of it for
    another process's commit. A cursor that is lost or stale only makes points be written again, which changes nothing.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self, identity: int, last: int) -> int:
        """The cursor of a journal; 0 when there is none, or it is of another journal, or beyond its end.

        Args:
            identity: the journal's name.
            last: number of its newest commit.
        """
        try:
            whose, at = (int(word) for word in self._path.read_text(encoding="ascii").split())
        except (OSError, ValueError):
            return 0
        return at if whose == identity and 0 <= at <= last else 0

    def write(self, identity: int, at: int) -> None:
        """Move it.

        Raises:
            StoreError: the file cannot be written.
        """
        beside = self._path.with_suffix(".new")
        try:
            beside.write_text(f"{identity} {at}\n", encoding="ascii")
            beside.replace(self._path)
        except OSError as error:
            raise StoreError(f"{self._path}: {error}") from error


class OnlyOne:
    """The right to ship: a lock that the kernel takes back when its holder dies."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[bytes] | None = None

    def take(self) -> bool:
        """Whether it is ours now.

        Raises:
            StoreError: the file cannot be made.
        """
        if self._file is not None:
            return True
        try:
            opened = self._path.open("ab")
        except OSError as error:
            raise StoreError(f"{self._path}: {error}") from error
        try:
            fcntl.flock(opened.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            opened.close()
            return False
        os.set_inheritable(opened.fileno(), False)
        self._file = opened
        return True

    def leave(self) -> None:
        """Give it back."""
        if self._file is not None:
            self._file.close()
            self._file = None
