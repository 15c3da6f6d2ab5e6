"""Whether what looks well is seen: an all-clear needs windows, and while none come in nobody knows."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from telemetry.windows import SECOND_NS, SILENT_NS, WINDOW_NS

OVERDUE_NS: Final = WINDOW_NS + 10 * SECOND_NS
"""The newest window is never older while all is well: it comes within 5 s of its end, and the watch says so every 5 s."""

FIRST_WINDOWS_NS: Final = 90 * SECOND_NS
"""What is heard first may be so much older: what waited for up to a minute still comes in time."""


class Hearing(Struct, frozen=True):
    """What the watch has heard, at one look."""

    now_ns: int
    until_ns: int | None = None
    """End of the newest window that it has judged; None when no watch says so, and everything counts as seen."""
    since_ns: int | None = None
    """Since when it has heard anybody without a break; None when no watch says so."""

    def began_unseen(self, began_ns: int, pending_ns: int) -> bool:
        """Whether a trouble that is dated from `began_ns` on, and came to the alerts at `pending_ns`, may have begun earlier.

        It was there in the first windows that were heard when the hub could hear again: when it began nobody saw.
        """
        if self.since_ns is None or pending_ns < self.since_ns:
            return False
        return -FIRST_WINDOWS_NS <= began_ns - self.since_ns <= WINDOW_NS

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
