"""What comes back from people: the links' page, on the wall and on a listener of its own, and replies by mail."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from starlette.applications import Starlette

from alerts import links
from alerts.acknowledging.replies import Replies, take_replies
from alerts.acknowledging.routes import Acknowledging
from dashboards.wall.serve import listen, serve_on
from telemetry.clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from pathlib import Path
    from typing import Any

    from starlette.routing import Route

    from config.alert_settings import Delivery
    from config.live import LiveConfig
    from telemetry.clock import WallClock
    from telemetry.state.db import StateDb


def ack_routes(
    live: LiveConfig, state: StateDb, data_dir: Path, clock: WallClock | None = None
) -> list[Route]:
    """The links' page, for the wall."""
    return Acknowledging(live, state, links.secret(data_dir), clock or SystemClock()).routes()


def hears(settings: Delivery) -> bool:
    """Whether there is anything to listen on beside the wall."""
    return bool(settings.ack_host or settings.reply_host)


async def answering(
    live: LiveConfig,
    state: StateDb,
    data_dir: Path,
    say: Callable[[str], None],
    clock: WallClock | None = None,
) -> None:
    """Listen where the settings say, until cancelled.

    Raises:
        OSError: an address is taken, or none of this machine's.
    """
    settings = live.current.settings.alerts.delivery
    work = []
    if settings.ack_host:
        work.append(_page(live, state, data_dir, say, clock))
    if settings.reply_host:
        replies = Replies(live, state, links.secret(data_dir), clock or SystemClock())
        work.append(_mail(replies, settings, say))
    await together(*work)


async def together(*work: Coroutine[Any, Any, None]) -> None:
    """Several things at once; the first that fails ends the others, and its error is raised as it is."""
    tasks = [asyncio.ensure_future(each) for each in work]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _page(
    live: LiveConfig, state: StateDb, data_dir: Path, say: Callable[[str], None], clock: WallClock | None
) -> None:
    settings = live.current.settings.alerts.delivery
    app = Starlette(routes=ack_routes(live, state, data_dir, clock))
    try:
        listener = listen(settings.ack_host, settings.ack_port)
    except OSError as error:
        raise _taken("links", "ack_port", settings.ack_port, error) from error
    with contextlib.closing(listener):
        say(f"links of alerts: {settings.ack_host}, port {settings.ack_port}")
        await serve_on(app, listener)


async def _mail(replies: Replies, settings: Delivery, say: Callable[[str], None]) -> None:
    try:
        server = await take_replies(replies, settings.reply_host, settings.reply_port)
    except OSError as error:
        raise _taken("replies", "reply_port", settings.reply_port, error) from error
    say(f"replies to alerts: {settings.reply_host}, port {settings.reply_port}")
    async with server:
        await server.serve_forever()


def _taken(what: str, key: str, port: int, error: OSError) -> OSError:
    why = getattr(error.__cause__, "strerror", None) or error.strerror or error
    return OSError(
        f"{what} of alerts cannot be listened for on port {port}: {why}; set alerts.delivery.{key}"
    )
