"""A web server for machines that look at us: GET and HEAD of a few addresses, nothing else.

It lives on the collector's event loop, so it is bounded in everything: a request's head in bytes, a whole
conversation in seconds, conversations in number. One that comes when all are taken ends the oldest: slow callers
neither hold the collector nor lock a scraper out. Every answer closes its connection.
"""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

CONVERSATIONS: Final = 16
CONVERSATION_S: Final = 5.0
HEAD_BYTES: Final = 8 * 1024
_REQUEST: Final = re.compile(rb"([A-Za-z]{1,16}) (/[\x21-\x7e]*) HTTP/1\.[01]\r\n")


@dataclass(frozen=True, slots=True)
class Answer:
    """What is said back."""

    status: HTTPStatus
    body: bytes
    kind: str = "text/plain; charset=utf-8"
    allow: str = ""


def plain(status: HTTPStatus, text: str, allow: str = "") -> Answer:
    """An answer of one line."""
    return Answer(status, f"{text}\n".encode(), allow=allow)


class Server:
    """Answers on one address until closed."""

    def __init__(self, pages: Mapping[str, Callable[[], Awaitable[Answer]]]) -> None:
        """Take the pages by path, as `/metrics`."""
        self._pages = dict(pages)
        self._server: asyncio.Server | None = None
        self._open: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self.cut = 0
        """Conversations ended because a new one needed their place."""

    async def start(self, host: str, port: int) -> tuple[str, int]:
        """Listen; the address that was bound.

        Raises:
            OSError: the address is taken, or not ours.
        """
        self._server = await asyncio.start_server(self._meet, host, port, limit=HEAD_BYTES, backlog=64)
        bound = self._server.sockets[0].getsockname()
        return str(bound[0]), int(bound[1])

    async def close(self) -> None:
        """Stop listening and end every conversation."""
        if self._server is not None:
            self._server.close()
        talking = list(self._open)
        for task in talking:
            task.cancel()
        await asyncio.gather(*talking, return_exceptions=True)

    def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._open) >= CONVERSATIONS:
            oldest = next(iter(self._open))
            self._open.pop(oldest).transport.abort()
            oldest.cancel()
            self.cut += 1
        task = asyncio.create_task(self._converse(reader, writer), name="observation.request")
        self._open[task] = writer
        task.add_done_callback(self._part)

    def _part(self, task: asyncio.Task[None]) -> None:
        writer = self._open.pop(task, None)
        if writer is not None:
            writer.transport.abort()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(TimeoutError, asyncio.IncompleteReadError, asyncio.CancelledError, OSError):
            async with asyncio.timeout(CONVERSATION_S):
                answer, with_body = await self._answer(reader)
                writer.write(_framed(answer, with_body=with_body))
                writer.close()
                await writer.wait_closed()

    async def _answer(self, reader: asyncio.StreamReader) -> tuple[Answer, bool]:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.LimitOverrunError:
            return plain(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "the request is too long"), True
        request = _REQUEST.match(head)
        if request is None:
            return plain(HTTPStatus.BAD_REQUEST, "not a request of HTTP/1.1"), True
        method, target = request[1].decode(), request[2].decode()
        if method not in ("GET", "HEAD"):
            text = f"{method} is not taken here; only GET and HEAD"
            return plain(HTTPStatus.METHOD_NOT_ALLOWED, text, allow="GET, HEAD"), True
        page = self._pages.get(target.partition("?")[0])
        if page is None:
            there = ", ".join(self._pages)
            return plain(HTTPStatus.NOT_FOUND, f"there are only {there}"), method == "GET"
        return await page(), method == "GET"


def _framed(answer: Answer, *, with_body: bool) -> bytes:
    head = [
        f"HTTP/1.1 {answer.status.value} {answer.status.phrase}",
        f"Content-Type: {answer.kind}",
        f"Content-Length: {len(answer.body)}",
        "Cache-Control: no-store",
        "X-Content-Type-Options: nosniff",
        "Connection: close",
        *([f"Allow: {answer.allow}"] if answer.allow else []),
    ]
    text = "\r\n".join(head).encode() + b"\r\n\r\n"
    return text + answer.body if with_body else text
