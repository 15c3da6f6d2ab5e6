"""The running fleet's control socket, `<data>/lab.sock`: one JSON line asks, one JSON line answers.

Only the owner of the socket file may speak (mode 0600). What is wrong with a request is answered, never raised.
"""

from __future__ import annotations

import asyncio
import os
import socket
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Annotated, Final, TypeVar

import msgspec
from msgspec import Meta, Struct

from lab.errors import LabError, NoFleetError, RefusedError
from lab.running.effect import Effect

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

SOCKET_NAME: Final = "lab.sock"
LONGEST_REQUEST: Final = 16_384
MOST_CLIENTS: Final = 16
_PATIENCE_S: Final = 30.0
"""A client that says nothing for so long is let go."""
_LONGEST_PATH: Final = 100
"""A socket's path in the kernel has 108 bytes; what is longer is opened through its folder's descriptor."""
_ANSWER_LIMIT: Final = 1 << 22


class Break(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="break", tag_field="verb"):
    """Lay an effect on the lines of a scope."""

    scope: Annotated[str, Meta(min_length=1, max_length=128)]
    effect: Effect
    for_s: Annotated[float, Meta(gt=0, le=30 * 86_400)] | None = None


class Heal(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="heal", tag_field="verb"):
    """Take away what was broken by hand, on a scope or everywhere."""

    scope: Annotated[str, Meta(min_length=1, max_length=128)] | None = None


class Status(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="status", tag_field="verb"):
    """Ask what is broken and how the relay does."""


class Room(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="room", tag_field="verb"):
    """Switch the rooms' devices of a scope on or off."""

    scope: Annotated[str, Meta(min_length=1, max_length=128)]
    on: bool


Request = Break | Heal | Room | Status


