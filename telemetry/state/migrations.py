"""The tables of the state database, as numbered steps; each step is one transaction, so an upgrade can be resumed."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING, Final

from telemetry.state.errors import StateError

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

MIGRATIONS: Final = (
    "001_begin.sql",
    "002_identity.sql",
    "003_model.sql",
    "004_incidents.sql",
    "005_alerting.sql",
    "006_rehearsals.sql",
    "007_access.sql",
    "008_belief.sql",
    "009_imported.sql",
    "010_clocks.sql",
)
"""Files beside this one, in order. A step that is released is never edited: a change is a new step."""


def migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Bring a file up to date; several processes may do so at once.

    Raises:
        StateError: a newer version of this program wrote it.
    """
    found = _version(connection)
    if found > len(MIGRATIONS):
        raise StateError(
            f"{path}: the file has format {found}, this version knows up to {len(MIGRATIONS)}; use the newer version"
        )
    for number in range(found + 1, len(MIGRATIONS) + 1):
        _step(connection, number, script(MIGRATIONS[number - 1]))


def script(name: str) -> list[str]:
    """The statements of a step."""
    text = files("telemetry.state").joinpath("steps", name).read_text("utf-8")
    without_comments = "\n".join(line.split("--")[0] for line in text.splitlines())
    return [statement for statement in without_comments.split(";") if statement.strip()]


def _step(connection: sqlite3.Connection, number: int, statements: list[str]) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        if _version(connection) < number:  # read inside: another process may have been quicker
            for statement in statements:
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version={number}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _version(connection: sqlite3.Connection) -> int:
    row: tuple[int] = connection.execute("PRAGMA user_version").fetchone()
    return row[0]
