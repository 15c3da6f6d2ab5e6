"""SQLite's write-ahead log, switched on for a file that other processes may be making at the same moment."""

from __future__ import annotations

import sqlite3
import time
from typing import Final

LOOK_S: Final = 0.02


def switch_on(connection: sqlite3.Connection, within_ms: int) -> None:
    """Write ahead from now on, in this connection and all that open the file later.

    The parts of a hub start together and all of them open its files. SQLite's busy timeout does not cover this switch: of two
    that each read the new file, one is refused at once, since neither could ever wait for the other. Asked again it is granted.

    Raises:
        sqlite3.OperationalError: somebody has held the file for `within_ms`, or it cannot be written.
    """
    end_s = time.monotonic() + within_ms / 1000
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > end_s:
                raise
            time.sleep(LOOK_S)
        else:
            return
