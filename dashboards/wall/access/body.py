"""What comes in the body of a request: bounded, and of one type."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar
from urllib.parse import parse_qsl

import msgspec

from dashboards.wall.web.answers import BadRequestError

if TYPE_CHECKING:
    from starlette.requests import Request

T = TypeVar("T")
MOST_BYTES: Final = 8_192


async def bounded(request: Request) -> bytes:
    """The body; raises BadRequestError (413) as soon as it is too long."""
    taken = bytearray()
    async for part in request.stream():
        taken += part
        if len(taken) > MOST_BYTES:
            raise BadRequestError(f"the body has more than {MOST_BYTES} bytes", 413)
    return bytes(taken)


async def json_of(request: Request, kind: type[T]) -> T:
    """A JSON body; raises BadRequestError that says what is wrong with it."""
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media != "application/json":
        raise BadRequestError(f"the body is {media[:60] or 'of no type'!r}: send application/json", 415)
    try:
        return msgspec.json.decode(await bounded(request), type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BadRequestError(f"the body cannot be read: {error}") from None


async def form_of(request: Request) -> dict[str, str]:
    """The fields of a form; raises BadRequestError when it is none."""
    try:
        text = (await bounded(request)).decode()
        return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=20, strict_parsing=bool(text)))
    except ValueError as error:
        raise BadRequestError(f"the form cannot be read: {error}") from None
