"""Answers to a browser: JSON, and one clear line for what is wrong with a request."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, Final

import msgspec
from starlette.responses import Response

if TYPE_CHECKING:
    from starlette.requests import Request

_WORTH_PACKING: Final = 1400


class BadRequestError(Exception):
    """The request is wrong: what, and what to write instead."""

    def __init__(self, problem: str, status: int = 400) -> None:
        super().__init__(problem)
        self.status = status


def json(value: object, status: int = 200) -> Response:
    """A value as JSON that no cache keeps."""
    return Response(
        msgspec.json.encode(value), status, {"cache-control": "no-store"}, media_type="application/json"
    )


def packed_json(request: Request, body: bytes) -> Response:
    """JSON bytes, packed when the browser takes it."""
    headers = {"cache-control": "no-store", "vary": "accept-encoding"}
    if len(body) > _WORTH_PACKING and "gzip" in request.headers.get("accept-encoding", ""):
        headers["content-encoding"] = "gzip"
        body = gzip.compress(body, compresslevel=5)
    return Response(body, headers=headers, media_type="application/json")


async def explain(_request: Request, error: Exception) -> Response:
    """The line for a BadRequestError."""
    status = error.status if isinstance(error, BadRequestError) else 500
    return json({"error": str(error)}, status)


async def no_such_page(request: Request, _error: Exception) -> Response:
    """The line for an address that is none."""
    return json({"error": f"no such address: {request.url.path}; the wall is at /"}, 404)


async def wrong_method(request: Request, _error: Exception) -> Response:
    """The line for anything but reading."""
    return json(
        {"error": f"{request.method} is not for {request.url.path}; /api/openapi.json lists what is"}, 405
    )
