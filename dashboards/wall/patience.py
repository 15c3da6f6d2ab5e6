"""How long the wall waits for a request, and for how many callers at once: nobody stops it by connecting and saying nothing.

uvicorn has a deadline for the pause between two requests and none for a request that does not come, or comes drop by drop.
Connections above the limits are closed at once; the limits leave files for everything else that the process opens.
"""

from __future__ import annotations

import logging
import resource
import time
from typing import TYPE_CHECKING, Final

from uvicorn.protocols.http.h11_impl import H11Protocol

from config.address import counted_as

if TYPE_CHECKING:
    import asyncio

    from uvicorn.protocols.http.h11_impl import RequestResponseCycle

_log = logging.getLogger(__name__)

REQUEST_S: Final = 15.0
"""For a request, head and body, to come in whole; the longest body is some kilobytes."""
MOST: Final = 4096
"""Connections at once, where the process may open twice as many files."""
SHARE_OF_ONE: Final = 0.5
"""Of these, from one address at most: a proxy is one address, and so is an attacker."""
SAID_AGAIN_S: Final = 60.0


def most_connections() -> int:
    """As many as leave half of the files that this process may open."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST if files == resource.RLIM_INFINITY else max(2, min(MOST, files // 2))


class PatientProtocol(H11Protocol):
    """HTTP/1.1 that closes what does not ask in time, and what is one too many."""

    _last_said = -SAID_AGAIN_S
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a caller in, or not."""
        super().connection_made(transport)
        if self._is_one_too_many():
            transport.abort()
            return
        self._deadline = self.loop.call_later(REQUEST_S, self._give_up)

    def data_received(self, data: bytes) -> None:
        """A part of a request: the time for it runs from its first octet, and ends with its last."""
        super().data_received(data)
        if self._is_waiting():
            if self._deadline is None:
                self._deadline = self.loop.call_later(REQUEST_S, self._give_up)
        else:
            self._forget_deadline()

    def connection_lost(self, exc: Exception | None) -> None:
        """The caller is gone."""
        self._forget_deadline()
        super().connection_lost(exc)

    def _is_waiting(self) -> bool:
        """Whether a request has not come in whole."""
        cycle: RequestResponseCycle | None = self.cycle  # None until the first request has come
        return cycle is None or cycle.response_complete or cycle.more_body

    def _give_up(self) -> None:
        self._deadline = None
        if self._is_waiting():
            self.transport.close()

    def _forget_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _is_one_too_many(self) -> bool:
        most = most_connections()
        source = _source(self)
        if len(self.connections) <= most * SHARE_OF_ONE:
            return False
        own = sum(_source(one) == source for one in self.connections)
        if len(self.connections) <= most and own <= most * SHARE_OF_ONE:
            return False
        now = time.monotonic()
        if now - PatientProtocol._last_said >= SAID_AGAIN_S:
            PatientProtocol._last_said = now
            detail = {"event": "wall.crowded", "source": source, "count": len(self.connections)}
            _log.warning("%d connections, %d of them from %s: more are closed at once", len(self.connections), own, source, extra=detail)  # fmt: skip
        return True


def _source(connection: object) -> str | None:
    """Who is at the other end: an address, of IPv6 a /64."""
    client: tuple[str, int] | None = getattr(connection, "client", None)
    return counted_as(client[0]) if client else None
