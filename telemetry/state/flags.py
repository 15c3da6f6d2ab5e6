"""Flags: which lines are degraded now, and the spells of the past."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from telemetry.decisions import Flag
from telemetry.state.database import Database, decoded, encoded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from telemetry.state.database import Row

Key = tuple[str, str, str]
"""site, path, reason code: what makes two flags the same."""


@dataclass(frozen=True, slots=True)
class FlagChanges:
    """What became of the flags."""

    raised: tuple[Flag, ...]
    kept: tuple[Flag, ...]
    cleared: tuple[Flag, ...]
    """As they were last said."""


@dataclass(frozen=True, slots=True)
class FlagSpell:
    """One spell of a flag."""

    flag: Flag
    """As it was last said."""
    raised_ns: int
    cleared_ns: int | None
    """None while it is open."""


def key_of(flag: Flag) -> Key:
    """What makes two flags the same."""
    return flag.site, flag.path, flag.reason.code.value


class FlagTable(Database):
    """Open flags and past spells."""

    def put_flags(self, current: Sequence[Flag], now_ns: int) -> FlagChanges:
        """Make these the open flags: new ones are raised, those that are not among them are cleared."""
        wanted = {key_of(flag): flag for flag in current}
        with self._change() as change:
            rows = change.rows_of("SELECT id, body FROM flag_spell WHERE cleared_ns IS NULL ORDER BY id")
            standing = {key_of(flag): (spell, flag) for spell, flag in _flags(rows)}
            for key, (spell, flag) in standing.items():
                if key not in wanted:
                    change.execute("UPDATE flag_spell SET cleared_ns = ? WHERE id = ?", (now_ns, spell))
                elif wanted[key] != flag:
                    change.execute(
                        "UPDATE flag_spell SET since_ns = ?, body = ? WHERE id = ?",
                        (wanted[key].since_ns, encoded(wanted[key]), spell),
                    )
            for key, flag in wanted.items():
                if key not in standing:
                    change.execute(
                        "INSERT INTO flag_spell (site, path, code, raised_ns, since_ns, body)"
                        " VALUES (?, ?, ?, ?, ?, ?)",
                        (*key, now_ns, flag.since_ns, encoded(flag)),
                    )
        return FlagChanges(
            tuple(flag for key, flag in wanted.items() if key not in standing),
            tuple(flag for key, flag in wanted.items() if key in standing),
            tuple(flag for key, (_, flag) in standing.items() if key not in wanted),
        )

    def open_flags(self) -> list[Flag]:
        """The flags that are up, oldest first."""
        rows = self._rows("SELECT id, body FROM flag_spell WHERE cleared_ns IS NULL ORDER BY since_ns, id")
        return [flag for _, flag in _flags(rows)]

    def flag_history(self, from_ns: int, until_ns: int) -> list[FlagSpell]:
        """The spells that overlap `[from_ns, until_ns)`, by start of the trouble."""
        rows = self._rows(
            "SELECT body, raised_ns, cleared_ns FROM flag_spell"
            " WHERE since_ns < ? AND (cleared_ns IS NULL OR cleared_ns > ?) ORDER BY since_ns, id",
            (until_ns, from_ns),
        )
        return [FlagSpell(decoded(row[0], Flag), *row[1:]) for row in rows]


def _flags(rows: list[Row]) -> list[tuple[int, Flag]]:
    return [(spell, decoded(body, Flag)) for spell, body in rows]
