"""HTTPS in small: one request a connection, everything bounded (connections, an address's share, bytes, seconds).

The parsing is h11's. An ordinary server bounds neither the handshake nor the time that a request may take to come,
and this one faces everybody who can reach the hub.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import h11

from config.address import counted_as

if TYPE_CHECKING:
    import socket
    import ssl
    from collections.abc import Awaitable, Callable

log = logging.getLogger(__name__)
CONNECTIONS: Final = 64
PER_ADDRESS: Final = 16
CONVERSATION_S: Final = 10.0
HEAD_BYTES: Final = 8192
_READ_BYTES: Final = 4096
_TRY_AGAIN_S: Final = 0.2


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked, and from where."""

    method: str
    path: str
    body: bytes
    peer: str


@dataclass(frozen=True, slots=True)
class Reply:
    """What is answered."""

    status: int
    body: bytes
    kind: str = "application/json"


@dataclass(slots=True)
class ConnectionCounters:
    """Counts since the start."""

    accepted: int = 0
    turned_away: int = 0
    """Too many at once."""
    too_slow: int = 0
    broken: int = 0
    """No TLS, no HTTP, or gone in the middle."""
    too_large: int = 0


@dataclass(slots=True)
class HttpsServer:
    """Serves requests on a listening socket."""

    answer: Callable[[Request], Awaitable[Reply]]
    context: ssl.SSLContext
    most_bytes: int
    conversation_s: float = CONVERSATION_S
    counters: ConnectionCounters = field(default_factory=ConnectionCounters)
    _open: Counter[str] = field(default_factory=Counter)

    async def serve(self, listener: socket.socket) -> None:
        """Serve until cancelled; the socket stays the caller's."""
        loop = asyncio.get_running_loop()
        tasks: set[asyncio.Task[None]] = set()
        try:
            while True:
                try:
                    sock, address = await loop.sock_accept(listener)
                except OSError as error:  # out of descriptors: those that are open will end
                    extra = {"event": "enrolment.no-connection", "reason": error.strerror}
                    log.warning(
                        "the enrolment desk cannot take a connection: %s", error.strerror, extra=extra
                    )
                    await asyncio.sleep(_TRY_AGAIN_S)
                    continue
                peer = str(address[0])
                share = counted_as(peer)
                if self._open.total() >= CONNECTIONS or self._open[share] >= PER_ADDRESS:
                    self.counters.turned_away += 1
                    sock.close()
                    continue
                self.counters.accepted += 1
                self._open[share] += 1
                task = asyncio.create_task(self._one(sock, peer), name=f"enrolment desk: {peer}")
                tasks.add(task)
                task.add_done_callback(tasks.discard)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _one(self, sock: socket.socket, peer: str) -> None:
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(limit=_READ_BYTES)
        protocol = asyncio.StreamReaderProtocol(reader)
        transport: asyncio.Transport | None = None
        try:
            async with asyncio.timeout(self.conversation_s):
                transport, _ = await loop.connect_accepted_socket(
                    lambda: protocol, sock, ssl=self.context, ssl_handshake_timeout=self.conversation_s / 2
                )
                writer = asyncio.StreamWriter(transport, protocol, reader, loop)
                await self._converse(reader, writer, peer)
                writer.close()
                with contextlib.suppress(OSError):
                    await writer.wait_closed()
        except TimeoutError:
            self.counters.too_slow += 1
        except (OSError, EOFError, h11.ProtocolError):
            self.counters.broken += 1
        finally:
            if transport is None:
                sock.close()
            else:
                transport.abort()
            self._open[counted_as(peer)] -= 1
            self._open += Counter()  # forget the zeros

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, peer: str) -> None:
        http = h11.Connection(h11.SERVER, max_incomplete_event_size=HEAD_BYTES)
        try:
            request = await self._request(http, reader, peer)
        except h11.RemoteProtocolError as error:
            self.counters.broken += 1
            await _send(http, writer, Reply(error.error_status_hint, b"{}"))
            return
        if request is None:
            self.counters.too_large += 1
            await _send(http, writer, Reply(413, b"{}"))
            return
        await _send(http, writer, await self.answer(request))

    async def _request(self, http: h11.Connection, reader: asyncio.StreamReader, peer: str) -> Request | None:
        """The whole request; None when it is too large.

        Raises:
            EOFError: it ended in the middle.
            h11.RemoteProtocolError: it is no HTTP.
        """
        head: h11.Request | None = None
        body = bytearray()
        while True:
            event = http.next_event()
            if event is h11.NEED_DATA:
                data = await reader.read(_READ_BYTES)
                if not data:
                    raise EOFError
                http.receive_data(data)
            elif isinstance(event, h11.Request):
                head = event
            elif isinstance(event, h11.Data):
                body += event.data
                if len(body) > self.most_bytes:
                    return None
            elif isinstance(event, h11.EndOfMessage) and head is not None:
                method, path = head.method.decode("ascii"), head.target.decode("ascii", "replace")
                return Request(method, path, bytes(body), peer)
            else:
                raise EOFError


async def _send(http: h11.Connection, writer: asyncio.StreamWriter, reply: Reply) -> None:
    if http.our_state not in {h11.IDLE, h11.SEND_RESPONSE}:
        return
    headers = [
        ("content-type", reply.kind),
        ("content-length", str(len(reply.body))),
        ("cache-control", "no-store"),
        ("connection", "close"),
    ]
    for event in (
        h11.Response(status_code=reply.status, headers=headers),
        h11.Data(data=reply.body),
        h11.EndOfMessage(),
    ):
        writer.write(http.send(event) or b"")
    await writer.drain()
