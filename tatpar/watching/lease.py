"""One watch at a time works: who holds the lease, and for how long."""

from __future__ import annotations

import os
import secrets
import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from telemetry.state.errors import StateError
from telemetry.windows import SECOND_NS

if TYPE_CHECKING:
    from telemetry.state.db import StateDb

ROLE: Final = "watch"
LEASE_NS: Final = 30 * SECOND_NS


class Lease:
    """This process's hold on the watch's role."""

    def __init__(self, state: StateDb) -> None:
        self.holder = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self._state = state
        self._until_renewal_ns = 0

    def holds(self, now_ns: int) -> bool:
        """Whether it is our turn; the lease is renewed in time."""
        if now_ns < self._until_renewal_ns:
            return True
        if not self._state.acquire_lease(ROLE, self.holder, now_ns, LEASE_NS):
            return False
        self._until_renewal_ns = now_ns + LEASE_NS // 3
        return True

    def renew_at_once(self) -> None:
        """The clock was set: when the lease ends is to be written anew."""
        self._until_renewal_ns = 0

    def give_back(self) -> None:
        """Let another one work."""
        with suppress(StateError):
            self._state.release_lease(ROLE, self.holder)
