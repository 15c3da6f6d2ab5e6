"""What probes were believed of their own trouble, by line: as it stood when a claim was believed last."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from telemetry.state.database import Database, decoded, encoded

if TYPE_CHECKING:
    from collections.abc import Iterable


class Believed(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Of one line as of `at_ns`."""

    site: str
    path: str
    at_ns: int
    spent: float = 0.0
    """Windows that were believed and lie farther back than those below, less what was regained since."""
    windows_ns: tuple[int, ...] = ()
    """Starts of the windows of the last half hour that are believed."""


class BeliefTable(Database):
    """A row a line of which anything was believed."""

    def put_beliefs(self, believed: Iterable[Believed]) -> None:
        """Make these all there is. Nobody is woken: it is for the next start alone."""
        with self._change() as change:
            change.execute("DELETE FROM belief", quietly=True)
            for one in believed:
                change.execute(
                    "INSERT INTO belief (site, path, at_ns, body) VALUES (?, ?, ?, ?)",
                    (one.site, one.path, one.at_ns, encoded(one)),
                    quietly=True,
                )

    def beliefs(self) -> list[Believed]:
        """All of them."""
        return [
            decoded(body, Believed) for (body,) in self._rows("SELECT body FROM belief ORDER BY site, path")
        ]
