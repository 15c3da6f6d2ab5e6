"""All-clears that wait because windows are judged late: since when, said once in the log and in every heartbeat."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from telemetry.state.held_back import HELD_BACK, HELD_SINCE
from telemetry.windows import SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from alerts.hearing import Hearing

SAID_AFTER_NS: Final = 30 * SECOND_NS
"""Two windows: a single one that comes late holds something up for a moment, and nobody need hear of it."""
SHOWN: Final = 5
"""Alerts in one line of the log."""
_log = logging.getLogger(__name__)


class HeldBackAllClears:
    """Follows them from look to look."""

    def __init__(self) -> None:
        self._waiting: tuple[str, ...] = ()
        self._since_ns = 0
        self._is_said = False

    def look(self, waiting: Sequence[str], hearing: Hearing) -> None:
        """Take in of which alerts (ids) the all-clear waits at this look; when it begins to last and when it is over is logged."""
        if waiting and (not self._waiting or hearing.now_ns < self._since_ns):  # or the clock was set back
            self._since_ns = hearing.now_ns
        self._waiting = tuple(waiting)
        lasts = bool(waiting) and (self._is_said or hearing.now_ns - self._since_ns >= SAID_AFTER_NS)
        if lasts != self._is_said:
            self._is_said = lasts
            self._say(hearing)

    def detail(self) -> dict[str, object]:
        """For the heartbeat, as plain JSON: how many, and since when (ns)."""
        if not self._is_said:
            return {HELD_BACK: 0}
        return {HELD_BACK: len(self._waiting), HELD_SINCE: self._since_ns}

    def _say(self, hearing: Hearing) -> None:
        if not self._is_said:
            _log.info("all-clears are sent again", extra={"event": "all-clears.go-on"})
            return
        _log.warning(
            "all-clears wait (%d): the newest window that the watch has judged is %.0f s old",
            len(self._waiting),
            hearing.behind_s,
            extra={
                "event": "all-clears.held-back",
                "count": len(self._waiting),
                "alerts": list(self._waiting[:SHOWN]),
                "behind_s": hearing.behind_s,
            },
        )
