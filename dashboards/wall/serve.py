"""Serving the wall: a socket of our own, so that port 0 finds a free one and the address is known before the start."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import TYPE_CHECKING

import uvicorn

from dashboards.wall.bad_requests import say_seldom
from dashboards.wall.patience import PatientProtocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from starlette.applications import Starlette

    from config.settings import Wall
    from telemetry.state.db import StateDb

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
    app.state.listens_on = listener.getsockname()[0]
    config = uvicorn.Config(
        app,
        log_config=None,  # its lines go where ours go, in the form of ours
        log_level="warning",
        access_log=False,
        lifespan="on",
        http=PatientProtocol,
        ws="none",
        proxy_headers=False,  # who is trusted to say where a request comes from is in [wall] proxies
        timeout_graceful_shutdown=2,
    )
    say_seldom()
    server = _Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]), name="wall-server")
    try:
        await asyncio.shield(serving)
    finally:
        server.should_exit = True
        while (
            not serving.done()
        ):  # who is told to stop twice ends as soon, and in order: bounded by the graceful shutdown
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.shield(serving)
        serving.result()


async def serve(
    app: Starlette, host: str, port: int, announce: Callable[[str], None] = lambda _address: None
) -> None:
    """Serve until cancelled; `announce` is given the address once it is listened on."""
    with contextlib.closing(listen(host, port)) as listener:
        announce(address(listener))
        await serve_on(app, listener)


def warning_for(host: str, wall: Wall, state: StateDb) -> str | None:
    """The line for whoever opens the wall to the network while nobody can sign in; None when somebody can, and on loopback."""
    is_asked = host not in LOOPBACK or wall.sign_in == "always" or bool(wall.proxies)
    if not is_asked or wall.proxy_user_header or state.users():
        return None
    return (
        f"warning: the wall on {host} asks for a sign-in, and there is nobody who could:"
        " tatpar users add NAME --role administer"
    )
