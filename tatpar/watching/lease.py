"""One watch at a time works: who holds the lease, and for how long."""

from __future__ import annotations

from contextlib import suppress
from threading import Lock
from typing import TYPE_CHECKING, Final

from telemetry.state.errors import StateError
from telemetry.state.holder import new_holder
from telemetry.windows import SECOND_NS

if TYPE_CHECKING:
    from telemetry.state.db import StateDb

ROLE: Final = "watch"
LEASE_NS: Final = 30 * SECOND_NS
RENEWAL_NS: Final = LEASE_NS // 3
LONGEST_LOOK_NS: Final = 300 * SECOND_NS
"""A look at a large fleet may outlast the lease; one that takes longer than this is stuck, and another watch may work."""


class Lease:
    """This process's hold on the watch's role. Safe to use from several threads."""

    def __init__(self, state: StateDb, holder: str | None = None) -> None:
        """`holder`: the name under which this process held it before, when its watch is started again."""
        self.holder = holder or new_holder()
        self._state = state
        self._lock = Lock()
        self._until_renewal_ns = 0
        self._asked_ns: int | None = None
        """When it was last our turn to look; None while it is not."""
        self._given_back = False

    def holds(self, now_ns: int) -> bool:
        """Whether it is our turn; the lease is renewed in time."""
        with self._lock:
            if now_ns >= self._until_renewal_ns and not self._acquire(now_ns):
                return False
            self._asked_ns = now_ns
            return True

    def keep(self, now_ns: int) -> None:
        """Renew it beside a look that takes long."""
        with self._lock:
            if self._asked_ns is not None and 0 <= now_ns - self._asked_ns <= LONGEST_LOOK_NS:
                self._acquire(now_ns)

    def renew_at_once(self) -> None:
        """The clock was set: when the lease ends is to be written anew."""
        with self._lock:
            self._until_renewal_ns = 0

    def give_back(self) -> None:
        """Let another one work; for good."""
        with self._lock, suppress(StateError):
            self._given_back, self._asked_ns, self._until_renewal_ns = True, None, 0
            self._state.release_lease(ROLE, self.holder)

    def _acquire(self, now_ns: int) -> bool:
        taken = not self._given_back and self._state.acquire_lease(ROLE, self.holder, now_ns, LEASE_NS)
        self._until_renewal_ns = now_ns + RENEWAL_NS if taken else 0
        if not taken:
            self._asked_ns = None
        return taken
