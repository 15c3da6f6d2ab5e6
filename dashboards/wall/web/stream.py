"""The stream of changes to one open page (server-sent events)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from starlette.responses import Response, StreamingResponse

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request

    from dashboards.wall.live.broadcast import Broadcast
    from dashboards.wall.live.poller import Poller

ASK_AGAIN_S: Final = 10.0
"""So often a stream asks whether its visitor is still let in."""
_RETRY: Final = b"retry: 2000\n\n"
_HEADERS: Final = {"cache-control": "no-store", "x-accel-buffering": "no"}


async def stream(request: Request) -> Response:
    """Everything after the event that the page saw last; the whole picture when that is too long ago."""
    if request.method == "HEAD":  # a stream without its body would be held open for nothing
        return Response(media_type="text/event-stream", headers=_HEADERS)
    poller: Poller = request.app.state.poller
    await poller.ready.wait()
    seen = request.headers.get("last-event-id") or request.query_params.get("after", "")
    return StreamingResponse(
        _events(request, poller.broadcast, seen), media_type="text/event-stream", headers=_HEADERS
    )


async def _events(request: Request, broadcast: Broadcast, seen: str) -> AsyncIterator[bytes]:
    """Until the page goes, the wall ends, or whoever opened it may look no more."""
    viewer = broadcast.join(seen)
    asked_s = time.monotonic()
    try:
        yield _RETRY
        while (made := await viewer.take()) is not None:
            if time.monotonic() - asked_s >= ASK_AGAIN_S:
                asked_s = time.monotonic()
                if await request.state.visitor_now() is None:
                    return
            yield made
    finally:
        broadcast.leave(viewer)
