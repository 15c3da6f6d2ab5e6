"""The measuring process as its owner sees it: started, told, listened to, seen off."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Final

from probes.child_process import command, linked_child
from probes.kernel.system import HAS_PAIRS, Meeting

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterable
    from typing import Self

    from probes.kernel.plain_process import PlainProcess

SILENCE_S: Final = 10.0
"""One that says nothing for so long is killed; it speaks four times a second."""
GOODBYE_S: Final = 2.0
_RECEIVE: Final = 1 << 17


class MeasuringChild:
    """One measuring process and the socket pair to it. Make it with `start`."""

    def __init__(self, process: asyncio.subprocess.Process | PlainProcess, link: socket.socket) -> None:
        self._process = process
        self._link = link
        self._room = bytearray(
            _RECEIVE
        )  # one for all: a fresh one for each message would leave the heap full of holes
        self._silent = False

    @classmethod
    async def start(cls) -> Self:
        """Start the process.

        Raises:
            OSError: it cannot be started.
        """
        if not HAS_PAIRS:
            return await cls._start_and_meet()
        return cls(*await linked_child("probes.measuring.measuring_process"))

    @classmethod
    async def _start_and_meet(cls) -> Self:
        """The same where a child inherits no socket."""
        from probes.kernel.plain_process import PlainProcess  # noqa: PLC0415 - not on Linux

        meeting = Meeting()
        process = None
        try:
            process = PlainProcess(command("probes.measuring.measuring_process", meeting.name))
            return cls(process, await asyncio.to_thread(meeting.child))
        except BaseException:
            meeting.close()
            if process is not None:
                process.kill()
                await process.wait()
            raise

    @property
    def process_id(self) -> int:
        """The process."""
        return self._process.pid

    async def send(self, messages: Iterable[bytes]) -> None:
        """Tell it something; nothing happens when it is gone, which `receive` will notice."""
        loop = asyncio.get_running_loop()
        with contextlib.suppress(ConnectionError):
            for message in messages:
                await loop.sock_sendall(self._link, message)

    async def receive(self) -> bytes:
        """The next message; empty when the process has ended, or went silent and was killed."""
        try:
            async with asyncio.timeout(SILENCE_S):
                octets = await asyncio.get_running_loop().sock_recv_into(self._link, self._room)
        except TimeoutError:
            return self._last_chance()
        except ConnectionError:
            return b""
        return bytes(memoryview(self._room)[:octets])

    def _last_chance(self) -> bytes:
        """After a silence: perhaps it was we who did not listen."""
        try:
            return self._link.recv(_RECEIVE)
        except BlockingIOError:
            self._silent = True
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            return b""
        except ConnectionError:
            return b""

    async def end(self) -> str:
        """See it off; says how it ended."""
        self._link.close()  # without an owner it ends by itself
        try:
            async with asyncio.timeout(GOODBYE_S):
                status = await self._process.wait()
        except TimeoutError:
            self._process.kill()
            status = await self._process.wait()
        if self._silent:
            return f"said nothing for {SILENCE_S:.0f} s and was killed"
        return f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"
