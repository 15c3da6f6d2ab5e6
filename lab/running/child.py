"""A child process of the lab, tied to its owner by a socket pair: when one end dies, the other knows."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from typing import TYPE_CHECKING

from lab.errors import LabError

if TYPE_CHECKING:
    from pathlib import Path


class Child:
    """`python -m MODULE FD`, with line-wise messages over the socket pair that FD is one end of."""

    def __init__(self, name: str, module: str, log: Path, *, patience_s: float = 5.0) -> None:
        """Prepare a child.

        Args:
            name: for messages.
            module: what it runs.
            log: where its own words go.
            patience_s: how long it may take to end in order.
        """
        self.name = name
        self._patience_s = patience_s
        self._module = module
        self._log = log
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._turn = asyncio.Lock()
        self._exchanges: set[asyncio.Task[bytes]] = set()

    async def start(self) -> None:
        """Start the process; its own words go to the log file."""
        ours, theirs = socket.socketpair()
        self._log.parent.mkdir(parents=True, exist_ok=True)
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
        with theirs, self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                self._module,
                str(theirs.fileno()),
                pass_fds=(theirs.fileno(),),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment,
                start_new_session=True,  # the terminal's Ctrl-C is the owner's; and the scheduler shares by session
            )
        self._reader, self._writer = await asyncio.open_connection(sock=ours, limit=1 << 24)

    async def ask(self, request: bytes) -> bytes:
        """Send one line and await its one answer; when the caller is cancelled, the answer is still taken in.

        Raises:
            LabError: the process has ended.
        """
        exchange = asyncio.create_task(self._exchange(request), name=f"lab {self.name}: exchange")
        self._exchanges.add(exchange)
        exchange.add_done_callback(self._settled)
        return await asyncio.shield(exchange)

    def _settled(self, exchange: asyncio.Task[bytes]) -> None:
        """Forget it; what it failed of after its caller was cancelled is nobody's any more."""
        self._exchanges.discard(exchange)
        if not exchange.cancelled():
            exchange.exception()

    async def _exchange(self, request: bytes) -> bytes:
        async with self._turn:
            if self._reader is None or self._writer is None:
                raise LabError(f"the lab's {self.name} process is not running")
            try:
                self._writer.write(request + b"\n")
                await self._writer.drain()
                answer = await self._reader.readline()
            except ConnectionError:
                answer = b""
        if not answer.endswith(b"\n"):
            raise LabError(f"the lab's {self.name} process has ended; see {self._log}")
        return answer

    async def wait(self) -> None:
        """Return when the process has ended.

        Raises:
            LabError: it has not been started.
        """
        if self._process is None:
            raise LabError(f"the lab's {self.name} process has not been started")
        await self._process.wait()

    @property
    def pid(self) -> int | None:
        """Its process id while it runs."""
        return self._process.pid if self._process is not None and self._process.returncode is None else None

    async def stop(self) -> None:
        """End it: by closing the channel, then by force."""
        if self._writer is not None:
            self._writer.close()
            self._writer = self._reader = None
        if self._process is None or self._process.returncode is not None:
            return
        try:
            async with asyncio.timeout(self._patience_s):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
