"""Signing in and out: a page without script, and what its forms do."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from typing import TYPE_CHECKING, Final

from starlette.responses import HTMLResponse, RedirectResponse, Response

from dashboards.wall.access import origin, page, passwords, tokens
from dashboards.wall.access.attempts import Attempts
from dashboards.wall.access.body import form_of
from dashboards.wall.access.checking import Checking
from dashboards.wall.access.door import COOKIE, LINK_COOKIE
from dashboards.wall.access.entry import SIGN_IN
from dashboards.wall.access.guessing import Guessing
from dashboards.wall.web.answers import BadRequestError
from telemetry.access import LONGEST_NAME
from telemetry.windows import HOUR_NS, SECOND_NS

if TYPE_CHECKING:
    from starlette.requests import Request

    from dashboards.wall.access.attempts import Charge
    from dashboards.wall.access.door import Door
    from dashboards.wall.sources import Live
    from dashboards.wall.web.files import Files
    from telemetry.clock import WallClock
    from telemetry.state.db import StateDb

_HOME: Final = 10_000
_TELL_EVERY_NS: Final = 60 * SECOND_NS
_MOST_TOLD: Final = 1_000
_PAIR_LONGEST_NS: Final = 900 * SECOND_NS
_log = logging.getLogger(__name__)


class SignIn:
    """The handlers, with what they remember of attempts."""

    def __init__(self, live: Live, state: StateDb, clock: WallClock, door: Door, files: Files) -> None:
        self._live = live
        self._state = state
        self._clock = clock
        self._door = door
        self._files = files
        self._sources = Attempts()
        self._pairs = Attempts(longest_ns=_PAIR_LONGEST_NS)
        """By name *and* source: a name alone is never counted, or whoever knows it could keep its owner out."""
        self._home: OrderedDict[str, None] | None = None
        """Sources from which somebody has signed in: strangers do not stand in their way."""
        self._checking = Checking()
        self._guessing = Guessing()
        self._told_ns: OrderedDict[str, int] = OrderedDict()
        self.refused = 0
        """Attempts that failed, or came too soon, since the start."""

    async def ask(self, request: Request) -> Response:
        """The page; who is signed in already is led to the wall."""
        if request.state.visitor is not None:
            return RedirectResponse(f"/{page.asked_for(request)}", 303, {"cache-control": "no-store"})
        return self._page(request)

    async def take(self, request: Request) -> Response:
        """Name and password: a session, or the page again with one line."""
        form = await form_of(request)
        name, password = form.get("name", "").strip(), form.get("password", "")
        proxies = self._door.settings.proxies
        source = origin.source_of(request, proxies)
        mono_ns = self._clock.monotonic_ns()  # who sets the clock shuts nobody out, and lets nobody in
        pair = f"{source} {name[:LONGEST_NAME]}"
        wait_ns = max(self._sources.wait_ns((source,), mono_ns), self._pairs.wait_ns((pair,), mono_ns))
        if wait_ns:
            self._refuse(source, "too often")
            return self._page(request, "signin.too_often", 429, wait_s=-(-wait_ns // SECOND_NS))
        # counted before it is checked: those that wait beside it count too
        charged = self._sources.failed((source,), mono_ns), self._pairs.failed((pair,), mono_ns)
        try:
            fits, is_user = await self._fits(name, password, source)
        except BadRequestError:
            self._give_back(*charged)
            raise
        if not fits:
            self._refuse(source, "no such name and password")
            if is_user:
                self._watch(name, source, mono_ns)
            return self._page(request, "signin.wrong", 403)
        self._give_back(*charged)  # only this one: what failed under other names stays counted
        self._remember(source)
        await self._end(request.cookies.get(COOKIE, ""))  # the browser forgets it now, and so does the wall
        token = tokens.new_token()
        await asyncio.to_thread(
            self._state.begin_session, tokens.hash_of(token), name, source, self._clock.now_ns()
        )
        _log.info("%s signed in", name, extra={"event": "wall.signed-in", "user": name, "source": source})
        answer = RedirectResponse(f"/{page.asked_for(request)}", 303, {"cache-control": "no-store"})
        self._set_cookie(request, answer, COOKIE, token, self._door.settings.session_days * 24 * 3600)
        return answer

    async def leave(self, request: Request) -> Response:
        """Sign this browser out, whatever it came in by."""
        answer = RedirectResponse(SIGN_IN, 303, {"cache-control": "no-store"})
        for cookie in (COOKIE, LINK_COOKIE):
            await self._end(request.cookies.get(cookie, ""))
            answer.delete_cookie(cookie, path="/", httponly=True, samesite="lax")
        return answer

    async def look(self, request: Request) -> Response:
        """A link for the big screen: the browser keeps the token, the address does not."""
        token = request.path_params["token"]
        link = None
        if len(token) <= tokens.LONGEST:
            link = await asyncio.to_thread(self._state.link, tokens.hash_of(token))
        now_ns = self._clock.now_ns()
        if link is None or now_ns >= link.until_ns:
            raise BadRequestError(
                "this link has ended, or was taken back; ask for a new one (tatpar users link)", 404
            )
        home = f"/{page.asked_for(request)}"
        answer = RedirectResponse(home, 303, {"cache-control": "no-store", "referrer-policy": "no-referrer"})
        self._set_cookie(request, answer, LINK_COOKIE, token, (link.until_ns - now_ns) / SECOND_NS)
        return answer

    async def tidy(self) -> None:
        """Let go of sessions that count no more, every hour, for as long as the wall runs."""
        while True:
            wall, now_ns = self._door.settings, self._clock.now_ns()
            made_ns = now_ns - int(wall.session_days * 24 * HOUR_NS)
            await asyncio.to_thread(
                self._state.forget_sessions, made_ns, now_ns - int(wall.session_idle_h * HOUR_NS)
            )
            await asyncio.sleep(3600)

    async def _end(self, token: str) -> None:
        if token and len(token) <= tokens.LONGEST:
            await asyncio.to_thread(self._state.end_session, tokens.hash_of(token))
            self._door.forget(token)

    async def _fits(self, name: str, password: str, source: str) -> tuple[bool, bool]:
        """Whether they fit, and whether there is such a user; raises BadRequestError when too many are being checked."""
        known = source in await self._sources_known()
        async with self._checking.lane(known=known).turn():
            return await asyncio.to_thread(self._check, name, password)

    def _check(self, name: str, password: str) -> tuple[bool, bool]:
        user = self._state.user(name) if 0 < len(name) <= LONGEST_NAME else None
        return passwords.fits(password, user.secret if user is not None else None), user is not None

    async def _sources_known(self) -> OrderedDict[str, None]:
        """At first those of the sessions that are open: a restart forgets nobody."""
        if self._home is None:
            sessions = await asyncio.to_thread(self._state.sessions)
            if self._home is None:  # another request may have been quicker
                self._home = OrderedDict.fromkeys(one.source for one in reversed(sessions))
        return self._home

    def _remember(self, source: str) -> None:
        if self._home is not None:
            self._home[source] = None
            self._home.move_to_end(source)
            while len(self._home) > _HOME:
                self._home.popitem(last=False)

    def _give_back(self, sources: tuple[Charge, ...], pairs: tuple[Charge, ...]) -> None:
        self._sources.give_back(sources)
        self._pairs.give_back(pairs)

    def _watch(self, name: str, source: str, mono_ns: int) -> None:
        found = self._guessing.failed(name, source, mono_ns)
        if found is None:
            return
        extra = {
            "event": "wall.sign-in-guessed",
            "user": name,
            "failures": found.failures,
            "sources": len(found.sources),
        }
        _log.warning("the password of %s is being guessed", name, extra=extra)

    def _refuse(self, source: str, why: str) -> None:
        self.refused += 1
        if why == "too often" and not self._is_time_to_tell(source):
            return
        extra = {"event": "wall.sign-in-refused", "source": source, "reason": why, "count": self.refused}
        _log.warning("sign-in from %s refused: %s", source, why, extra=extra)

    def _is_time_to_tell(self, source: str) -> bool:
        """Once a minute of an address that does not stop: its lines must not fill the disk."""
        now_ns = self._clock.now_ns()
        if abs(now_ns - self._told_ns.get(source, -_TELL_EVERY_NS)) < _TELL_EVERY_NS:
            return False
        self._told_ns[source] = now_ns
        self._told_ns.move_to_end(source)
        while len(self._told_ns) > _MOST_TOLD:
            self._told_ns.popitem(last=False)
        return True

    def _set_cookie(
        self, request: Request, answer: Response, name: str, token: str, max_age_s: float
    ) -> None:
        answer.set_cookie(
            name,
            token,
            max_age=int(max_age_s),
            path="/",
            httponly=True,
            secure=origin.is_secure(request, self._door.settings.proxies),
            samesite="lax",  # with strict, a link to a view that is shared by mail would lead to the sign-in
        )

    def _page(self, request: Request, said: str = "", status: int = 200, **facts: object) -> Response:
        config = self._live.current
        html = page.sign_in(config, request, f"/static/{self._files.digest}", said, facts)
        return HTMLResponse(html, status, page.HEADERS)
