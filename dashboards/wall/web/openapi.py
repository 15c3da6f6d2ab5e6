"""The HTTP API as an OpenAPI 3.1 document: what each address takes and answers, from the very types that it is made of."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Struct

from dashboards.wall.access.acting import (
    Acknowledged,
    Acknowledgement,
    AskedRehearsal,
    Me,
    WantedRehearsal,
)
from dashboards.wall.access.entry import CSRF_HEADER
from dashboards.wall.incident_page import CasePage, Cases
from dashboards.wall.meeting_page import MeetingPage
from dashboards.wall.past_meetings import Past
from dashboards.wall.picture.model import Picture, Scene
from dashboards.wall.series import Series
from dashboards.wall.site_page import Mark, SitePage
from dashboards.wall.web.answers import packed_json
from telemetry.rehearsing import RehearsalRecord

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.requests import Request
    from starlette.responses import Response

    from dashboards.wall.access.entry import Entry

_VERSION: Final = "1"
_PLACE: Final = re.compile(r"\{([a-z]+)(?::path)?\}")


class Error(Struct, frozen=True, kw_only=True):
    """What is wrong, and what to do instead."""

    error: str


class Snapshot(Struct, frozen=True, kw_only=True):
    """All that the wall shows."""

    id: str
    """Of the last event of the stream that is in it."""
    scene_id: int
    now_ms: int
    picture: Picture
    scene: Scene


class MarkedSeries(Series, frozen=True, kw_only=True):
    """A line over time, with what happened meanwhile."""

    marks: list[Mark]


class Health(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Whether the wall is at work; only `ok` for who is not signed in."""

    ok: bool
    viewers: int = 0
    restarts: int = 0
    trouble: str = ""
    refused: str = ""


class Catalogue(Struct, frozen=True, kw_only=True):
    """Sentences and units of a language."""

    words: dict[str, str]
    units: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Operation:
    """What one method of one address is for."""

    says: str
    answer: object = None
    """Type of the JSON; None: no JSON."""
    body: type | None = None
    status: int = 200
    query: tuple[tuple[str, dict[str, Any], bool, str], ...] = ()
    """Name, schema, whether it must be there, what it means."""
    media: str = "application/json"
    errors: tuple[int, ...] = ()


_TIME: Final = {"type": "integer", "minimum": 0, "maximum": 9_007_199_254_000_000}
_SPAN: Final = (
    ("from", _TIME, True, "Begin, milliseconds since 1970-01-01 UTC."),
    ("to", _TIME, True, "End; at least 15 s and at most 800 days after it."),
    (
        "path",
        {"type": "string", "maxLength": 96},
        False,
        "`<uplink>.<end>`; default: to the first headquarters.",
    ),
)
_PLACES: Final = {
    "site": ({"type": "string", "maxLength": 64}, "Id of an office."),
    "uid": ({"type": "string", "maxLength": 1024}, "UID of a meeting."),
    "recurrence": (
        {"type": "string", "pattern": r"^\d{8}T\d{6}Z$"},
        "RECURRENCE-ID in UTC, as 20251124T053000Z.",
    ),
    "language": ({"type": "string", "enum": ["hi", "en"]}, "Language."),
    "id": ({"type": "string", "maxLength": 64}, "Id."),
}
OPERATIONS: Final = {
    ("GET", "/healthz"): Operation("Whether the wall is at work.", Health, errors=(503,)),
    ("GET", "/api/openapi.json"): Operation("This document.", dict[str, Any]),
    ("GET", "/api/me"): Operation(
        "Who is asking, and the token that requests which change something must carry.", Me
    ),
    ("GET", "/api/snapshot"): Operation("All that the wall shows, once.", Snapshot),
    ("GET", "/api/stream"): Operation(
        "Server-sent events `change`, `snapshot`, `beat`; resumes after `Last-Event-ID`.",
        media="text/event-stream",
        query=(("after", {"type": "string", "maxLength": 64}, False, "Id of the last event seen."),),
    ),
    ("GET", "/api/site/{site}"): Operation("Facts about one office.", SitePage, errors=(404,)),
    ("GET", "/api/site/{site}/series"): Operation(
        "One line over time, with marks.", MarkedSeries, query=_SPAN, errors=(400, 404)
    ),
    ("GET", "/api/meeting/{uid}/{recurrence}"): Operation(
        "One occurrence in full.", MeetingPage, errors=(400, 404)
    ),
    ("GET", "/api/meeting/{uid}/{recurrence}/rehearsals"): Operation(
        "Its rehearsals, newest first.", list[RehearsalRecord], errors=(400,)
    ),
    ("GET", "/api/meetings/past"): Operation("The meetings of the past days, and what came true.", Past),
    ("GET", "/api/incidents"): Operation("Shared faults, those that last and those that are over.", Cases),
    ("GET", "/api/incidents/{id}"): Operation("One shared fault and what happened.", CasePage, errors=(404,)),
    ("GET", "/api/words/{language}.json"): Operation("The catalogue.", Catalogue, errors=(404,)),
    ("POST", "/api/alerts/{id}/acknowledge"): Operation(
        "Take up an alert; the first one counts.", Acknowledged, Acknowledgement, errors=(404, 409)
    ),
    ("POST", "/api/incidents/{id}/acknowledge"): Operation(
        "Take up an incident, and the alert about it; the first one counts.",
        Acknowledged,
        Acknowledgement,
        errors=(404, 409),
    ),
    ("POST", "/api/rehearsals"): Operation(
        "Have the offices of an occurrence rehearse.", AskedRehearsal, WantedRehearsal, 202, errors=(404, 409)
    ),
    ("GET", "/api/rehearsals/{id}"): Operation("How far a rehearsal is.", RehearsalRecord, errors=(404,)),
    ("POST", "/api/rehearsals/{id}/stop"): Operation(
        "Ask that a rehearsal stops.", dict[str, str], status=202, errors=(404,)
    ),
}
"""By method and address; pages for people and files are not listed."""


