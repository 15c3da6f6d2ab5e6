"""Processes under trial: started through the nursery or as programs, their output read, killed, and known to be gone."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from bench._faults.nursery import MAX_REQUEST

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

HOUSE: Final = Path(__file__).parents[2]
STARTING_S: Final = 60.0
ENDING_S: Final = 20.0


class Running:
    """A process that was started, and when it is over its status (negative: the signal)."""

    def __init__(self, name: str, pid: int) -> None:
        self.name = name
        self.pid = pid
        self.over: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    @property
    def alive(self) -> bool:
        """Whether it has not ended yet."""
        return not self.over.done()

    def send(self, number: signal.Signals) -> None:
        """Send a signal, if it is there to take it."""
        if self.alive:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    async def kill(self) -> None:
        """Kill -9, and wait until it is gone."""
        self.send(signal.SIGKILL)
        await self.over

    async def end(self) -> int:
        """Ask it to end; its status. Killed when it does not."""
        self.send(signal.SIGTERM)
        try:
            async with asyncio.timeout(ENDING_S):
                return await asyncio.shield(self.over)
        except TimeoutError:
            await self.kill()
            return -int(signal.SIGKILL)


class Output:
    """The reading end of a process's output: each line is handed on and appended to its log."""

    def __init__(self, log: Path, on_line: Callable[[str], None] | None = None) -> None:
        self._reading, self.writing = os.pipe()
        os.set_blocking(self._reading, False)
        self._log = log.open("ab")
        self._on_line = on_line
        self._rest = b""
        self._loop = asyncio.get_running_loop()
        self.ended: asyncio.Future[None] = self._loop.create_future()
        self._loop.add_reader(self._reading, self._read)

    def given(self) -> None:
        """The process has its copy of the writing end: ours is not needed any more."""
        os.close(self.writing)

    def _read(self) -> None:
        data = os.read(self._reading, 65_536)
        if not data:
            self._loop.remove_reader(self._reading)
            os.close(self._reading)
            self._log.close()
            self.ended.set_result(None)
            return
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            text = line.decode("utf-8", "replace")
            if self._on_line is None or not self._on_line(text):
                self._log.write(line + b"\n")
        self._log.flush()


class Nursery:
    """The harness's end of a nursery; `faked` ones run under libfaketime."""

    def __init__(self, env: Mapping[str, str], modules: Sequence[str]) -> None:
        self._env = dict(env)
        self._modules = tuple(modules)
        self._socket: socket.socket | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._asked: deque[tuple[str, asyncio.Future[Running]]] = deque()
        self._running: dict[int, Running] = {}
        self._ready: asyncio.Future[None] | None = None

    async def start(self) -> None:
        """Start it and wait until everything is imported.

        Raises:
            RuntimeError: it did not start.
        """
        loop = asyncio.get_running_loop()
        self._ready = loop.create_future()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bench._faults.nursery", str(theirs.fileno()), *self._modules),
            pass_fds=(theirs.fileno(),),
            cwd=HOUSE,
            env=os.environ | self._env,
        )
        theirs.close()
        ours.setblocking(False)
        self._socket = ours
        loop.add_reader(ours, self._told)
        async with asyncio.timeout(STARTING_S):
            await self._ready

    async def spawn(
        self,
        argv: Sequence[str],
        log: Path,
        *,
        env: Mapping[str, str] | None = None,
        on_line: Callable[[str], Any] | None = None,
    ) -> Running:
        """`python -m ARGV`, in a fork of the nursery."""
        assert self._socket is not None
        output = Output(log, on_line)
        started: asyncio.Future[Running] = asyncio.get_running_loop().create_future()
        self._asked.append((argv[0], started))
        request = json.dumps({"argv": list(argv), "env": dict(env or {})}).encode()
        assert len(request) < MAX_REQUEST
        socket.send_fds(self._socket, [request], [output.writing])
        output.given()
        return await started

    async def close(self) -> None:
        """End it, and with it every child."""
        if self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket)
            self._socket.close()
        if self._process is not None:
            await self._process.wait()

    def _told(self) -> None:
        assert self._socket is not None
        data = self._socket.recv(MAX_REQUEST)
        if not data:
            asyncio.get_running_loop().remove_reader(self._socket)
            self._fail("the nursery ended")
            return
        said = json.loads(data)
        if "ready" in said:
            assert self._ready is not None
            self._ready.set_result(None)
        elif "status" in said:
            self._running.pop(said["pid"]).over.set_result(said["status"])
        else:
            name, started = self._asked.popleft()
            running = Running(name, said["pid"])
            self._running[running.pid] = running
            started.set_result(running)

    def _fail(self, why: str) -> None:
        for _, started in self._asked:
            started.set_exception(RuntimeError(why))
        self._asked.clear()
        if self._ready is not None and not self._ready.done():
            self._ready.set_exception(RuntimeError(why))


async def start_program(argv: Sequence[str], log: Path) -> Running:
    """Start a program that is not ours."""
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(*argv, stdout=output, stderr=output)
    running = Running(Path(argv[0]).name, process.pid)
    running.waiting = asyncio.create_task(_wait(process, running), name=f"{running.name} {running.pid}")  # type: ignore[attr-defined]
    return running


async def _wait(process: asyncio.subprocess.Process, running: Running) -> None:
    status = await process.wait()
    if not running.over.done():
        running.over.set_result(status)
