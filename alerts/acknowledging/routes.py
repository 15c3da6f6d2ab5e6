"""`/ack/TOKEN`: GET shows, POST acknowledges.

A button acknowledges what its page shows: when it has got worse since, the page comes again as it is now.
Mail programs and their scanners open links to look behind them, so following one changes nothing: only the button does.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs

from starlette.responses import HTMLResponse
from starlette.routing import Route

from alerts import links
from alerts.acknowledging import page
from alerts.acknowledging.note import one_line
from alerts.acknowledging.who import audience_of, language_of, name_of
from alerts.saying import description
from config.settings_file import timezone_of
from telemetry.alerting import AlertState
from telemetry.words import say

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from config.config import Config
    from config.live import LiveConfig
    from telemetry.alerting import Alert
    from telemetry.clock import WallClock
    from telemetry.state.db import StateDb

BODY_BYTES: Final = 8192
"""A note of 300 characters of Devanagari is 2,700 bytes as forms send it."""
_log = logging.getLogger(__name__)


class Acknowledging:
    """The page's routes over a state database; `secret` signs the links."""

    def __init__(self, live: LiveConfig, state: StateDb, secret: bytes, clock: WallClock) -> None:
        self._live = live
        self._state = state
        self._secret = secret
        self._clock = clock
        self.refused: Counter[str] = Counter()
        """How many links were not followed, by why."""

    def routes(self) -> list[Route]:
        """For an application of Starlette's."""
        return [Route("/ack/{token}", self.answer, methods=["GET", "POST"])]

    async def answer(self, request: Request) -> Response:
        """One page, whatever the link."""
        note = ""
        if request.method == "POST":
            found = await _note(request)
            if found is None:
                config = self._live.current
                language = config.settings.deployment.language
                said = say(language, "ack.form_lost")
                return HTMLResponse(page.told(config, language, "", said), 413, page.HEADERS)
            note = found
        takes = request.method == "POST"
        text, status = await asyncio.to_thread(self._look, request.path_params["token"], note, takes=takes)
        return HTMLResponse(text, status, page.HEADERS)

    def _look(self, token: str, note: str, *, takes: bool) -> tuple[str, int]:
        config, now_ns = self._live.current, self._clock.now_ns()
        link = links.read(self._secret, token, now_ns)
        if isinstance(link, links.Wrong):
            return self._no(config, link)
        alert = self._state.alert(link.alert)
        if alert is None:
            return self._no(config, links.Wrong.FOREIGN)
        language, was_open = language_of(config, link.person), alert.acknowledged_ns is None
        takes = takes and link.turn == alert.turn
        if takes and alert.state is not AlertState.RESOLVED and was_open:
            alert = self._state.acknowledge(
                alert.id, name_of(config, link.person), note, now_ns, turn=link.turn
            )
            extra = {"event": "alert.acknowledged", "alert": alert.id, "person": link.person, "by": "link"}
            _log.info("alert %s acknowledged by %s", alert.id, alert.acknowledged_by, extra=extra)
        what = description(alert, config, language, now_ns, audience_of(config, link.person))
        said = _said(alert, config, language, is_own=takes and _is_own(alert, config, link.person))
        if said is None:
            current = links.sign(self._secret, alert.id, link.person, link.expires_ns, alert.turn)
            return page.asking(config, language, alert.id, what, current), 200
        return page.told(config, language, alert.id, said, what), 200

    def _no(self, config: Config, why: links.Wrong) -> tuple[str, int]:
        self.refused[why.value] += 1
        extra = {"event": "ack.refused", "reason": why.value, "count": self.refused[why.value]}
        _log.info("a link was not followed: %s", why.value, extra=extra)
        language = config.settings.deployment.language
        said = say(language, f"ack.{why.value}")
        return page.told(config, language, "", said), 410 if why is links.Wrong.EXPIRED else 404


def _said(alert: Alert, config: Config, language: str, *, is_own: bool) -> str | None:
    """What there is to say instead of a button; None: there is the button."""
    zone = timezone_of(config.settings)
    if alert.resolved_ns is not None:
        return say(language, "ack.over", zone=zone, at=alert.resolved_ns)
    if alert.acknowledged_ns is None:
        return None
    key = ("ack.done" if is_own else "ack.already") + ("" if alert.acknowledged_by else "_unnamed")
    return say(language, key, zone=zone, name=alert.acknowledged_by, at=alert.acknowledged_ns)


def _is_own(alert: Alert, config: Config, person: str) -> bool:
    return alert.acknowledged_by == name_of(config, person)


async def _note(request: Request) -> str | None:
    """The form's note, in one line; None when the form is too long or none."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > BODY_BYTES:
            return None
    try:
        fields = parse_qs(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=5)
    except ValueError:
        return None
    return one_line(fields.get("note", [""])[0])
