"""The rehearsing process as its owner sees it: started when somebody rehearses, ended when nobody does any more."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING, Final

import msgspec

from probes.child_process import linked_child
from probes.kernel.system import HAS_PAIRS
from probes.rehearsing.call_messages import Begin, Halt, Said
from telemetry.rehearsal_reasons import WhyNot
from telemetry.rehearsing import OfficeProgress, OfficeState

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from probes.rehearsing.call_messages import ToChild

GOODBYE_S: Final = 2.0
_RECEIVE: Final = 1 << 16
_log = logging.getLogger(__name__)


class CallChild:
    """Shared by all offices of an agent."""

    def __init__(self) -> None:
        self._told: dict[str, Callable[[Said], None]] = {}
        self._link: socket.socket | None = None
        self._hearing: asyncio.Task[None] | None = None
        self._starting = asyncio.Lock()

    async def begin(self, begin: Begin, told: Callable[[Said], None]) -> None:
        """Have an office rehearse; `told` hears all it says, the last of it with an item.

        Raises:
            OSError: the process cannot be started.
        """
        self._told[begin.office] = told
        try:
            async with self._starting:
                if self._link is None:
                    await self._start()
            await self._send(begin)
        except BaseException:
            self._told.pop(begin.office, None)
            raise

    async def halt(self, office: str, why: str) -> None:
        """Break an office's off."""
        await self._send(Halt(office=office, why=why))

    async def close(self) -> None:
        """End the process."""
        if self._hearing is not None:
            self._hearing.cancel()
            await asyncio.gather(self._hearing, return_exceptions=True)

    async def _send(self, message: ToChild) -> None:
        if self._link is not None:
            with contextlib.suppress(ConnectionError):
                await asyncio.get_running_loop().sock_sendall(self._link, msgspec.json.encode(message))

    async def _start(self) -> None:
        if not HAS_PAIRS:
            raise OSError("rehearsals are measured on Linux only")
        process, self._link = await linked_child("probes.rehearsing.call_process")
        self._hearing = asyncio.create_task(self._hear(self._link, process), name="rehearsing process")

    async def _hear(self, link: socket.socket, process: asyncio.subprocess.Process) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._told:
                try:
                    data = await loop.sock_recv(link, _RECEIVE)
                except ConnectionError:
                    data = b""
                if not data:
                    break
                self._pass_on(msgspec.json.decode(data, type=Said))
        finally:
            self._link = None
            link.close()
            self._mourn()
            await _see_off(process)

    def _pass_on(self, said: Said) -> None:
        told = self._told.get(said.office)
        if said.item is not None:
            self._told.pop(said.office, None)
        if told is not None:
            told(said)

    def _mourn(self) -> None:
        """The process is gone: so is what went on in it."""
        for office, told in list(self._told.items()):
            progress = OfficeProgress(
                site="x", probe="x", state=OfficeState.ABORTED, why=WhyNot.PROCESS, step=2**20
            )
            told(Said(office=office, progress=progress))
        self._told.clear()


async def _see_off(process: asyncio.subprocess.Process) -> None:
    """Without an owner it ends by itself."""
    try:
        async with asyncio.timeout(GOODBYE_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
