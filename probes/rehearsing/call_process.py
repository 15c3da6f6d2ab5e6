"""`python -m probes.rehearsing.call_process FD`: the office's end, in a process of its own beside the measuring one.

It lives for as long as somebody rehearses. When its owner goes, every load ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import sys
from typing import TYPE_CHECKING, Final

import msgspec

from probes.rehearsing.call import Call
from probes.rehearsing.call_messages import Begin, Halt, Said, ToChild
from probes.rehearsing.flow import connected
from telemetry.messages import Rehearsal
from telemetry.rehearsal_reasons import WhyNot
from telemetry.rehearsing import OfficeProgress, OfficeState

if TYPE_CHECKING:
    from collections.abc import Callable

TICK_S: Final = 0.004
LONGEST: Final = 1 << 16


class Calls:
    """The rehearsals that go on in this process."""

    def __init__(self, say: Callable[[Said], None]) -> None:
        self._say = say
        self._calls: dict[str, Call] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._halted: dict[str, str] = {}

    def hear(self, message: ToChild) -> None:
        """Do what the agent says."""
        if isinstance(message, Halt):
            self._halted[message.office] = message.why
            if message.office in self._calls:
                self._calls[message.office].stop(message.why)
            return
        self._halted.pop(message.office, None)
        task = asyncio.create_task(self._run(message), name=f"{message.office} rehearsal")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def tick(self) -> None:
        """Let every call send and receive, for ever."""
        while True:
            for call in list(self._calls.values()):
                call.tick()
            await asyncio.sleep(TICK_S)

    async def _run(self, begin: Begin) -> None:
        office = begin.office
        try:
            sock = await asyncio.to_thread(connected, begin.host, begin.port)
        except OSError as error:
            self._say(_failed(begin, f"{WhyNot.NO_WAY} {error.strerror or error}"[:200]))
            return
        call = self._calls[office] = Call(
            begin.order,
            sock,
            (begin.ssid, begin.key),
            lambda progress: self._say(Said(office=office, progress=progress)),
            begin.start_mono_ns,
        )
        if office in self._halted:
            call.stop(self._halted[office])
        try:
            outcome = await call.run()
        finally:
            del self._calls[office]
        self._say(Said(office=office, progress=outcome.progress, item=outcome.item, octets=outcome.octets))


def _failed(begin: Begin, why: str) -> Said:
    progress = OfficeProgress(site="x", probe="x", state=OfficeState.ABORTED, why=why, step=1)
    item = Rehearsal(path=begin.order.path, rehearsal_id=begin.order.id, aborted=why)
    return Said(office=begin.office, progress=progress, item=item)


async def _serve(link: socket.socket) -> None:
    loop = asyncio.get_running_loop()

    def say(said: Said) -> None:
        with contextlib.suppress(OSError):  # the owner is gone, or deaf: it will notice by itself
            link.send(msgspec.json.encode(said))

    calls = Calls(say)
    ticking = asyncio.create_task(calls.tick(), name="tick")
    try:
        while data := await loop.sock_recv(link, LONGEST):
            calls.hear(msgspec.json.decode(data, type=ToChild))
    except ConnectionError:
        pass
    finally:
        ticking.cancel()


def main() -> None:
    """Serve until the owner closes the link, or SIGTERM."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C at the terminal is the owner's to handle
    with socket.socket(fileno=int(sys.argv[1])) as link:
        link.setblocking(False)
        asyncio.run(_serve(link))


if __name__ == "__main__":
    main()
