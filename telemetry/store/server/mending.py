"""Roll-ups of slots whose windows have left the journal, made again when late reports come: with the server's windows.

Done in the shipper's thread: the server is waited for, which the collector's commits must never be.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from telemetry.store import assembly
from telemetry.store.protocol import Selection
from telemetry.store.server.journal import FromServer
from telemetry.windows import SLOT_NS

if TYPE_CHECKING:
    from telemetry.store.server.journal import Journal
    from telemetry.store.server.reader import ServerReader

DAYS_PER_STEP: Final = 4


class Mending:
    """Mends a few days of sites at a time."""

    def __init__(self, journal: Journal, reads: ServerReader) -> None:
        self._journal, self._reads = journal, reads

    def step(self, now_ns: int) -> int:
        """How many days of sites were mended.

        Raises:
            StoreError: the server does not answer; the slots wait.
        """
        return sum(
            self._mend(site, day_ns, now_ns) for site, day_ns in self._journal.old_days(now_ns, DAYS_PER_STEP)
        )

    def _mend(self, site: str, day_ns: int, now_ns: int) -> int:
        slots = self._journal.waiting_slots(site, day_ns, now_ns)
        if not slots:
            return 0
        span = Selection(min(slots), max(slots) + SLOT_NS, sites=(site,))
        windows = self._reads.windows(span, assembly.VALUE_COLUMNS, histograms=True)
        there, versions = self._reads.rollups_there(span)
        old = FromServer(windows, there, {slot: version for (_, slot), version in versions.items()})
        return self._journal.roll_up_day(site, day_ns, now_ns, old)
