"""A broker as a child process: started, known to answer, started again when it dies or hangs, stopped at the end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, BinaryIO, Final

import psutil

from collector.backoff import Backoff
from collector.broker import leash, open_files
from collector.broker.knock import Answered, NoBroker, TurnedAway, knock

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

log = logging.getLogger(__name__)

START_S: Final = 10.0
CHECK_S: Final = 5.0
MISSED_CHECKS: Final = 3
STOP_S: Final = 5.0
KNOCK_S: Final = 3.0
_STEADY_S: Final = 60.0


class BrokerError(RuntimeError):
    """The broker cannot be brought up; the text says why and where its log is."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to start a broker on an address, and how to knock at it."""

    name: str
    command: tuple[str, ...]
    host: str
    port: int
    log_file: Path
    pid_file: Path
    user: str = ""
    password: str = field(default="", repr=False)


class Child:
    """One broker process at a time, always on the same port."""

    def __init__(self, recipe: Recipe) -> None:
        self._recipe = recipe
        self._process: asyncio.subprocess.Process | None = None
        self.restarts = 0

    @property
    def pid(self) -> int | None:
        """Process id of the running broker."""
        return self._process.pid if self._process else None

    async def start(self) -> None:
        """Start the broker and wait until it answers.

        Raises:
            BrokerError: it exits, or does not answer in time.
        """
        await asyncio.to_thread(end_stale, self._recipe)
        with await asyncio.to_thread(_open_log, self._recipe.log_file) as output:
            self._process = await asyncio.create_subprocess_exec(
                *_leashed(self._recipe.command),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,  # Ctrl-C is for us; we stop it after its clients are gone
            )
        self._recipe.pid_file.write_text(f"{self._process.pid}\n")
        await self._until_answering()

    async def watch(self) -> None:
        """Start it again whenever it has died or hangs, until cancelled."""
        backoff = Backoff(0.2, 15.0)
        while True:
            began = asyncio.get_running_loop().time()
            reason = await self._until_gone()
            if asyncio.get_running_loop().time() - began > _STEADY_S:
                backoff.reset()
            extra = {"event": "broker-process.gone", "broker": self._recipe.name, "reason": reason}
            log.error("%s %s; starting it again", self._recipe.name, reason, extra=extra)
            await self._start_again(backoff)

    def reload(self) -> None:
        """Have it read its passwords, access list and certificates again (SIGHUP); no connection is dropped for it."""
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGHUP)

    def knock_as(self, user: str, password: str) -> None:
        """From now on its health is asked after by this user."""
        self._recipe = replace(self._recipe, user=user, password=password)

    async def stop(self) -> None:
        """End the broker: asked first, then made to."""
        process = self._process
        if process is not None and process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            try:
                async with asyncio.timeout(STOP_S):
                    await process.wait()
            except TimeoutError:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        self._recipe.pid_file.unlink(missing_ok=True)

    async def _start_again(self, backoff: Backoff) -> None:
        while True:
            await self.stop()
            await asyncio.sleep(backoff.next_s())
            self.restarts += 1
            try:
                await self.start()
            except BrokerError as error:
                extra = {"event": "broker-process.failed", "broker": self._recipe.name}
                log.error("%s", error, extra=extra)  # noqa: TRY400 - one line says it; a traceback nothing more
            else:
                extra = {"event": "broker-process.recovered", "broker": self._recipe.name}
                log.warning("%s answers again on port %d", self._recipe.name, self._recipe.port, extra=extra)
                return

    async def _until_answering(self) -> None:
        recipe = self._recipe
        end = asyncio.get_running_loop().time() + START_S
        why = "not asked yet"
        while asyncio.get_running_loop().time() < end:
            found = await knock(recipe.host, recipe.port, recipe.user, recipe.password, 1.0)
            if self._process is None or self._process.returncode is not None:
                raise BrokerError(f"{recipe.name} ended at once; its log: {recipe.log_file}{_tail(recipe)}")
            if isinstance(found, Answered):
                return
            if isinstance(found, TurnedAway):
                raise BrokerError(f"{recipe.name} refuses its own user with reason 0x{found.reason:02x}")
            why = found.why
            await asyncio.sleep(0.03)
        raise BrokerError(f"{recipe.name}: {why}; its log: {recipe.log_file}{_tail(recipe)}")

    async def _until_gone(self) -> str:
        """Why it must be started again."""
        process, missed = self._process, 0
        if process is None:
            return "was never started"
        while missed < MISSED_CHECKS:
            try:
                async with asyncio.timeout(CHECK_S):
                    code = await process.wait()
            except TimeoutError:
                recipe = self._recipe
                answer = await knock(recipe.host, recipe.port, recipe.user, recipe.password, KNOCK_S)
                missed = missed + 1 if isinstance(answer, NoBroker) else 0
            else:
                return f"ended with {_exit_text(code)}"
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        return f"did not answer {missed} times in a row"


def end_stale(recipe: Recipe) -> None:
    """End a broker that an earlier run of ours left behind, recognised by its pid file *and* its command line."""
    try:
        pid = int(recipe.pid_file.read_text())
        process = psutil.Process(pid)
        ours = process.cmdline()[-len(recipe.command) :][1:] == list(recipe.command[1:])
    except (OSError, ValueError, psutil.Error):
        return
    if not ours or pid == os.getpid():
        return
    log.warning(
        "ending %s (pid %d) left behind by an earlier run",
        recipe.name,
        pid,
        extra={"event": "broker.left-behind", "pid": pid},
    )
    with contextlib.suppress(psutil.Error):
        process.terminate()
        try:
            process.wait(STOP_S)
        except psutil.TimeoutExpired:
            process.kill()


def _leashed(command: Sequence[str]) -> list[str]:
    files = str(open_files.granted())
    return [sys.executable, "-I", "-S", leash.__file__, str(os.getpid()), files, *command]


def _open_log(path: Path, keep_bytes: int = 10_000_000) -> BinaryIO:
    """Append to the log; a long one is set aside once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > keep_bytes:
        path.replace(path.with_suffix(path.suffix + ".1"))
    return path.open("ab")


def _tail(recipe: Recipe) -> str:
    try:
        lines = recipe.log_file.read_text(errors="replace").splitlines()
    except OSError:
        return ""
    return f" ({lines[-1]})" if lines else ""


def _exit_text(code: int) -> str:
    if code >= 0:
        return f"status {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"
