"""The process that holds every line of the emulated fleet: UDP and TCP relays in one loop, nothing else.

Started by `lab.line.line_process` as `python -m lab.line.lines FD`; FD is one end of a socket pair over which it is told what
to do (`lab.line.wire`). When the other end closes, however its owner died, it ends.
"""

from __future__ import annotations

import gc
import resource
import signal
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lab.line.precedence import take_precedence
from lab.line.reactor import READ, Reactor
from lab.line.relay import Lateness, UdpLine
from lab.line.tcp_relay import TcpLine
from lab.line.truth import TruthLog
from lab.line.wire import (
    AskStatus,
    Done,
    FlushTruth,
    LineCounts,
    LinesStatus,
    Ports,
    Redirect,
    Reply,
    Request,
    SetStates,
    SetUp,
    encoder,
    request_decoder,
)

if TYPE_CHECKING:
    from lab.line.relay import Counts

_CHUNK: Final = 1 << 16
_FLUSH_NS: Final = 250_000_000


class Lines:
    """All lines, and what is done on request."""

    def __init__(self, reactor: Reactor) -> None:
        self._reactor = reactor
        self._udp: dict[tuple[str, str], UdpLine] = {}
        self._tcp: dict[str, TcpLine] = {}
        self._truth: TruthLog | None = None
        self._lateness = Lateness()

    def handle(self, request: Request) -> Reply:
        """Do what is asked, and say what came of it."""
        match request:
            case SetUp():
                return self._set_up(request)
            case SetStates():
                self._set_states(request)
            case AskStatus():
                return self._status()
            case FlushTruth():
                if self._truth is not None:
                    self._truth.flush()
            case Redirect():
                for line in self._tcp.values():
                    line.redirect(request.broker)
        return Done()

    def _set_up(self, request: SetUp) -> Ports:
        if request.truth is not None:
            names = [(spec.site, spec.end) for spec in request.lines]
            self._truth = TruthLog(Path(request.truth), names, segments=request.truth_segments)
            self._flush_later(0, None)
        for number, spec in enumerate(request.lines):
            self._udp[spec.site, spec.end] = UdpLine(
                self._reactor,
                number,
                spec.reflector,
                f"{request.seed}/{spec.site}/{spec.end}",
                truth=self._truth,
                lateness=self._lateness,
            )
            if request.broker is not None and spec.site not in self._tcp:
                self._tcp[spec.site] = TcpLine(self._reactor, request.broker)
        return Ports(
            udp=tuple(line.port for line in self._udp.values()),
            tcp={site: line.port for site, line in self._tcp.items()},
        )

    def _set_states(self, request: SetStates) -> None:
        for change in request.states:
            line = self._udp[change.site, change.end]
            line.up.state = change.up
            line.down.state = change.down
        for site, cut in request.cut.items():
            if site in self._tcp:
                self._tcp[site].cut = cut

    def _status(self) -> LinesStatus:
        usage = resource.getrusage(resource.RUSAGE_SELF)
        return LinesStatus(
            counts=tuple(
                _counts(site, end, direction, counts)
                for (site, end), line in self._udp.items()
                for direction, counts in zip(("up", "down"), line.counts, strict=True)
            ),
            late_us=self._lateness.quantiles_us(),
            cpu_s=usage.ru_utime + usage.ru_stime,
            waiting=self._reactor.waiting,
        )

    def _flush_later(self, _due_ns: int, _nothing: None) -> None:
        assert self._truth is not None
        self._truth.flush()
        self._reactor.at(_due_ns + _FLUSH_NS if _due_ns else _now_ns() + _FLUSH_NS, self._flush_later)

    def close(self) -> None:
        """Close every line and the log."""
        for udp in self._udp.values():
            udp.close()
        for tcp in self._tcp.values():
            tcp.close()
        if self._truth is not None:
            self._truth.close()


def _now_ns() -> int:
    import time  # noqa: PLC0415 - the only use

    return time.monotonic_ns()


def _counts(site: str, end: str, direction: str, counts: Counts) -> LineCounts:
    return LineCounts(
        site=site,
        end=end,
        direction=direction,
        arrived=counts.arrived,
        delivered=counts.delivered,
        lost=counts.lost,
        unsent=counts.unsent,
    )


class Channel:
    """The child's end of the socket pair: requests in, one reply each out, in order."""

    def __init__(self, sock: socket.socket, lines: Lines, reactor: Reactor) -> None:
        self._sock = sock
        self._lines = lines
        self._reactor = reactor
        self._partial = b""

    def ready(self, _events: int) -> None:
        """Read what came; the end of the channel ends the process."""
        data = self._sock.recv(_CHUNK)
        if not data:
            self._reactor.stop()
            return
        *whole, self._partial = (self._partial + data).split(b"\n")
        for line in whole:
            reply = self._lines.handle(request_decoder.decode(line))
            self._sock.sendall(encoder.encode(reply) + b"\n")


def main() -> None:
    """Run until the channel closes or SIGTERM comes."""
    sock = socket.socket(fileno=int(sys.argv[1]))
    take_precedence()
    gc.disable()  # the hot path makes no cycles; a collection would hold packets back by milliseconds
    reactor = Reactor()
    lines = Lines(reactor)
    signal.signal(signal.SIGTERM, lambda _number, _frame: reactor.stop())
    reactor.watch(sock.fileno(), READ, Channel(sock, lines, reactor).ready)
    try:
        reactor.run()
    finally:
        lines.close()
        reactor.close()


if __name__ == "__main__":
    main()
