"""Commands to probes and their answers: who, when, to whom, what, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from telemetry.control import Command
from telemetry.state.database import Database, decoded, encoded

KEPT: Final = 50_000
_COLUMNS = "id, site, probe, who, issued_ns, expires_ns, sent_ns, answered_ns, ok, detail, body"


@dataclass(frozen=True, slots=True)
class CommandRow:
    """A command and what became of it."""

    id: str
    site: str
    probe: str
    who: str
    """The user of this machine who gave it."""
    issued_ns: int
    expires_ns: int
    command: Command
    sent_ns: int | None = None
    answered_ns: int | None = None
    ok: bool | None = None
    detail: str = ""

    @property
    def delay_ms(self) -> float | None:
        """From the order to its answer; None while there is none."""
        return None if self.answered_ns is None else (self.answered_ns - self.issued_ns) / 1e6


class CommandTable(Database):
    """Commands by their id."""

    def put_command(self, row: CommandRow) -> None:
        """Give an order; a collector will send it. Past `KEPT` orders the oldest go."""
        with self._change() as change:
            change.execute(
                "INSERT INTO command (id, site, probe, who, issued_ns, expires_ns, body) VALUES (?, ?, ?, ?, ?, ?, ?)",
                (row.id, row.site, row.probe, row.who, row.issued_ns, row.expires_ns, encoded(row.command)),
            )
            change.execute(
                "DELETE FROM command WHERE issued_ns < (SELECT issued_ns FROM command"
                " ORDER BY issued_ns DESC LIMIT 1 OFFSET ?)",
                (KEPT,),
            )

    def take_command(self, now_ns: int) -> CommandRow | None:
        """The oldest order that was not sent and has not run out; it counts as sent, so that only one collector has it."""
        waiting = self._commands(
            "WHERE sent_ns IS NULL AND expires_ns > ? ORDER BY issued_ns LIMIT 1", (now_ns,)
        )
        if not waiting:
            return None
        with self._change() as change:
            taken = change.execute(
                "UPDATE command SET sent_ns = ? WHERE id = ? AND sent_ns IS NULL", (now_ns, waiting[0].id)
            )
        return waiting[0] if taken else None

    def return_command(self, command_id: str) -> None:
        """It could not be sent after all."""
        with self._change() as change:
            change.execute("UPDATE command SET sent_ns = NULL WHERE id = ?", (command_id,))

    def put_answer(
        self, command_id: str, site: str, probe: str, answer: tuple[bool, str], at_ns: int
    ) -> bool:
        """Note the first answer to an order that was sent to this probe; False when there is no such order."""
        with self._change() as change:
            return bool(
                change.execute(
                    "UPDATE command SET answered_ns = ?, ok = ?, detail = ? WHERE id = ? AND site = ? AND probe = ?"
                    " AND sent_ns IS NOT NULL AND answered_ns IS NULL",
                    (at_ns, answer[0], answer[1], command_id, site, probe),
                )
            )

    def command(self, command_id: str) -> CommandRow | None:
        """An order by its id."""
        rows = self._commands("WHERE id = ?", (command_id,))
        return rows[0] if rows else None

    def commands(self, limit: int) -> list[CommandRow]:
        """The newest orders, newest first."""
        return self._commands("ORDER BY issued_ns DESC, id LIMIT ?", (limit,))

    def _commands(self, rest: str, parameters: tuple[object, ...]) -> list[CommandRow]:
        return [
            CommandRow(
                id=row[0],
                site=row[1],
                probe=row[2],
                who=row[3],
                issued_ns=row[4],
                expires_ns=row[5],
                sent_ns=row[6],
                answered_ns=row[7],
                ok=None if row[8] is None else bool(row[8]),
                detail=row[9],
                command=decoded(row[10], Command),
            )
            for row in self._rows(f"SELECT {_COLUMNS} FROM command {rest}", parameters)  # noqa: S608
        ]
