"""Whether the hub itself is blind: while its store takes nothing in, nothing new is known of any office.

What was said of the offices stands then, for their silence is ours. It stands for a window longer than the store was away:
what piled up is taken in first.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from telemetry.state.store_away import store_away_since
from telemetry.windows import SECOND_NS, WINDOW_NS

if TYPE_CHECKING:
    from tatpar.watching.current import Current
    from telemetry.state.db import StateDb

log = logging.getLogger(__name__)
ASK_NS: Final = 2 * SECOND_NS
"""Collectors beat so often."""
CATCH_UP_NS: Final = WINDOW_NS + 5 * SECOND_NS


class Blindness:
    """Asks the collectors' heartbeats."""

    def __init__(self, state: StateDb) -> None:
        self._state = state
        self._ask_ns = 0
        self._until_ns: int | None = None
        """Until when it lasts at least; None while we see."""

    def look(self, current: Current, now_ns: int) -> bool:
        """Whether it lasts; then our deafness alone is followed. When it ends we listen anew.

        Raises:
            StateError: the state database cannot be read or written.
        """
        if now_ns >= self._ask_ns or self._ask_ns - now_ns > ASK_NS:  # or the clock was set back
            self._ask(now_ns)
        if self._until_ns is None:
            return False
        if now_ns < self._until_ns <= now_ns + CATCH_UP_NS:
            current.look_blind(now_ns)
            return True
        self._until_ns = None
        current.listen_anew(now_ns)
        log.warning(
            "the store takes reports in again: flags and verdicts go on", extra={"event": "watch.sees"}
        )
        return False

    def _ask(self, now_ns: int) -> None:
        self._ask_ns = now_ns + ASK_NS
        since_ns = store_away_since(self._state.beats(), now_ns)
        if since_ns is None:
            return
        if self._until_ns is None:
            for_s = (now_ns - since_ns) / SECOND_NS
            extra = {"event": "watch.blind", "for_s": for_s}
            log.warning(
                "the store has taken no report in for %.0f s: what was said stands", for_s, extra=extra
            )
        self._until_ns = now_ns + CATCH_UP_NS
