"""The wall as a web application: its addresses are in `addresses.py`, `more` routes are other rooms' pages (the links of alerts)."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.middleware import Middleware

from dashboards.wall.access.acting import Acting
from dashboards.wall.access.door import Door
from dashboards.wall.access.entry import routes
from dashboards.wall.access.sign_in import SignIn
from dashboards.wall.addresses import addresses
from dashboards.wall.live.failing import FailedAlready
from dashboards.wall.live.poller import Poller
from dashboards.wall.web.answers import BadRequestError, explain, no_such_page, wrong_method
from dashboards.wall.web.files import Files
from dashboards.wall.web.guard import Guard
from dashboards.wall.web.hosts import Hosts
from dashboards.wall.web.openapi import Document
from dashboards.wall.web.pages import Pages
from telemetry.clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from starlette.routing import Route

    from dashboards.wall.sources import Failing, Live
    from telemetry.clock import WallClock
    from telemetry.state.db import StateDb
    from telemetry.store.protocol import StoreReader


def create_app(  # noqa: PLR0913 - what it reads, and what other rooms add
    live: Live,
    reader: StoreReader,
    state: StateDb,
    clock: WallClock | None = None,
    *,
    more: Sequence[Route] = (),
    failing: Failing | None = None,
) -> Starlette:
    """The application; its poller runs for as long as the application does.

    `more` routes are other rooms' pages; `failing` tells who has failed a meeting that runs, without it the wall says nothing of that.
    """
    clock = SystemClock() if clock is None else clock
    files, pages = Files(), Pages(live, reader, state, clock)
    door = Door(live, state, clock)
    sign_in = SignIn(live, state, clock, door, files)
    document = Document()
    entries = addresses(pages, files, Acting(live, state, clock), sign_in, document)
    document.describe(entries)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        failed = FailedAlready(failing, clock)
        app.state.poller = Poller(live, reader, state, clock, failed)
        tasks = [
            asyncio.create_task(failed.run(), name="wall-failed-already"),
            asyncio.create_task(app.state.poller.run(), name="wall-poller"),
            asyncio.create_task(sign_in.tidy(), name="wall-sessions"),
        ]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    return Starlette(
        lifespan=lifespan,
        middleware=[Middleware(Guard), Middleware(Hosts, live)],
        exception_handlers={BadRequestError: explain, 404: no_such_page, 405: wrong_method},
        routes=[*routes(entries, door), *more],
    )
