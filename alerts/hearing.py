"""Whether what looks well is seen: an all-clear needs windows, and while none come in nobody knows."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from telemetry.windows import SECOND_NS, SILENT_NS, WINDOW_NS

OVERDUE_NS: Final = WINDOW_NS + 10 * SECOND_NS
"""The newest window is never older while all is well: it comes within 5 s of its end, and the watch says so every 5 s."""


class Hearing(Struct, frozen=True):
    """What the watch has heard, at one look."""

    now_ns: int
    until_ns: int | None = None
    """End of the newest window that it has judged; None when no watch says so, and everything counts as seen."""

    @property
    def is_up_to_date(self) -> bool:
        """Whether every window that should be here has been seen."""
        return self._unheard_ns <= OVERDUE_NS

    @property
    def is_deaf(self) -> bool:
        """Whether nobody has been heard for so long that it is our silence: what is unseen then may never be seen."""
        return self._unheard_ns > SILENT_NS

    @property
    def behind_s(self) -> float:
        """How old what it has judged is, in seconds; 0 when no watch says so."""
        return self._unheard_ns / SECOND_NS

    @property
    def _unheard_ns(self) -> int:
        return 0 if self.until_ns is None else self.now_ns - self.until_ns
