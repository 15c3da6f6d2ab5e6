"""The wall as a web application.

| address | answers |
|---|---|
| `/` | the page |
| `/static/<digest>/…` | its files |
| `/api/snapshot` | scene and picture, once |
| `/api/stream` | server-sent events: `change`, `snapshot`, `beat`; resumes after `Last-Event-ID` (or `?after=`) |
| `/api/site/<id>` | facts about one office |
| `/api/site/<id>/series?from=&to=&path=` | one line over time; ms since the Unix epoch |
| `/api/meeting/<uid>/<recurrence>` | one occurrence in full |
| `/api/meetings/past` | the meetings of the past days: how many offices held, how often the forecast was right |
| `/api/incidents`, `/api/incidents/<id>` | shared faults; one of them with its time line |
| `/api/words/<language>.json` | the catalogue |
| `/healthz` | whether the wall is at work |
| `/ack/<token>` | the page behind the link of an alert; handed in by whoever wires the house (`more`) |
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Route

from dashboards.wall.live.poller import Poller
from dashboards.wall.web.answers import BadRequestError, explain, no_such_page, wrong_method
from dashboards.wall.web.files import Files
from dashboards.wall.web.guard import Guard
from dashboards.wall.web.hosts import Hosts
from dashboards.wall.web.pages import Pages
from dashboards.wall.web.stream import stream
from telemetry.clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from dashboards.wall.sources import DecisionReader, Live
    from telemetry.clock import WallClock
    from telemetry.store.protocol import StoreReader


def create_app(
    live: Live,
    reader: StoreReader,
    state: DecisionReader,
    clock: WallClock | None = None,
    *,
    more: Sequence[Route] = (),
) -> Starlette:
    """The application; its poller runs for as long as the application does. `more` routes are other rooms' pages."""
    clock = SystemClock() if clock is None else clock
    files = Files()

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        app.state.poller = Poller(live, reader, state, clock)
        task = asyncio.create_task(app.state.poller.run(), name="wall-poller")
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    pages = Pages(live, reader, state, clock)
    return Starlette(
        lifespan=lifespan,
        middleware=[Middleware(Guard), Middleware(Hosts, live)],
        exception_handlers={BadRequestError: explain, 404: no_such_page, 405: wrong_method},
        routes=[
            Route("/", files.page),
            Route("/static/{digest}/{name:path}", files.file),
            Route("/api/snapshot", pages.snapshot),
            Route("/api/stream", stream),
            Route("/api/site/{site}", pages.site),
            Route("/api/site/{site}/series", pages.series),
            Route("/api/meeting/{uid}/{recurrence}", pages.meeting),
            Route("/api/meetings/past", pages.meetings),
            Route("/api/incidents", pages.incidents),
            Route("/api/incidents/{incident}", pages.incident),
            Route("/api/words/{language}.json", pages.words),
            Route("/healthz", pages.health),
            *more,
        ],
    )
