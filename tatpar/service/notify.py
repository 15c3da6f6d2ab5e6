"""What a service tells the manager that started it (systemd, `Type=notify`): ready, alive, stopping.

The protocol is one datagram of `KEY=value` lines to the socket named by `NOTIFY_SOCKET` (sd_notify(3)); without that
variable, as in a terminal, in a container and on Windows, nothing is said. The variables are taken out of the
environment, so that no child (mosquitto speaks this protocol too) talks in our place.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_PER_INTERVAL: Final = 3
"""Signs of life in each interval that the manager waits."""


class Manager:
    """The manager of this service, or nobody."""

    def __init__(self) -> None:
        """Take the manager's address and patience out of the environment."""
        self._address = os.environ.pop("NOTIFY_SOCKET", "")
        pid = os.environ.pop("WATCHDOG_PID", "")
        patience_us = os.environ.pop("WATCHDOG_USEC", "")
        ours = not pid or pid == str(os.getpid())
        self.patience_s = int(patience_us) / 1e6 if ours and patience_us.isdecimal() else 0.0
        """Seconds without a sign of life after which the manager starts us again; 0: it does not look."""

    def tell(self, *lines: str) -> None:
        """Send lines; a manager that does not listen is no trouble of ours."""
        if not self._address:
            return
        where = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        with (
            contextlib.suppress(OSError),
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock,
        ):
            sock.setblocking(False)  # a manager that does not read must not hold us up
            sock.sendto("\n".join(lines).encode(), where)

    def ready(self, status: str) -> None:
        """The service does its work from now on."""
        self.tell("READY=1", f"STATUS={status}")

    def stopping(self) -> None:
        """It ends in order."""
        self.tell("STOPPING=1")


@asynccontextmanager
async def serving(status: str, manager: Manager | None = None) -> AsyncIterator[None]:
    """Ready now, alive for as long as the event loop turns, stopping at the end.

    Args:
        status: what the service does, for people.
        manager: taken before a child was started, where there are any by now.
    """
    manager = Manager() if manager is None else manager
    manager.ready(status)
    signs = asyncio.create_task(_signs(manager), name="signs of life") if manager.patience_s else None
    try:
        yield
    finally:
        manager.stopping()
        if signs is not None:
            signs.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await signs


async def _signs(manager: Manager) -> None:
    while True:
        manager.tell("WATCHDOG=1")
        await asyncio.sleep(manager.patience_s / _PER_INTERVAL)
