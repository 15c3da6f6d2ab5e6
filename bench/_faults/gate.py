"""A gate before the database: passes requests on, and answers writes as a database in trouble does.

Understands as much of HTTP/1.1 as clients of InfluxDB speak: a request with Content-Length or in chunks, one after another.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bench._faults.schedule import Answer

if TYPE_CHECKING:
    from collections.abc import Mapping

WRITES: Final = (b"/api/v2/write", b"/write")
SLOW_S: Final = 0.4
BUSY: Final = (429, b'{"code":"too many requests","message":"try again"}', b"Retry-After: 1\r\n")
BROKEN: Final = (500, b'{"code":"internal error","message":"broken for the trial"}', b"")
HALF: Final = (400, b'{"error":"partial write: unable to parse some of the points dropped=1"}', b"")


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it came."""

    line: bytes
    headers: Mapping[bytes, bytes]
    body: bytes

    @property
    def writes(self) -> bool:
        """Whether it writes points."""
        return self.line.split(b" ")[1].partition(b"?")[0] in WRITES

    def bytes(self, body: bytes) -> bytes:
        """As it is passed on, with a body; the connection is for this one only."""
        left = (b"content-length", b"transfer-encoding", b"connection")
        lines = [b"%b: %b" % pair for pair in self.headers.items() if pair[0] not in left]
        return b"\r\n".join(
            [self.line, *lines, b"content-length: %d" % len(body), b"connection: close", b"", body]
        )


class Gate:
    """Listens on a free port before an address."""

    def __init__(self, port: int) -> None:
        self._behind = port
        self.trouble: Answer | None = None
        self.port = 0
        self._server: asyncio.Server | None = None
        self._talks: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._talk, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Stop listening and end every conversation."""
        if self._server is not None:
            self._server.close()
        for talk in list(self._talks):
            talk.cancel()
        await asyncio.gather(*self._talks, return_exceptions=True)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._talks.add(task)
        try:
            with contextlib.suppress(OSError, EOFError, asyncio.LimitOverrunError):
                while True:
                    request = await _read(reader)
                    answer = await self._answer(request)
                    writer.write(answer)
                    await writer.drain()
        finally:
            self._talks.discard(task)
            writer.transport.abort()

    async def _answer(self, request: Request) -> bytes:
        trouble = self.trouble if request.writes else None
        lines = request.body.splitlines(keepends=True)
        half = b"".join(lines[: len(lines) // 2])
        match trouble:
            case Answer.BUSY:
                return _said(*BUSY)
            case Answer.BROKEN:
                return _said(*BROKEN)
            case Answer.BROKEN_AFTER:
                await self._pass_on(request, request.body)
                return _said(*BROKEN)
            case Answer.HALF:
                await self._pass_on(request, half)
                return _said(*BROKEN)
            case Answer.HALF_REFUSED:  # once: who halves its batch finds that nothing is wrong with it
                self.trouble = None
                await self._pass_on(request, half)
                return _said(*HALF)
            case Answer.SLOW:
                await asyncio.sleep(SLOW_S)
        return await self._pass_on(request, request.body)

    async def _pass_on(self, request: Request, body: bytes) -> bytes:
        """The database's answer, as it came.

        Raises:
            OSError: it cannot be reached, or went away.
        """
        if request.writes and not body:
            return b""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._behind)
        try:
            writer.write(request.bytes(body))
            await writer.drain()
            answer = await reader.read(-1)
        finally:
            writer.transport.abort()
        if b"\r\n\r\n" not in answer:
            raise ConnectionResetError("the database went away")
        return _once(answer)


def _once(answer: bytes) -> bytes:
    """An answer that ended with its connection, for a connection that goes on."""
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    if any(line.lower().startswith(b"transfer-encoding:") for line in lines):
        body = _joined(body)
    left = (b"transfer-encoding", b"content-length", b"connection")
    kept = [line for line in lines if line.partition(b":")[0].lower() not in left]
    if lines[0].split(b" ")[1] != b"204":
        kept.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join([*kept, b"", body])


def _joined(chunks: bytes) -> bytes:
    body = b""
    while chunks:
        size, _, rest = chunks.partition(b"\r\n")
        length = int(size.partition(b";")[0], 16)
        if not length:
            break
        body += rest[:length]
        chunks = rest[length + 2 :]
    return body


def _said(status: int, body: bytes, more: bytes) -> bytes:
    head = b"HTTP/1.1 %d Trouble\r\nContent-Type: application/json\r\n%bContent-Length: %d\r\n\r\n"
    return head % (status, more, len(body)) + body


async def _read(reader: asyncio.StreamReader) -> Request:
    """One request.

    Raises:
        EOFError, OSError: the client is gone.
    """
    line, *lines = (await reader.readuntil(b"\r\n\r\n")).rstrip(b"\r\n").split(b"\r\n")
    pairs = (one.partition(b":") for one in lines)
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    if headers.get(b"transfer-encoding", b"").lower() == b"chunked":
        body = b""
        while length := int((await reader.readline()).partition(b";")[0], 16):
            body += (await reader.readexactly(length + 2))[:-2]
        await reader.readline()
    else:
        body = await reader.readexactly(int(headers.get(b"content-length", b"0")))
    return Request(line, headers, body)
