"""What was imported of each office, from when to when."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telemetry.state.database import Database

if TYPE_CHECKING:
    from collections.abc import Mapping


class ImportTable(Database):
    """The spans of imported history; those of an office that overlap or touch are one."""

    def put_imported(self, spans: Mapping[str, tuple[int, int]]) -> None:
        """By office, `[from, until)` of what an import has written. Nobody is woken: the import is told by itself."""
        with self._change() as change:
            for site, (from_ns, until_ns) in spans.items():
                met = "site = ? AND from_ns <= ? AND until_ns >= ?"
                rows = change.rows_of(
                    f"SELECT from_ns, until_ns FROM imported WHERE {met}",  # noqa: S608 - words of ours
                    (site, until_ns, from_ns),
                )
                change.execute(
                    f"DELETE FROM imported WHERE {met}",  # noqa: S608 - words of ours
                    (site, until_ns, from_ns),
                    quietly=True,
                )
                whole = (
                    min([from_ns, *(row[0] for row in rows)]),
                    max([until_ns, *(row[1] for row in rows)]),
                )
                change.execute("INSERT INTO imported VALUES (?, ?, ?)", (site, *whole), quietly=True)

    def imported(self) -> dict[str, list[tuple[int, int]]]:
        """By office, its spans by start."""
        out: dict[str, list[tuple[int, int]]] = {}
        for site, from_ns, until_ns in self._rows(
            "SELECT site, from_ns, until_ns FROM imported ORDER BY site, from_ns"
        ):
            out.setdefault(site, []).append((from_ns, until_ns))
        return out
