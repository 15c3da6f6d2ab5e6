"""The TCP relay for an office's MQTT: bytes pass as they are, until the line is cut.

A cut line is silent: what was connected stays connected on both sides and nothing moves, not even an end or a
reset, and a new connection is taken by nobody until the line is back (its SYN waits in the kernel, so the client
sees no answer and gives up by its own time-out). That is what a real cut looks like from either end. Delay, jitter
and loss of the line do not touch TCP: the reports' own path is not what the lab measures.
"""

from __future__ import annotations

import socket
from functools import partial
from typing import TYPE_CHECKING, Final

from lab.line.reactor import READ, WRITE

if TYPE_CHECKING:
    from lab.line.reactor import Reactor

MOST_CONNECTIONS: Final = 16
"""Of one office at once; the relay closes what comes beyond."""
_BACKLOG: Final = 16
_CHUNK: Final = 1 << 16


class _End:
    """One socket of a connection, and what still has to be written to it."""

    __slots__ = ("ended", "events", "inbound_over", "pending", "sock")

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.pending = b""
        self.events = 0
        """What we wait for."""
        self.inbound_over = False
        """The peer has said that it sends no more."""
        self.ended = False
        """We have told it that no more will come."""


class _Connection:
    """Client and broker, joined; each side is read only when the other has taken all (so it is bounded)."""

    def __init__(self, line: TcpLine, reactor: Reactor, client: socket.socket, broker: socket.socket) -> None:
        self._line = line
        self._reactor = reactor
        # The broker's side is being connected: writable means that it stands.
        self._ends = (_End(client), _End(broker))
        self._connecting = True
        self._paused = False
        self._wait_for(1, WRITE)

    def pause(self) -> None:
        """Nothing moves; even an error of a socket goes unseen."""
        self._paused = True
        for end in self._ends:
            self._reactor.unwatch(end.sock.fileno())

    def resume(self) -> None:
        """Everything moves again; what happened meanwhile comes to light."""
        self._paused = False
        for index, end in enumerate(self._ends):
            wanted, end.events = end.events, 0
            self._wait_for(index, wanted)

    def _wait_for(self, index: int, wanted: int) -> None:
        """Wait for these events; for none at all the socket is not watched, or a hang-up would be told for ever."""
        end = self._ends[index]
        if wanted and not end.events:
            self._reactor.watch(end.sock.fileno(), wanted, partial(self._ready, index))
        elif end.events and not wanted:
            self._reactor.unwatch(end.sock.fileno())
        elif wanted != end.events:
            self._reactor.change(end.sock.fileno(), wanted)
        end.events = wanted

    def _ready(self, index: int, events: int) -> None:
        try:
            if self._connecting:
                self._connected()
                return
            if events & ~READ and self._ends[index].pending:
                self._write(index)
            if events & ~WRITE and not self._ends[1 - index].pending:
                self._read(index)
        except OSError:
            self.close()
            return
        self._settle()

    def _connected(self) -> None:
        error = self._ends[1].sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error:
            self.close()
            return
        self._connecting = False
        self._settle()

    def _read(self, index: int) -> None:
        here, there = self._ends[index], self._ends[1 - index]
        if here.inbound_over:
            return
        try:
            data = here.sock.recv(_CHUNK)
        except BlockingIOError:
            return
        if data:
            there.pending = data
            self._write(1 - index)
        else:
            here.inbound_over = True

    def _write(self, index: int) -> None:
        end = self._ends[index]
        try:
            sent = end.sock.send(end.pending)
        except BlockingIOError:
            return
        end.pending = end.pending[sent:]

    def _settle(self) -> None:
        """Pass on an end, close when both have ended, else wait for what can move next."""
        for here, there in (self._ends, self._ends[::-1]):
            if here.inbound_over and not there.pending and not there.ended:
                there.ended = True
                try:
                    there.sock.shutdown(socket.SHUT_WR)
                except OSError:
                    self.close()
                    return
        if all(end.ended for end in self._ends):
            self.close()
            return
        for index, here in enumerate(self._ends):
            there = self._ends[1 - index]
            readable = 0 if here.inbound_over or there.pending else READ
            self._wait_for(index, readable | (WRITE if here.pending else 0))

    def close(self) -> None:
        """End both sides at once."""
        self.pause()
        for end in self._ends:
            end.sock.close()
        self._line.forget(self)


class TcpLine:
    """One office's way to the broker: a listening port and the connections through it."""

    def __init__(self, reactor: Reactor, broker: tuple[str, int]) -> None:
        self._reactor = reactor
        self._broker = broker
        self._connections: set[_Connection] = set()
        self._listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._listener.setblocking(False)
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen(_BACKLOG)
        self.port: int = self._listener.getsockname()[1]
        self.refused = 0
        """Connections closed at once because there were too many."""
        self._cut = False
        reactor.watch(self._listener.fileno(), READ, self._accept)

    @property
    def cut(self) -> bool:
        """Whether nothing passes."""
        return self._cut

    @cut.setter
    def cut(self, cut: bool) -> None:
        if cut == self._cut:
            return
        self._cut = cut
        if cut:
            self._reactor.unwatch(self._listener.fileno())
            for connection in self._connections:
                connection.pause()
            return
        self._reactor.watch(self._listener.fileno(), READ, self._accept)
        for connection in list(self._connections):
            connection.resume()

    def redirect(self, broker: tuple[str, int]) -> None:
        """Send connections made from now on to another broker."""
        self._broker = broker

    def _accept(self, _events: int) -> None:
        try:
            client, _ = self._listener.accept()
        except OSError:
            return
        if len(self._connections) >= MOST_CONNECTIONS:
            self.refused += 1
            client.close()
            return
        broker = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        for sock in (client, broker):
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        broker.connect_ex(self._broker)
        self._connections.add(_Connection(self, self._reactor, client, broker))

    def forget(self, connection: _Connection) -> None:
        """A connection is over."""
        self._connections.discard(connection)

    def close(self) -> None:
        """Close the port and every connection."""
        self._reactor.unwatch(self._listener.fileno())
        self._listener.close()
        for connection in list(self._connections):
            connection.close()
