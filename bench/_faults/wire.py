"""A wire between two processes: a TCP proxy on loopback that can be cut, in the ways in which networks are cut."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import weakref
from enum import StrEnum
from typing import Final

_AT_ONCE: Final = struct.pack("ii", 1, 0)
"""SO_LINGER: closing sends RST."""


class Cut(StrEnum):
    """How a wire is cut."""

    RESET = "reset"
    """Every connection is reset, new ones too."""
    SILENT = "silent"
    """Nothing moves; when the cut is over everything goes on where it stopped."""
    FORGOTTEN = "forgotten"
    """Nothing moves; afterwards only new connections do (a firewall that lost its state)."""


class _Side(asyncio.Protocol):
    """One socket of a connection."""

    def __init__(self, pair: _Pair) -> None:
        self.pair = pair
        self.other: _Side | None = None
        self.transport: asyncio.Transport | None = None
        self.congested = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        if self.pair.closed:  # ended while it was being connected
            transport.abort()
            return
        # Not now: until 3.11.3 or so (Debian 12 has 3.11.2) asyncio begins to read after this call, paused or not.
        asyncio.get_running_loop().call_soon(self.pair.settle)

    def data_received(self, data: bytes) -> None:
        self.pair.wire.bytes += len(data)
        if self.other is not None and self.other.transport is not None:
            self.other.transport.write(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self.transport = None
        self.pair.close(reset=exc is not None)

    def pause_writing(self) -> None:
        self.congested = True
        self.pair.settle()

    def resume_writing(self) -> None:
        self.congested = False
        self.pair.settle()

    def read(self, *, on: bool) -> None:
        """Read from the socket, or leave what comes in the kernel."""
        if self.transport is not None and not self.transport.is_closing():
            self.transport.resume_reading() if on else self.transport.pause_reading()


class _Pair:
    """A connection through the wire."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.client, self.server = _Side(self), _Side(self)
        self.client.other, self.server.other = self.server, self.client
        self.frozen = wire.cut is not None
        self.connecting: asyncio.Task[None] | None = None
        self.closed = False

    def settle(self) -> None:
        """Read each side as far as the other can take it."""
        standing = self.server.transport is not None and not self.frozen
        self.client.read(on=standing and not self.server.congested)
        self.server.read(on=standing and not self.client.congested)

    async def connect(self, address: tuple[str, int]) -> None:
        """Connect the far side."""
        loop = asyncio.get_running_loop()
        try:
            await loop.create_connection(lambda: self.server, *address)
        except OSError:
            self.close(reset=True)

    @property
    def standing(self) -> bool:
        """Whether it still has a socket."""
        return self.client.transport is not None or self.server.transport is not None

    def close(self, *, reset: bool) -> None:
        """End both sides."""
        if self.closed:
            return
        self.closed = True
        self.wire.pairs.discard(self)
        if self.connecting is not None and not self.connecting.done():
            self.connecting.cancel()
        for side in (self.client, self.server):
            if side.transport is None:
                continue
            if reset:
                with contextlib.suppress(OSError):
                    _socket_of(side.transport).setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
                side.transport.abort()
            else:
                side.transport.close()


class Wire:
    """Listens on a free port and passes everything on to an address."""

    def __init__(self, name: str, address: tuple[str, int]) -> None:
        self.name = name
        self._address = address
        self.cut: Cut | None = None
        self.pairs: set[_Pair] = set()
        self._open: weakref.WeakSet[_Pair] = weakref.WeakSet()
        """Those with a socket that is not closed yet, ended ones included."""
        self._server: asyncio.Server | None = None
        self.port = 0
        self.bytes = 0

    async def open(self) -> None:
        """Listen."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._accepted, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    def _accepted(self) -> _Side:
        pair = _Pair(self)
        self.pairs.add(pair)
        self._open.add(pair)
        loop = asyncio.get_running_loop()
        if self.cut is Cut.RESET:
            loop.call_soon(lambda: pair.close(reset=True))
        elif self.cut is None:
            pair.connecting = loop.create_task(pair.connect(self._address), name=f"{self.name} connecting")
        return pair.client

    def sever(self, how: Cut) -> None:
        """Cut the wire."""
        self.cut = how
        for pair in list(self.pairs):
            if how is Cut.RESET:
                pair.close(reset=True)
            else:
                pair.frozen = True
                pair.settle()

    def mend(self) -> None:
        """Let everything pass again; of a forgotten wire only what is new."""
        how, self.cut = self.cut, None
        for pair in list(self.pairs):
            if not pair.frozen or how is Cut.FORGOTTEN:
                continue
            pair.frozen = False
            if pair.server.transport is None and pair.connecting is None:
                task = pair.connect(self._address)
                pair.connecting = asyncio.get_running_loop().create_task(task, name=f"{self.name} connecting")
            pair.settle()

    async def close(self) -> None:
        """Stop listening and end every connection; on return no socket is left."""
        if self._server is not None:
            self._server.close()
        pairs = list(self._open)
        for pair in pairs:
            pair.close(reset=True)
            for side in (pair.client, pair.server):  # also what an orderly close has left to be written
                if side.transport is not None:
                    side.transport.abort()
        await asyncio.gather(*(pair.connecting for pair in pairs if pair.connecting), return_exceptions=True)
        while any(pair.standing for pair in pairs):  # noqa: ASYNC110 - closing takes a turn of the loop or two
            await asyncio.sleep(0)


def _socket_of(transport: asyncio.Transport) -> socket.socket:
    found: socket.socket = transport.get_extra_info("socket")
    return found
