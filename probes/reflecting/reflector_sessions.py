"""The reflector's own counter per session (RFC 8762 4.3: stateful mode), in bounded memory."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Final

from probes.stamp.timestamps import SECOND_NS

IDLE_NS: Final = 900 * SECOND_NS
"""A session without packets for so long is forgotten (REFWAIT of RFC 5357)."""
SWEEP_NS: Final = 30 * SECOND_NS
MAX_SESSIONS: Final = 65_536


@dataclass(slots=True)
class ReflectorSession:
    """One session as the reflector sees it."""

    instance: int
    """Drawn anew when the session is opened, so that the sender sees a counter that began again."""
    next_sequence: int = 0
    seen_ns: int = 0
    """Monotonic time of the latest packet."""
    answered: int = 0
    previous: tuple[int, int] | None = None
    """Number and T3 (64-bit field) of the latest reply."""


class ReflectorSessions:
    """Sessions by key (source address and port, SSID; the local end has a table of its own).

    A full table does not push out live sessions, or a flood of forged sources could make every office see a
    restarted reflector: newcomers are answered without state instead, and counted.
    """

    def __init__(self, limit: int = MAX_SESSIONS, idle_ns: int = IDLE_NS) -> None:
        self._limit = limit
        self._idle_ns = idle_ns
        self._swept_ns = 0
        self._sessions: dict[tuple[int, ...], ReflectorSession] = {}
        self.get = self._sessions.get
        """The session of a key, or None; bare `dict.get`, as it is called for each packet."""
        self.opened = 0
        self.expired = 0
        self.refused = 0

    def __len__(self) -> int:
        return len(self._sessions)

    def open(self, key: tuple[int, ...], now_ns: int) -> ReflectorSession | None:
        """A new session from 0, or None when the table is full of live ones."""
        if len(self._sessions) >= self._limit:
            self.sweep(now_ns)
        if len(self._sessions) >= self._limit:
            self.refused += 1
            return None
        session = ReflectorSession(instance=secrets.randbits(32), seen_ns=now_ns)
        self._sessions[key] = session
        self.opened += 1
        return session

    def sweep(self, now_ns: int) -> None:
        """Forget idle sessions; looks through the table at most every half minute."""
        if now_ns - self._swept_ns < SWEEP_NS:
            return
        self._swept_ns = now_ns
        idle = [key for key, session in self._sessions.items() if now_ns - session.seen_ns > self._idle_ns]
        for key in idle:
            del self._sessions[key]
        self.expired += len(idle)
