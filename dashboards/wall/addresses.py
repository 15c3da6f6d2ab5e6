"""Every address of the wall, with the role that it takes. What is not here is not served."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards.wall.access.entry import SIGN_IN, Entry
from dashboards.wall.web.stream import stream
from telemetry.access import Role

if TYPE_CHECKING:
    from dashboards.wall.access.acting import Acting
    from dashboards.wall.access.sign_in import SignIn
    from dashboards.wall.web.files import Files
    from dashboards.wall.web.openapi import Document
    from dashboards.wall.web.pages import Pages


def addresses(pages: Pages, files: Files, acting: Acting, sign_in: SignIn, document: Document) -> list[Entry]:
    """All of them; what each answers is told in `web/openapi.py`."""
    return [
        Entry("/", files.page, Role.SEE, is_page=True),
        Entry("/static/{digest}/{name:path}", files.file, None),
        Entry(SIGN_IN, sign_in.ask, None, is_page=True),
        Entry(SIGN_IN, sign_in.take, None, method="POST", by_form=True),
        Entry("/sign-out", sign_in.leave, None, method="POST", by_form=True),
        Entry("/look/{token}", sign_in.look, None, is_page=True),
        Entry("/healthz", pages.health, None),
        Entry("/api/openapi.json", document.show, Role.SEE),
        Entry("/api/me", acting.me, Role.SEE),
        Entry("/api/snapshot", pages.snapshot, Role.SEE),
        Entry("/api/stream", stream, Role.SEE),
        Entry("/api/site/{site}", pages.site, Role.SEE),
        Entry("/api/site/{site}/series", pages.series, Role.SEE),
        Entry("/api/meeting/{uid}/{recurrence}", pages.meeting, Role.SEE),
        Entry("/api/meeting/{uid}/{recurrence}/rehearsals", acting.rehearsals, Role.SEE),
        Entry("/api/meetings/past", pages.meetings, Role.SEE),
        Entry("/api/incidents", pages.incidents, Role.SEE),
        Entry("/api/incidents/{id}", pages.incident, Role.SEE),
        Entry("/api/words/{language}.json", pages.words, Role.SEE),
        Entry("/api/alerts/{id}/acknowledge", acting.acknowledge_alert, Role.ACKNOWLEDGE, method="POST"),
        Entry(
            "/api/incidents/{id}/acknowledge", acting.acknowledge_incident, Role.ACKNOWLEDGE, method="POST"
        ),
        Entry("/api/rehearsals", acting.rehearse, Role.REHEARSE, method="POST"),
        Entry("/api/rehearsals/{id}", acting.rehearsal, Role.SEE),
        Entry("/api/rehearsals/{id}/stop", acting.stop_rehearsal, Role.REHEARSE, method="POST"),
    ]
