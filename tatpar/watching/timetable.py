"""When each recurring part of a look is due: the configuration, the look itself, the heartbeat."""

from __future__ import annotations

from typing import Final

from telemetry.windows import SECOND_NS, WINDOW_NS, window_start

LOOK_NS: Final = 5 * SECOND_NS
"""Without news everything is looked at again so often, and when a window ends: meetings draw near, offices fall silent."""
CONFIG_NS: Final = 2 * SECOND_NS
BEAT_NS: Final = 5 * SECOND_NS


class Timetable:
    """Times are ns since the Unix epoch; whoever asks and is told that something is due does it."""

    def __init__(self) -> None:
        self._next_ns = {"config": 0, "look": 0, "beat": 0}

    def config_is_due(self, now_ns: int) -> bool:
        """Whether the operator's files are looked at for changes."""
        return self._is_due("config", CONFIG_NS, now_ns)

    def beat_is_due(self, now_ns: int) -> bool:
        """Whether the watch says that it works."""
        return self._is_due("beat", BEAT_NS, now_ns)

    def look_is_due(self, now_ns: int) -> bool:
        """Also just behind the end of each window: silence is counted from there, and the page counts it to the second."""
        if not self._is_due("look", LOOK_NS, now_ns):
            return False
        self._next_ns["look"] = min(self._next_ns["look"], window_start(now_ns) + WINDOW_NS + 1)
        return True

    def look_at_once(self) -> None:
        """The next look is due, whatever the time."""
        self._next_ns["look"] = 0

    def begin_afresh(self) -> None:
        """Everything is due, whatever the time: the clock was set."""
        self._next_ns = dict.fromkeys(self._next_ns, 0)

    def _is_due(self, what: str, every_ns: int, now_ns: int) -> bool:
        if now_ns < self._next_ns[what]:
            return False
        self._next_ns[what] = now_ns + every_ns
        return True
