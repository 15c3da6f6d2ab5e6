"""The door: who a request is from, if anybody may come in that way."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from secrets import token_bytes
from typing import TYPE_CHECKING, Final

from dashboards.wall.access import origin, tokens
from dashboards.wall.access.visitor import Visitor, Way
from dashboards.wall.web.hosts import is_loopback
from telemetry.access import LONGEST_NAME, Role
from telemetry.windows import HOUR_NS, SECOND_NS

if TYPE_CHECKING:
    from starlette.requests import Request

    from config.settings import Wall
    from dashboards.wall.sources import Live
    from telemetry.clock import WallClock
    from telemetry.state.db import StateDb

COOKIE: Final = "tatpar_session"
LINK_COOKIE: Final = "tatpar_link"
REMEMBERED_NS: Final = 2 * SECOND_NS
"""So long an answer of the state database counts: who was signed out elsewhere is out after that."""
MOST_REMEMBERED: Final = 2_000
_SEEN_NS: Final = 300 * SECOND_NS
_DAY_H: Final = 24


class Door:
    """Lets in whom the settings, the users and the links let in."""

    def __init__(self, live: Live, state: StateDb, clock: WallClock) -> None:
        self._live = live
        self._state = state
        self._clock = clock
        self._secret = token_bytes(32)
        self._known: OrderedDict[bytes, tuple[int, Visitor | None]] = OrderedDict()

    @property
    def settings(self) -> Wall:
        """The `[wall]` that stands."""
        return self._live.current.settings.wall

    def is_open(self, request: Request) -> bool:
        """Whether nobody is asked here: from this machine, with no proxy between or expected, and nothing else said."""
        listens_on = getattr(request.app.state, "listens_on", "")
        wall = self.settings
        return (
            wall.sign_in == "auto"
            and not wall.proxies
            and is_loopback(listens_on)
            and not origin.is_forwarded(request)
        )

    async def visitor(self, request: Request) -> Visitor | None:
        """Who it is; None: somebody who is to sign in."""
        if self.is_open(request):
            return Visitor(name="", role=Role.ADMINISTER, way=Way.LOCAL, csrf=tokens.csrf_of(self._secret))
        by_proxy = await self._by_proxy(request)
        if by_proxy is not None:
            return by_proxy
        for cookie, find in ((COOKIE, self._of_session), (LINK_COOKIE, self._of_link)):
            token = request.cookies.get(cookie, "")
            if token and len(token) <= tokens.LONGEST:
                found = await self._remembered(token, find)
                if found is not None:
                    return found
        return None

    def forget(self, token: str) -> None:
        """What is remembered of a token counts no more."""
        self._known.pop(tokens.hash_of(token), None)

    async def _by_proxy(self, request: Request) -> Visitor | None:
        wall = self.settings
        if not wall.proxy_user_header or not origin.is_trusted(request, wall.proxies):
            return None
        names = request.headers.getlist(wall.proxy_user_header)
        name = names[0].strip() if len(names) == 1 else ""  # twice: the proxy let the visitor's own through
        if not name or len(name) > LONGEST_NAME or not name.isprintable():
            return None
        user = await asyncio.to_thread(self._state.user, name)
        role = user.role if user is not None else Role.of(wall.proxy_role)
        return Visitor(name=name, role=role, way=Way.PROXY, csrf=tokens.csrf_of(self._secret, name))

    async def _remembered(self, token: str, find: Finder) -> Visitor | None:
        now_ns = self._clock.now_ns()
        key = tokens.hash_of(token)
        known = self._known.get(key)
        if known is not None and 0 <= now_ns - known[0] < REMEMBERED_NS:
            return known[1]
        found = await asyncio.to_thread(find, token, now_ns)
        self._known[key] = (now_ns, found)
        while len(self._known) > MOST_REMEMBERED:
            self._known.popitem(last=False)
        return found

    def _of_session(self, token: str, now_ns: int) -> Visitor | None:
        key = tokens.hash_of(token)
        found = self._state.session(key)
        if found is None:
            return None
        session, user = found
        wall = self.settings
        if (
            now_ns - session.made_ns >= wall.session_days * _DAY_H * HOUR_NS
            or now_ns - session.seen_ns >= wall.session_idle_h * HOUR_NS
        ):
            self._state.end_session(key)
            return None
        if now_ns - session.seen_ns >= _SEEN_NS:
            self._state.saw_session(key, now_ns)
        return Visitor(name=user.name, role=user.role, way=Way.USER, csrf=tokens.csrf_of(token))

    def _of_link(self, token: str, now_ns: int) -> Visitor | None:
        link = self._state.link(tokens.hash_of(token))
        if link is None or now_ns >= link.until_ns:
            return None
        return Visitor(name=link.label, role=Role.SEE, way=Way.LINK, csrf=tokens.csrf_of(token))


if TYPE_CHECKING:
    from collections.abc import Callable

    Finder = Callable[[str, int], Visitor | None]
