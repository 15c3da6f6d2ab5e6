"""The page and the listener for replies, served; and the clock they look at."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from starlette.applications import Starlette

from alerts.acknowledging.replies import Replies, take_replies
from alerts.acknowledging.routes import Acknowledging
from dashboards.wall.serve import address, listen, serve_on
from telemetry.clock import ManualClock
from tests.alerts.parts import NOW_NS, an_alert, made_live

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator
    from pathlib import Path
    from typing import Any

    from config.live import LiveConfig
    from telemetry.state.db import StateDb

SECRET = b"s" * 32


@dataclass
class Desk:
    """What somebody who acknowledges has to do with."""

    live: LiveConfig
    state: StateDb
    clock: ManualClock
    secret: bytes
    page: Acknowledging
    url: str = ""
    port: int = 0


@contextlib.contextmanager
def running(work: Coroutine[Any, Any, None]) -> Iterator[None]:
    """A coroutine on a loop of its own thread, cancelled at the end."""
    loop = asyncio.new_event_loop()
    task = loop.create_task(work)

    def run() -> None:
        with contextlib.suppress(asyncio.CancelledError):
            loop.run_until_complete(task)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        loop.call_soon_threadsafe(task.cancel)
        thread.join()
        loop.close()


@pytest.fixture
def bare(tmp_path: Path, state: StateDb) -> Desk:
    """One alert stands; nothing is listened for yet."""
    live = made_live(tmp_path / "settings", delivery='reply_to = "ack@hub.example"')
    state.put_alerts([an_alert()], [], NOW_NS)
    clock = ManualClock(NOW_NS)
    return Desk(live, state, clock, SECRET, Acknowledging(live, state, SECRET, clock))


@contextlib.contextmanager
def page_served(desk: Desk) -> Iterator[Desk]:
    """The links' page."""
    with contextlib.closing(listen("127.0.0.1", 0)) as listener:
        desk.url = address(listener).rstrip("/")
        with running(serve_on(Starlette(routes=desk.page.routes()), listener)):
            yield desk


@contextlib.contextmanager
def replies_taken(desk: Desk) -> Iterator[Desk]:
    """The listener for replies."""
    started = threading.Event()

    async def mail() -> None:
        handler = Replies(desk.live, desk.state, SECRET, desk.clock)
        async with await take_replies(handler, "127.0.0.1", 0) as server:
            desk.port = server.sockets[0].getsockname()[1]
            started.set()
            await server.serve_forever()

    with running(mail()):
        assert started.wait(60)
        yield desk
