"""What people do on the wall: take up alerts and incidents, have offices rehearse."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Final

from msgspec import Meta, Struct, to_builtins

from dashboards.wall.access.body import json_of
from dashboards.wall.access.visitor import Visitor, Way
from dashboards.wall.picture.times import recurrence_ns
from dashboards.wall.web.answers import BadRequestError, json
from telemetry.access import IncidentMark
from telemetry.alerting import AlertState
from telemetry.rehearsing import PLAN_KEYS, new_request
from telemetry.state.alerts import UnknownAlertError
from telemetry.state.rehearsals import Asked
from telemetry.windows import DAY_NS, HOUR_NS

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from dashboards.wall.sources import Live
    from telemetry.alerting import Alert
    from telemetry.clock import WallClock
    from telemetry.state.db import StateDb

LONGEST_NOTE: Final = 300
_PAST_NS: Final = 90 * DAY_NS
_Text = Annotated[str, Meta(max_length=LONGEST_NOTE)]
_Name = Annotated[str, Meta(max_length=64)]


class Acknowledgement(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody takes it up."""

    name: _Name = ""
    """Who; where people sign in it is their own name, whatever stands here."""
    note: _Text = ""


class Acknowledged(Struct, frozen=True, kw_only=True):
    """What stands now: the first one counts."""

    by: str
    at_ms: int
    note: str
    is_new: bool
    """False: somebody was quicker, and it is theirs."""


