"""Serving the wall: a socket of our own, so that port 0 finds a free one and the address is known before the start."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import TYPE_CHECKING

import uvicorn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from starlette.applications import Starlette

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class AddressInUseError(OSError):
    """The address cannot be listened on: which, and what to write instead."""

    def __init__(self, host: str, port: int, why: str) -> None:
        super().__init__(f"cannot serve on {host}:{port}: {why}; choose another with --port or --host")


class _Server(uvicorn.Server):
    """Ends open streams first when it stops, and leaves signals to whoever runs it."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        app: Starlette = self.config.app  # type: ignore[assignment]
        poller = getattr(app.state, "poller", None)
        if poller is not None:
            poller.broadcast.close()
        await super().shutdown(sockets)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; raises AddressInUseError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(256)
    except OSError as error:
        listener.close()
        raise AddressInUseError(host, port, error.strerror or str(error)) from error
    listener.setblocking(False)
    return listener


def address(listener: socket.socket) -> str:
    """What to type into a browser."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


async def serve_on(app: Starlette, listener: socket.socket) -> None:
    """Serve on a listening socket until cancelled; the socket stays the caller's."""
    config = uvicorn.Config(
        app,
        log_config=None,  # its lines go where ours go, in the form of ours
        log_level="warning",
        access_log=False,
        lifespan="on",
        ws="none",
        timeout_graceful_shutdown=2,
    )
    server = _Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]), name="wall-server")
    try:
        await asyncio.shield(serving)
    finally:
        server.should_exit = True
        await serving


async def serve(
    app: Starlette, host: str, port: int, announce: Callable[[str], None] = lambda _address: None
) -> None:
    """Serve until cancelled; `announce` is given the address once it is listened on."""
    with contextlib.closing(listen(host, port)) as listener:
        announce(address(listener))
        await serve_on(app, listener)


def warning_for(host: str) -> str | None:
    """The line for whoever opens the wall to the network; None on loopback."""
    if host in LOOPBACK:
        return None
    return (
        f"warning: the wall listens on {host} and has no sign-in yet: "
        "everybody who reaches this address sees every office; put it behind a proxy that asks who is there"
    )
