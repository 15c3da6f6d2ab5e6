"""One address of the wall: what it does, and who may."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from hmac import compare_digest
from typing import TYPE_CHECKING, Final

from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from dashboards.wall.access.origin import is_from_our_page
from dashboards.wall.access.page import asked_for
from dashboards.wall.web.answers import BadRequestError
from telemetry.access import Role  # noqa: TC001 - a field's type

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.requests import Request

    from dashboards.wall.access.door import Door

Handler = Callable[["Request"], Awaitable[Response]]
CSRF_HEADER: Final = "x-tatpar-csrf"
SIGN_IN: Final = "/sign-in"
_SAFE: Final = frozenset({"GET", "HEAD"})


@dataclass(frozen=True, slots=True)
class Entry:
    """An address, a method, and the role that it takes."""

    path: str
    handler: Handler
    role: Role | None
    """The least that a visitor must be; None: everybody may."""
    method: str = "GET"
    is_page: bool = False
    """Shown to people: who is nobody is led to the sign-in instead of being told a line."""
    by_form: bool = False
    """Sent by a form of ours, which cannot carry the header; where it comes from is checked all the same."""


def routes(entries: Iterable[Entry], door: Door) -> list[Route]:
    """The entries as routes that ask who it is before anything else; one route an address."""
    by_path: dict[str, dict[str, Entry]] = {}
    for entry in entries:
        by_path.setdefault(entry.path, {})[entry.method] = entry
    return [Route(path, _guarded(found, door), methods=list(found)) for path, found in by_path.items()]


def _guarded(found: dict[str, Entry], door: Door) -> Handler:
    async def endpoint(request: Request) -> Response:
        entry = found.get(request.method) or found["GET"]  # HEAD
        visitor = await door.visitor(request)
        request.state.visitor = visitor
        request.state.visitor_now = lambda: door.visitor(request)
        if entry.method not in _SAFE and not is_from_our_page(request):
            raise BadRequestError(
                "this was not sent by a page of this wall; open the wall and try again", 403
            )
        if entry.role is None:
            return await entry.handler(request)
        if visitor is None:
            if entry.is_page:
                return RedirectResponse(f"{SIGN_IN}{asked_for(request)}", 303, {"cache-control": "no-store"})
            raise BadRequestError(f"sign in first: {SIGN_IN}", 401)
        if visitor.role < entry.role:
            raise BadRequestError(
                f"this takes the role {entry.role.word}, yours is {visitor.role.word}; an administrator can change it"
                " (tatpar users set)",
                403,
            )
        if entry.method not in _SAFE and not entry.by_form:
            token = request.headers.get(CSRF_HEADER, "")
            if not compare_digest(token.encode(), visitor.csrf.encode()):
                raise BadRequestError(
                    f"the header {CSRF_HEADER} is missing or old: take it from /api/me", 403
                )
        return await entry.handler(request)

    return endpoint
