"""Two reports of one number: a copy that was sent again, or another report altogether?

A probe's numbers are given once, unless its disk went back in time or was copied to a second machine. Then another
report comes under a number that is stored. While the stored one is among the recent rows, the two are compared.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from telemetry import codec
from telemetry.store import packing
from telemetry.store.protocol import Fate

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from telemetry.messages import Envelope
    from telemetry.store.protocol import Received

BY_NUMBER_AT_MOST: Final = 50
"""In one commit: it reads the recent rows of a site, a millisecond or so."""
_BY_WINDOW = "SELECT payload FROM report WHERE site = ? AND start_ns = ? AND probe = ? AND epoch = ? AND seq = ? LIMIT 1"
_BY_NUMBER = "SELECT payload FROM report WHERE site = ? AND probe = ? AND epoch = ? AND seq = ? LIMIT 1"


def compared(
    connection: sqlite3.Connection, reports: Sequence[Received], fates: Sequence[Fate]
) -> list[Fate]:
    """The fates, with those duplicates told apart that are none."""
    look = _Comparison(connection)
    return [
        Fate.NUMBER_TWICE if fate is Fate.DUPLICATE and look.is_another(report.envelope) else fate
        for report, fate in zip(reports, fates, strict=True)
    ]


class _Comparison:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._left = BY_NUMBER_AT_MOST

    def is_another(self, e: Envelope) -> bool:
        """Whether what is stored under the number was made at another time, by the clock that no correction moves.

        The window may differ all the same: a report of a wrong clock is stored at its estimated time.
        """
        row = self._one(_BY_WINDOW, e.site, e.start_ns, e.probe, e.epoch, e.seq)
        if row is None and self._left:
            self._left -= 1
            row = self._one(_BY_NUMBER, e.site, e.probe, e.epoch, e.seq)
        if row is None:
            return False
        stored = codec.decode(packing.decompress(row[0]))
        return (stored.boot, stored.mono_ns) != (e.boot, e.mono_ns)

    def _one(self, query: str, *parameters: object) -> tuple[bytes] | None:
        found: tuple[bytes] | None = self._connection.execute(query, parameters).fetchone()
        return found