class ShownFault(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A fault as it is told to the operator."""

    scope: str
    effect: Effect
    since_ns: int
    until_ns: int | None = None
    name: str = ""
    """Of a rule of the script; empty for what was broken by hand."""
    strength: float = 1.0


class Refused(Struct, frozen=True, kw_only=True, tag="refused", tag_field="answer"):
    """The request is wrong: one line that says what to write instead."""

    error: str


class Broken(Struct, frozen=True, kw_only=True, tag="broken", tag_field="answer"):
    """It holds now."""

    fault: ShownFault
    offices: int


class Healed(Struct, frozen=True, kw_only=True, tag="healed", tag_field="answer"):
    """What was taken away, and what still lies on the same lines."""

    healed: tuple[ShownFault, ...]
    left: tuple[ShownFault, ...] = ()
    rooms: tuple[str, ...] = ()
    """Offices whose room's device was switched on again."""


class LabStatus(Struct, frozen=True, kw_only=True, tag="status", tag_field="answer"):
    """The running fleet."""

    offices: int
    ends: tuple[str, ...]
    by_hand: tuple[ShownFault, ...]
    scripted: tuple[ShownFault, ...]
    packets: int
    lost: int
    unsent: int
    late_us: dict[str, float]
    rooms_off: tuple[str, ...] = ()
    """The offices whose room's device is switched off."""


class Switched(Struct, frozen=True, kw_only=True, tag="switched", tag_field="answer"):
    """The rooms' devices are as asked."""

    offices: int
    off: tuple[str, ...]
    """All whose device is off now."""


Answer = Refused | Broken | Healed | LabStatus | Switched
A = TypeVar("A", bound=Answer)

_requests: msgspec.json.Decoder[Request] = msgspec.json.Decoder(Request)
_answers: msgspec.json.Decoder[Answer] = msgspec.json.Decoder(Answer)


@asynccontextmanager
async def control_server(
    data_dir: Path, handle: Callable[[Request], Awaitable[Answer]]
) -> AsyncIterator[Path]:
    """Serve requests on `<data>/lab.sock` while inside.

    Raises:
        LabError: another fleet already answers there.
    """
    path = data_dir / SOCKET_NAME
    with _reachable(path) as address:
        _clear_stale(path, address)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        before = os.umask(0o177)
        try:
            listener.bind(address)
        finally:
            os.umask(before)
    ours = path.stat()
    clients = _Clients(handle)
    server = await asyncio.start_unix_server(clients.serve, sock=listener, limit=LONGEST_REQUEST)
    try:
        yield path
    finally:
        server.close()
        await clients.let_go()
        with suppress(FileNotFoundError):
            if path.stat().st_ino == ours.st_ino:  # not a successor's
                path.unlink()


class _Clients:
    """The open conversations: bounded in number, ended with the server."""

    def __init__(self, handle: Callable[[Request], Awaitable[Answer]]) -> None:
        self._handle = handle
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One conversation."""
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            with suppress(ConnectionError, TimeoutError):
                if len(self._tasks) > MOST_CLIENTS:
                    writer.write(_line(Refused(error=f"{MOST_CLIENTS} others are speaking; try again")))
                    await writer.drain()
                else:
                    await _converse(reader, writer, self._handle)
        finally:
            self._tasks.discard(task)
            writer.close()

    async def let_go(self) -> None:
        """End every conversation."""
        for task in (tasks := list(self._tasks)):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _converse(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    handle: Callable[[Request], Awaitable[Answer]],
) -> None:
    while True:
        try:
            async with asyncio.timeout(_PATIENCE_S):
                line = await reader.readline()
        except ValueError:  # longer than the limit: where the next request begins is not known
            writer.write(_line(Refused(error=f"the request is longer than {LONGEST_REQUEST} bytes")))
            await writer.drain()
            return
        if not line.endswith(b"\n"):
            return
        writer.write(_line(await _answer(line, handle)))
        await writer.drain()


async def _answer(line: bytes, handle: Callable[[Request], Awaitable[Answer]]) -> Answer:
    try:
        request = _requests.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        return Refused(error=f"the request cannot be read: {error}")
    try:
        return await handle(request)
    except LabError as error:
        return Refused(error=str(error))


def _line(answer: Answer) -> bytes:
    return msgspec.json.encode(answer) + b"\n"


def _clear_stale(path: Path, address: str) -> None:
    """Remove a socket that a dead fleet left; refuse when a living one answers."""
    if not path.is_socket():
        if path.exists():
            raise LabError(f"{path} is there and no socket; remove it")
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(address)
        except OSError:
            path.unlink()
            return
    raise LabError(
        f"a fleet is running already on {path.parent}; stop it, or name another folder with --data"
    )


class _reachable:  # noqa: N801 - used as a context manager like a function
    """The address to bind or connect for a path, even when the path is longer than the kernel's 108 bytes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._folder: int | None = None

    def __enter__(self) -> str:
        if len(os.fsencode(self._path)) <= _LONGEST_PATH:
            return str(self._path)
        self._folder = os.open(self._path.parent, os.O_DIRECTORY | os.O_CLOEXEC)
        return f"/proc/self/fd/{self._folder}/{self._path.name}"

    def __exit__(self, *_: object) -> None:
        if self._folder is not None:
            os.close(self._folder)


def ask(data_dir: Path, request: Request, kind: type[A], *, timeout_s: float = 10.0) -> A:
    """Ask the fleet that runs on a data directory (blocking, for commands).

    Raises:
        NoFleetError: none runs there.
        LabError: it refuses, with its one line.
    """
    path = data_dir / SOCKET_NAME
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.settimeout(timeout_s)
        try:
            with _reachable(path) as address:
                sock.connect(address)
            with suppress(BrokenPipeError):  # refused before we have asked: why stands in the answer
                sock.sendall(msgspec.json.encode(request) + b"\n")
            with sock.makefile("rb") as stream:
                line = stream.readline(_ANSWER_LIMIT)
        except (FileNotFoundError, ConnectionRefusedError, NotADirectoryError) as error:
            raise NoFleetError(
                f"no emulated fleet runs on {data_dir}; start one with: tatpar up --lab --data {data_dir}"
            ) from error
        except OSError as error:
            raise LabError(f"the fleet at {path} does not answer: {error}") from error
    if not line.endswith(b"\n"):
        raise LabError(f"the fleet at {path} ended before it answered")
    answer = _answers.decode(line)
    if isinstance(answer, Refused):
        raise RefusedError(answer.error)
    if not isinstance(answer, kind):
        raise LabError(f"the fleet at {path} answered {type(answer).__name__}")
    return answer
