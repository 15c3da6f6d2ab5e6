"""The broker: its listener, its connections, its clockwork."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from collector.broker.embedded import properties
from collector.broker.embedded.connection import Connection
from collector.broker.embedded.limits import Account, Limits
from collector.broker.embedded.packets import Publish
from collector.broker.embedded.properties import Property
from collector.broker.embedded.reasons import Reason
from collector.broker.embedded.router import Router

if TYPE_CHECKING:
    from collector.broker.embedded.session import Session

log = logging.getLogger(__name__)
_SWEEP_S: Final = 0.5
_SYS_S: Final = 5.0
SYS: Final = "$SYS/broker"
"""As mosquitto names it, so that whoever reads the counters need not know which broker it is."""


class Broker:
    """One listener with its sessions and retained messages; all in memory, all on one event loop."""

    def __init__(self, limits: Limits | None = None, user: str = "", password: str = "") -> None:
        self.limits = limits or Limits()
        self.user = user
        self.password = password
        self.account = Account()
        self.router = Router(self.limits, self.account)
        self.connected: dict[str, Connection] = {}
        """Connections that have a session, by client id."""
        self._open: set[Connection] = set()
        self._wills: dict[str, asyncio.TimerHandle] = {}

    async def serve(self, host: str, port: int, ready: asyncio.Future[int] | None = None) -> None:
        """Serve until cancelled; `ready` is given the port.

        Raises:
            OSError: the address cannot be listened on.
        """
        server = await asyncio.get_running_loop().create_server(
            lambda: Connection(self), host, port, backlog=1024
        )
        if ready is not None:
            ready.set_result(server.sockets[0].getsockname()[1])
        try:
            await self._sweep()
        finally:
            server.close()
            for connection in list(self._open):
                connection.close(Reason.SHUTTING_DOWN)
            for timer in self._wills.values():
                timer.cancel()

    def now_s(self) -> float:
        """The loop's monotonic time."""
        return asyncio.get_running_loop().time()

    # ------------------------------------------------------------------ for the connections

    def came(self, connection: Connection) -> None:
        """A socket was accepted."""
        self._open.add(connection)
        if len(self._open) > self.limits.connections:
            self.account.connections_refused += 1
            connection.close(Reason.QUOTA_EXCEEDED)

    def went(self, connection: Connection) -> None:
        """A socket is gone."""
        self._open.discard(connection)

    def take_over(self, client_id: str) -> None:
        """A client id connects anew: its former connection ends, and a will that waits is withdrawn (3.1.3.2.2)."""
        former = self.connected.get(client_id)
        if former is not None:
            former.close(Reason.SESSION_TAKEN_OVER)
        timer = self._wills.pop(client_id, None)
        if timer is not None:
            timer.cancel()

    def will(self, session: Session, will: Publish) -> None:
        """A connection ended without a goodbye: its will is published, at once or after its delay."""
        delay_s = min(properties.number(will.properties, Property.WILL_DELAY, 0), session.expiry_s)
        if not delay_s:
            self._publish_will(session.client_id, will)
            return
        loop = asyncio.get_running_loop()
        self._wills[session.client_id] = loop.call_later(delay_s, self._publish_will, session.client_id, will)

    def _publish_will(self, client_id: str, will: Publish) -> None:
        self._wills.pop(client_id, None)
        self.router.publish(will, client_id, self.now_s())

    # ------------------------------------------------------------------ clockwork

    async def _sweep(self) -> None:
        told_s = -_SYS_S
        while True:
            now_s = self.now_s()
            for connection in list(self._open):
                reason = connection.overdue(now_s)
                if reason is not None:
                    connection.close(reason)
            self.router.end_expired(now_s)
            if now_s - told_s >= _SYS_S:
                told_s = now_s
                self._tell(now_s)
            await asyncio.sleep(_SWEEP_S)

    def _tell(self, now_s: float) -> None:
        """Publish the counters."""
        counters = {
            "publish/messages/dropped": self.account.dropped,
            "publish/messages/received": self.account.received,
            "publish/messages/sent": self.account.delivered,
            "publish/messages/refused": self.account.refused,
            "clients/connected": len(self.connected),
            "store/messages/bytes": self.account.waiting_bytes,
            "retained messages/count": len(self.router.retained),
        }
        for name, value in counters.items():
            message = Publish(f"{SYS}/{name}", str(value).encode(), retain=True)
            self.router.publish(message, "", now_s)
