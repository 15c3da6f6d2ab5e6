"""Open walls that only listen: many streams in one process, each noting when an event came."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

_LIMIT: Final = 64 << 20


@dataclass(slots=True)
class Heard:
    """What all walls heard of one office's report: when (ns) each of them first did."""

    site: str
    walls: int
    """How many there are."""
    at_ns: list[int] = field(default_factory=list)
    by_all: asyncio.Event = field(default_factory=asyncio.Event)

    def note(self) -> None:
        """One more wall has heard it."""
        self.at_ns.append(time.monotonic_ns())
        if len(self.at_ns) >= self.walls:
            self.by_all.set()


class Walls:
    """Streams of `/api/stream`, each behind a snapshot, as a page opens them."""

    def __init__(self, host: str, port: int) -> None:
        self._place = host, port
        self._tasks: list[asyncio.Task[None]] = []
        self.heard: Heard | None = None
        self.bytes = 0
        self.wholes = 0

    async def open(self, count: int, progress: Callable[[str], None]) -> None:
        """Open so many, and wait until each has its stream."""
        ready = [asyncio.Event() for _ in range(count)]
        self._tasks = [asyncio.create_task(self._listen(each), name="wall") for each in ready]
        for n, each in enumerate(ready, 1):
            await each.wait()
            if n % 50 == 0:
                progress(f"{n} walls open")

    async def close(self) -> None:
        """Close them all."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def snapshot(self) -> tuple[int, float]:
        """Bytes (packed) and seconds of one whole picture."""
        began = time.perf_counter()
        reader, writer = await self._ask("/api/snapshot", "accept-encoding: gzip\r\nconnection: close\r\n")
        body = await reader.read(-1)
        writer.close()
        return len(body), time.perf_counter() - began

    async def _ask(self, place: str, more: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        host, port = self._place
        reader, writer = await asyncio.open_connection(host, port, limit=_LIMIT)
        writer.write(f"GET {place} HTTP/1.1\r\nhost: {host}:{port}\r\n{more}\r\n".encode())
        await writer.drain()
        return reader, writer

    async def _listen(self, ready: asyncio.Event) -> None:
        await self.snapshot()
        reader, writer = await self._ask("/api/stream", "")
        await reader.readuntil(b"\r\n\r\n")
        ready.set()
        mine: Heard | None = None
        try:
            while line := await reader.readline():
                self.bytes += len(line)
                self.wholes += line.startswith(b"event: snapshot")
                asked = self.heard
                if (
                    line.startswith(b"data: ")
                    and asked is not None
                    and asked is not mine
                    and _tells(line, asked.site)
                ):
                    mine = asked
                    asked.note()
        finally:
            writer.close()


def _tells(line: bytes, site: str) -> bool:
    """Whether an event has a change of the office's tile."""
    if f'"{site}"'.encode() not in line:
        return False
    try:
        told = json.loads(line[6:])
    except ValueError:
        return False
    return site in (told.get("tiles") or told.get("picture", {}).get("tiles") or {})
