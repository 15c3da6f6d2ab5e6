"""Whom a wall on loopback answers: browsers that were told this machine's own name; and a proxy that hands in links of alerts.

A page from elsewhere can make a browser resolve the page's own name to 127.0.0.1 and read what is served there
(DNS rebinding); its requests carry that foreign name in the Host header, and are refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers

from config import address
from dashboards.wall.web.answers import json

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from dashboards.wall.sources import Live

_MISDIRECTED: Final = 421


def is_loopback(name: str) -> bool:
    """Whether a host name or address can only be this machine (names below `localhost` too: RFC 6761 6.3)."""
    return name.endswith(".localhost") or address.is_loopback(name)


def name_of(host: str) -> str:
    """The name in a Host header, without its port, in lower case (RFC 9110 7.2)."""
    host = host.strip().lower()
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].rstrip(".")


class Hosts:
    """ASGI middleware: while `app.state.listens_on` is loopback, only loopback names and the configured host."""

    def __init__(self, app: ASGIApp, live: Live) -> None:
        self._app = app
        self._live = live

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, or answer 421 with one line."""
        if scope["type"] != "http" or self._known(scope):
            await self._app(scope, receive, send)
            return
        told = name_of(Headers(scope=scope).get("host", ""))[:80]
        line = f"this wall listens on this machine only and has no name {told!r}; open it as localhost or 127.0.0.1"
        await json({"error": line}, _MISDIRECTED)(scope, receive, send)

    def _known(self, scope: Scope) -> bool:
        if not is_loopback(getattr(scope["app"].state, "listens_on", "")):
            return True
        name = name_of(Headers(scope=scope).get("host", ""))
        settings = self._live.current.settings
        if is_loopback(name) or name == settings.wall.host.lower():
            return True
        public = urlsplit(settings.alerts.delivery.public_url).hostname
        return name == public and scope["path"].startswith("/ack/")
