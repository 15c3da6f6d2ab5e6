"""The JSON behind the page. Whatever reads a database does so in a thread, a few at a time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, TypeVar

import msgspec
from msgspec import to_builtins

from analytics.quality.assumed import endpoints_of
from dashboards.wall.incident_page import case_page, cases
from dashboards.wall.meeting_page import meeting_page
from dashboards.wall.past_meetings import past_meetings
from dashboards.wall.picture.times import recurrence_ns
from dashboards.wall.series import series
from dashboards.wall.site_marks import marks
from dashboards.wall.site_page import site_page
from dashboards.wall.site_past import site_past
from dashboards.wall.site_reports import site_reports
from dashboards.wall.web.answers import BadRequestError, json, packed_json
from dashboards.wall.web.parameters import path_of, site_of, span_of
from telemetry.store.protocol import Selection
from telemetry.windows import HOUR_NS
from telemetry.words import LANGUAGES, catalogue
from telemetry.words.format import units

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request
    from starlette.responses import Response

    from config.config import Config
    from dashboards.wall.live.poller import Poller
    from dashboards.wall.sources import DecisionReader, Live
    from telemetry.clock import WallClock
    from telemetry.store.protocol import StoreReader

T = TypeVar("T")
_READS_AT_ONCE: Final = 2
_NOT_HERE: Final = ("acting.", "amiss.", "doctor.", "identity.", "importing.")
"""Words that only a terminal says; they are a fifth of all, and a telephone has to fetch them."""


class Pages:
    """The handlers with what they read from."""

    def __init__(self, live: Live, reader: StoreReader, state: DecisionReader, clock: WallClock) -> None:
        self._live = live
        self._reader = reader
        self._state = state
        self._clock = clock
        self._turn = asyncio.Semaphore(_READS_AT_ONCE)

    async def snapshot(self, request: Request) -> Response:
        """Scene and picture."""
        poller: Poller = request.app.state.poller
        await poller.ready.wait()
        return packed_json(request, poller.snapshot())

    async def site(self, request: Request) -> Response:
        """Facts about one office."""
        config = self._live.current
        site = site_of(config, request.path_params["site"])
        now_ns = self._clock.now_ns()
        return json(await self._read(lambda: site_page(config, self._reader, self._state, site, now_ns)))

    async def series(self, request: Request) -> Response:
        """One line over time with its marks."""
        config = self._live.current
        site = site_of(config, request.path_params["site"])
        span = span_of(request.query_params)
        path = _path(request, config)

        def read() -> bytes:
            endpoints = endpoints_of(config.settings.quality)
            drawn = series(self._reader, site.id, path, span.start_ns, span.end_ns, endpoints)
            shown = Selection(span.start_ns, span.end_ns)
            noted = marks(config, self._reader, self._state, site.id, shown, self._clock.now_ns())
            return msgspec.json.encode(to_builtins(drawn) | {"marks": to_builtins(noted)})

        return packed_json(request, await self._read(read))

    async def past(self, request: Request) -> Response:
        """What is usual on one line, and where its level moved."""
        config = self._live.current
        site = site_of(config, request.path_params["site"])
        span = span_of(request.query_params)
        path = _path(request, config)
        shown = Selection(span.start_ns, span.end_ns)

        def read() -> bytes:
            return msgspec.json.encode(site_past(self._reader, config.settings, site.id, path, shown))

        return packed_json(request, await self._read(read))

    async def reports(self, request: Request) -> Response:
        """The raw reports behind a span."""
        site = site_of(self._live.current, request.path_params["site"])
        span = span_of(request.query_params, longest_ns=HOUR_NS)

        def read() -> bytes:
            return msgspec.json.encode(site_reports(self._reader, site.id, span.start_ns, span.end_ns))

        return packed_json(request, await self._read(read))

    async def meeting(self, request: Request) -> Response:
        """One occurrence in full."""
        name = request.path_params["recurrence"]
        try:
            recurrence = recurrence_ns(name)
        except ValueError:
            raise BadRequestError(
                f"{name[:40]!r} is no recurrence: write it in UTC as 20251124T053000Z"
            ) from None
        config, now_ns = self._live.current, self._clock.now_ns()
        uid = request.path_params["uid"]
        return json(await self._read(lambda: meeting_page(config, self._state, uid, recurrence, now_ns)))

    async def meetings(self, request: Request) -> Response:
        """The meetings of the past days and what came true."""
        config, now_ns = self._live.current, self._clock.now_ns()
        past = await self._read(lambda: msgspec.json.encode(past_meetings(config, self._state, now_ns)))
        return packed_json(request, past)

    async def incidents(self, request: Request) -> Response:
        """Shared faults, those that last and those that are over."""
        config, now_ns = self._live.current, self._clock.now_ns()
        found = await self._read(lambda: msgspec.json.encode(cases(config, self._state, now_ns)))
        return packed_json(request, found)

    async def incident(self, request: Request) -> Response:
        """One shared fault and what happened."""
        config, now_ns = self._live.current, self._clock.now_ns()
        asked = request.path_params["id"]
        return json(await self._read(lambda: case_page(config, self._state, asked, now_ns)))

    async def words(self, request: Request) -> Response:
        """The catalogue of a language with the words of its units."""
        language = request.path_params["language"]
        if language not in LANGUAGES:
            raise BadRequestError(
                f"no words in {language[:20]!r}; the languages are {', '.join(LANGUAGES)}", 404
            )
        said = {key: text for key, text in catalogue(language).items() if not key.startswith(_NOT_HERE)}
        body = msgspec.json.encode({"words": said, "units": units(language)})
        return packed_json(request, body)

    async def health(self, request: Request) -> Response:
        """200 while the picture is kept up, 503 when it cannot be read; a refused file is told and breaks nothing."""
        poller: Poller = request.app.state.poller
        trouble = poller.picture.trouble
        ok = poller.ready.is_set() and not trouble
        if request.state.visitor is None:
            return json({"ok": ok}, 200 if ok else 503)
        told = {
            "ok": ok,
            "viewers": poller.broadcast.viewers,
            "restarts": poller.broadcast.restarts,
            "trouble": trouble,
            "refused": poller.picture.refused,
        }
        return json(told, 200 if ok else 503)

    async def _read(self, read: Callable[[], T]) -> T:
        async with self._turn:
            return await asyncio.to_thread(read)


def _path(request: Request, config: Config) -> str:
    return path_of(request.query_params) or f"main.{next(iter(config.headquarters), 'state')}"
