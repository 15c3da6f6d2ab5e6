"""The process of a link: `python -m lab.tun.process FD`; it ends, and takes its namespaces away, when its owner does."""

from __future__ import annotations

import gc
import signal
import socket
import sys
import time
from contextlib import ExitStack
from pathlib import Path

from lab.errors import LabError
from lab.line.precedence import take_precedence
from lab.line.reactor import READ, Reactor
from lab.tun.addresses import HUB, OFFICE, PREFIX4, PREFIX6
from lab.tun.channel import Channel
from lab.tun.end import TunEnd
from lab.tun.line import TunLine
from lab.tun.log import TunLog
from lab.tun.namespaces import remove
from lab.tun.wire import (
    AskCounts,
    Counts,
    Done,
    Refused,
    Reply,
    Request,
    SetUp,
    SetWays,
)


class Link:
    """What the process holds; answers its owner."""

    def __init__(self, reactor: Reactor) -> None:
        self._reactor = reactor
        self._held = ExitStack()
        self._line: TunLine | None = None

    def handle(self, request: Request) -> Reply:
        """Do what is asked."""
        if isinstance(request, SetUp):
            try:
                self._set_up(request)
            except (OSError, LabError) as error:
                return Refused(f"the link cannot be made: {error}")
            return Done()
        if self._line is None:
            return Refused("the link has not been set up")
        if isinstance(request, SetWays):
            self._line.set(request.up, request.down)
            return Done()
        assert isinstance(request, AskCounts)
        up, down = self._line.counts()
        return Counts(up, down, time.process_time())

    def _set_up(self, wanted: SetUp) -> None:
        self._held.callback(remove, (wanted.office, wanted.hub))
        ends = []
        for namespace, host in ((wanted.office, OFFICE), (wanted.hub, HUB)):
            end = TunEnd(namespace, [f"{host.ipv4}/{PREFIX4}", f"{host.ipv6}/{PREFIX6}"])
            self._held.callback(end.close)
            ends.append(end)
        log = TunLog(Path(wanted.truth))
        self._held.callback(log.close)
        self._line = TunLine(self._reactor, ends[0], ends[1], wanted.seed, log)

    def close(self) -> None:
        """Take devices and namespaces away, and finish the log."""
        self._held.close()


def main() -> None:
    """Run until the channel closes or SIGTERM comes."""
    sock = socket.socket(fileno=int(sys.argv[1]))
    take_precedence()
    gc.disable()  # the hot path makes no cycles; a collection would hold packets back
    reactor = Reactor()
    link = Link(reactor)
    signal.signal(signal.SIGTERM, lambda _number, _frame: reactor.stop())
    reactor.watch(sock.fileno(), READ, Channel(sock, link.handle, reactor.stop).ready)
    try:
        reactor.run()
    finally:
        link.close()
        reactor.close()


if __name__ == "__main__":
    main()