class WantedRehearsal(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An occurrence whose offices are to rehearse."""

    uid: Annotated[str, Meta(min_length=1, max_length=1024)]
    recurrence: Annotated[str, Meta(max_length=40)]
    sites: Annotated[tuple[Annotated[str, Meta(max_length=64)], ...], Meta(max_length=500)] = ()
    """Only these of the invited offices; empty for all."""
    key: Annotated[str, Meta(max_length=64)] = ""
    """Asked again with the same key, it is the same rehearsal; those that begin with `plan/` are the plan's own."""


class AskedRehearsal(Struct, frozen=True, kw_only=True):
    """What came of asking."""

    id: str
    """Of the rehearsal; when another one is going on, of that."""
    outcome: str
    """`new`, `same` (asked for before), `busy` (another one is going on)."""


class Me(Struct, frozen=True, kw_only=True):
    """Who is asking."""

    name: str
    role: str
    way: str
    """`local`, `user`, `proxy`, `link`."""
    csrf: str
    """For the header `x-tatpar-csrf`."""


class Acting:
    """The handlers."""

    def __init__(self, live: Live, state: StateDb, clock: WallClock) -> None:
        self._live = live
        self._state = state
        self._clock = clock

    async def me(self, request: Request) -> Response:
        """Who is asking, and what they may do."""
        visitor: Visitor = request.state.visitor
        return json(Me(name=visitor.name, role=visitor.role.word, way=visitor.way.value, csrf=visitor.csrf))

    async def acknowledge_alert(self, request: Request) -> Response:
        """Take up an alert."""
        said = await json_of(request, Acknowledgement)
        who = _who(request, said.name)
        alert_id = request.path_params["id"].upper()
        return json(await asyncio.to_thread(self._take_alert, alert_id, who, _line(said.note)))

    async def acknowledge_incident(self, request: Request) -> Response:
        """Take up an incident, and the alert about it, if there is one."""
        said = await json_of(request, Acknowledgement)
        who = _who(request, said.name)
        incident = request.path_params["id"]
        return json(await asyncio.to_thread(self._take_incident, incident, who, _line(said.note)))

    async def rehearse(self, request: Request) -> Response:
        """Ask for a rehearsal of an occurrence's offices."""
        wanted = await json_of(request, WantedRehearsal)
        visitor: Visitor = request.state.visitor
        return json(await asyncio.to_thread(self._ask, wanted, visitor.name or "local"), 202)

    async def rehearsal(self, request: Request) -> Response:
        """How far a rehearsal is."""
        found = await asyncio.to_thread(self._state.rehearsal, request.path_params["id"])
        if found is None:
            raise BadRequestError("there is no such rehearsal", 404)
        return json(to_builtins(found))

    async def stop_rehearsal(self, request: Request) -> Response:
        """Ask that a rehearsal stops."""
        rehearsal_id = request.path_params["id"]
        is_on = await asyncio.to_thread(self._state.stop_rehearsal, rehearsal_id, self._clock.now_ns())
        if not is_on:
            raise BadRequestError("there is no such rehearsal, or it is over", 404)
        return json({"id": rehearsal_id}, 202)

    async def rehearsals(self, request: Request) -> Response:
        """The rehearsals of an occurrence, newest first."""
        uid, recurrence = request.path_params["uid"], _recurrence(request.path_params["recurrence"])
        found = await asyncio.to_thread(self._state.rehearsals_of, uid, recurrence)
        return json([to_builtins(one) for one in found])

    def _take_alert(self, alert_id: str, who: str, note: str) -> Acknowledged:
        try:
            alert = self._state.acknowledge(alert_id, who, note, self._clock.now_ns())
        except UnknownAlertError:
            raise BadRequestError(f"there is no alert {alert_id[:20]!r}", 404) from None
        return _acknowledged(alert, who, note)

    def _take_incident(self, incident: str, who: str, note: str) -> Acknowledged:
        now_ns = self._clock.now_ns()
        known = {one.id for one in self._state.open_incidents()}
        known |= {one.id for one in self._state.incidents(now_ns - _PAST_NS, now_ns + HOUR_NS)}
        if incident not in known:
            raise BadRequestError(f"there is no incident {incident[:60]!r}", 404)
        open_alert = next((one for one in self._state.open_alerts() if _is_of(one, incident)), None)
        if open_alert is not None:
            taken = _acknowledged(self._state.acknowledge(open_alert.id, who, note, now_ns), who, note)
            if not taken.is_new:
                return taken
        mine = IncidentMark(incident=incident, at_ns=now_ns, who=who, note=note)
        stands = self._state.mark_incident(mine, is_first=open_alert is None)
        return Acknowledged(
            by=stands.who, at_ms=stands.at_ns // 1_000_000, note=stands.note, is_new=stands is mine
        )

    def _ask(self, wanted: WantedRehearsal, who: str) -> AskedRehearsal:
        if wanted.key.startswith(PLAN_KEYS):
            raise BadRequestError(f"keys that begin with {PLAN_KEYS} are the plan's own; choose another one")
        recurrence = _recurrence(wanted.recurrence)
        now_ns = self._clock.now_ns()
        occurrence = self._live.current.calendar.find(wanted.uid, recurrence, recurrence)
        if occurrence is None:
            raise BadRequestError("the calendar has no such occurrence", 404)
        strangers = sorted(set(wanted.sites) - set(occurrence.meeting.invited))
        if strangers:
            raise BadRequestError(f"not invited to this meeting: {', '.join(strangers)[:120]}")
        request = new_request(
            meeting=wanted.uid,
            recurrence_ns=recurrence,
            who=who,
            now_ns=now_ns,
            key=wanted.key,
            sites=wanted.sites,
        )
        asked, rehearsal_id = self._state.ask_rehearsal(request)
        if asked is Asked.BUSY:
            raise BadRequestError(
                f"another rehearsal is going on ({rehearsal_id}); wait for it, or stop it", 409
            )
        return AskedRehearsal(id=rehearsal_id, outcome=asked.value)


def _who(request: Request, said: str) -> str:
    """The name to put on record: of who signed in; on this machine what they say."""
    visitor: Visitor = request.state.visitor
    name = visitor.name if visitor.way is not Way.LOCAL else " ".join(said.split())
    if not name:
        raise BadRequestError("`name` is empty: say who takes it up")
    return _line(name)


def _line(text: str) -> str:
    """Text as one line; raises BadRequestError when it holds what is no text."""
    line = " ".join(text.split())
    if not line.isprintable() and not all(char.isprintable() or char in "\u200c\u200d" for char in line):
        raise BadRequestError("name and note are plain text: no control characters")
    return line


def _recurrence(text: str) -> int:
    try:
        return recurrence_ns(text)
    except ValueError:
        raise BadRequestError(
            f"{text[:40]!r} is no recurrence: write it in UTC as 20251124T053000Z"
        ) from None


def _is_of(alert: Alert, incident: str) -> bool:
    return alert.incident == incident and not alert.site


def _acknowledged(alert: Alert, who: str, note: str) -> Acknowledged:
    """What stands; raises BadRequestError when it is over."""
    if alert.state is AlertState.RESOLVED or alert.acknowledged_ns is None:
        raise BadRequestError("it is over already: there is nothing to take up", 409)
    return Acknowledged(
        by=alert.acknowledged_by,
        at_ms=alert.acknowledged_ns // 1_000_000,
        note=alert.note,
        is_new=(alert.acknowledged_by, alert.note) == (who, note),
    )