class Document:
    """Made once, when the addresses are known."""

    def __init__(self) -> None:
        self._body = b""

    def describe(self, entries: Iterable[Entry]) -> None:
        """Take up the addresses that are served."""
        self._body = msgspec.json.encode(document(entries))

    async def show(self, request: Request) -> Response:
        """The document."""
        return packed_json(request, self._body)


def document(entries: Iterable[Entry]) -> dict[str, Any]:
    """The document of these addresses; an address below /api/ without an operation is a mistake of ours (KeyError)."""
    told = [one for one in entries if one.path.startswith("/api/") or (one.method, one.path) in OPERATIONS]
    kinds = [OPERATIONS[one.method, one.path] for one in told]
    types = [kind for one in kinds for kind in (one.answer, one.body) if kind is not None]
    schemas, components = msgspec.json.schema_components(
        [*types, Error], ref_template="#/components/schemas/{name}"
    )
    schema_of = iter(schemas)
    paths: dict[str, dict[str, Any]] = {}
    for entry, operation in zip(told, kinds, strict=True):
        answer = next(schema_of) if operation.answer is not None else {}
        body = next(schema_of) if operation.body is not None else None
        path = _PLACE.sub(r"{\1}", entry.path)
        paths.setdefault(path, {})[entry.method.lower()] = _operation(entry, operation, answer, body)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Tatpar, the wall", "version": _VERSION},
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"session": {"type": "apiKey", "in": "cookie", "name": "tatpar_session"}},
        },
    }


def _operation(
    entry: Entry, operation: Operation, answer: dict[str, Any], body: dict[str, Any] | None
) -> dict[str, Any]:
    content = {operation.media: {"schema": answer} if answer else {}}
    changes = entry.method != "GET"
    refused = {400, 403, 413, 415} if body is not None else {403} if changes else set()
    if entry.role is not None:
        refused |= {401, 403}
    statuses = sorted(refused | set(operation.errors) | {404, 421})
    made: dict[str, Any] = {
        "summary": operation.says,
        "operationId": re.sub(r"[^a-z]+", "_", f"{entry.method}{entry.path}".lower()).strip("_"),
        "parameters": _parameters(entry, operation, changes=changes),
        "responses": {
            str(operation.status): {"description": "Done.", "content": content},
            **{str(one): _refusal(one, answer) for one in statuses},
        },
    }
    if entry.role is not None:
        made["security"] = [{"session": []}]
        made["description"] = f"Takes the role {entry.role.word}."
    if body is not None:
        made["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    return made


def _refusal(status: int, answer: dict[str, Any]) -> dict[str, Any]:
    unhealthy = status == 503 and answer
    schema = answer if unhealthy else {"$ref": "#/components/schemas/Error"}
    return {
        "description": "Refused: why, and what to do.",
        "content": {"application/json": {"schema": schema}},
    }


def _parameters(entry: Entry, operation: Operation, *, changes: bool) -> list[dict[str, Any]]:
    found = [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": _PLACES[name][0],
            "description": _PLACES[name][1],
        }
        for name in _PLACE.findall(entry.path)
    ]
    found += [
        {"name": name, "in": "query", "required": required, "schema": schema, "description": says}
        for name, schema, required, says in operation.query
    ]
    if changes:
        says = "From /api/me; the request must also come from a page of the wall (Origin)."
        schema = {"type": "string", "maxLength": 64}
        found.append(
            {"name": CSRF_HEADER, "in": "header", "required": True, "schema": schema, "description": says}
        )
    return found
