"""What each role may do, and what a request must carry to change anything."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from msgspec import structs

from dashboards.wall.app import create_app
from dashboards.wall.web.openapi import OPERATIONS
from telemetry.access import IncidentMark
from telemetry.alerting import Alert, AlertState, Kind, Severity
from telemetry.decisions import Evidence, Factor, FactorKind, Incident
from tests.wall.access.conftest import NAMES, Browser

if TYPE_CHECKING:
    from collections.abc import Callable

MORNING = {"uid": "morning-review@tatpar.example", "recurrence": "20261124T053000Z"}
ALERT = Alert(
    id="K7M2PQ",
    kind=Kind.NOT_READY,
    state=AlertState.FIRING,
    severity=Severity.WARNING,
    site="agra",
    since_ns=1,
    pending_ns=1,
    fired_ns=1,
)


def raise_alert(db: Any, alert_id: str, **changes: Any) -> None:
    db.put_alerts([structs.replace(ALERT, id=alert_id, **changes)], [], 1)


def test_every_address_says_what_it_takes(closed: Any) -> None:
    """Whoever is nobody gets into nothing below /api; every address there is described, and nothing else is."""
    app = create_app(closed.live, closed.reader, closed.state, closed.clock)
    served = {
        (method, route.path) for route in app.routes for method in (route.methods or ()) if method != "HEAD"
    }
    assert {one for one in served if one[1].startswith("/api/")} | {("GET", "/healthz")} == set(OPERATIONS)
    stranger = Browser(closed.url)
    for method, path in sorted(served):
        if path.startswith("/api/"):
            asked = re.sub(r"\{recurrence\}", "20261124T053000Z", path)
            asked = re.sub(r"\{[a-z]+\}", "agra", asked)
            data = b"{}" if method == "POST" else None
            assert stranger.ask(asked, data=data, content_type="application/json")[0] == 401, path


@pytest.mark.parametrize("name", NAMES)
def test_roles_add_up(closed: Any, visit: Callable[[str], Browser], name: str) -> None:
    """Seeing is for all; taking up from acknowledge on; rehearsing from rehearse on; a refusal names the role that it takes."""
    browser, role = visit(name), NAMES[name]
    raise_alert(closed.state, f"A{role:05}", site=f"office-{name}")
    assert browser.ask("/api/snapshot")[0] == 200
    status, said = browser.act(
        f"/api/alerts/A{role:05}/acknowledge", {"note": "on it", "name": "somebody else"}
    )
    assert status == (200 if role >= 2 else 403)
    if role >= 2:
        assert (said["by"], said["note"], said["is_new"]) == (name, "on it", True)
    else:
        assert "takes the role acknowledge, yours is see" in said["error"]
    status, said = browser.act("/api/rehearsals", MORNING | {"key": "once"})
    assert status == (202 if role >= 3 else 403)


def test_the_first_one_counts(closed: Any, visit: Callable[[str], Browser]) -> None:
    """The second one is told whose it is; an alert that is over, or none, is told as such."""
    raise_alert(closed.state, "B00001", site="first")
    asha, ravi = visit("asha"), visit("ravi")
    assert asha.act("/api/alerts/b00001/acknowledge", {"note": "mine"})[1]["is_new"]
    status, said = ravi.act("/api/alerts/B00001/acknowledge", {"note": "no, mine"})
    assert (status, said["by"], said["note"], said["is_new"]) == (200, "asha", "mine", False)
    raise_alert(closed.state, "B00002", site="over", state=AlertState.RESOLVED, resolved_ns=5)
    assert ravi.act("/api/alerts/B00002/acknowledge", {})[0] == 409
    assert ravi.act("/api/alerts/ZZZZZZ/acknowledge", {})[0] == 404


def test_an_incident_is_taken_up_with_its_alert(closed: Any, visit: Callable[[str], Browser]) -> None:
    """Its open alert is acknowledged with it; without one it stands on record all the same."""
    now_ns = closed.clock.now_ns()
    for number in (1, 2):
        made = Incident(
            id=f"provider-p{number}", factor=Factor(FactorKind.PROVIDER, f"p{number}"), since_ns=now_ns - 9,
            told_ns=now_ns, seen_ns=now_ns, sites=("agra", "etah"),
            evidence=Evidence(members=2, suffer=2, others=50, others_suffer=0, log_odds=9.0),
        )  # fmt: skip
        closed.state.put_incidents([made])
    raise_alert(closed.state, "C00001", kind=Kind.SHARED, site="", incident="provider-p1")
    asha, ravi = visit("asha"), visit("ravi")
    assert asha.act("/api/incidents/provider-p1/acknowledge", {"note": "called them"})[1]["is_new"]
    assert closed.state.alert("C00001").acknowledged_by == "asha"
    assert not ravi.act("/api/incidents/provider-p1/acknowledge", {})[1]["is_new"]
    assert asha.act("/api/incidents/provider-p2/acknowledge", {"note": "seen"})[1]["is_new"]
    assert ravi.act("/api/incidents/provider-p2/acknowledge", {})[1] == {
        **asha.act("/api/incidents/provider-p2/acknowledge", {})[1]
    }
    marks = closed.state.incident_marks(["provider-p1", "provider-p2"])
    assert [(mark.incident, mark.who, mark.note) for mark in marks] == [
        ("provider-p1", "asha", "called them"),
        ("provider-p2", "asha", "seen"),
    ]
    assert asha.act("/api/incidents/none/acknowledge", {})[0] == 404


def test_of_two_who_act_in_the_same_moment_one_is_the_first(closed: Any) -> None:
    """An incident without an alert: whoever was later by a hair, after both had looked, gets the other one's mark."""
    asha, ravi = (IncidentMark(incident="provider-p3", at_ns=5, who=who, note="") for who in ("asha", "ravi"))
    assert closed.state.mark_incident(asha, is_first=True) is asha
    assert closed.state.mark_incident(ravi, is_first=True) == asha
    assert closed.state.incident_marks(["provider-p3"]) == [asha]


def test_a_rehearsal_is_asked_for_once(closed: Any, visit: Callable[[str], Browser]) -> None:
    """The same key is the same rehearsal; another one waits until it is over; it can be read and stopped."""
    for open_one in [closed.state.open_rehearsal()]:
        if open_one is not None:
            closed.state.put_rehearsal(structs.replace(open_one, ended_ns=closed.clock.now_ns()))
    ravi = visit("ravi")
    status, first = ravi.act("/api/rehearsals", MORNING | {"key": "mine"})
    assert (status, first["outcome"]) == (202, "new")
    assert ravi.act("/api/rehearsals", MORNING | {"key": "mine"})[1] == {"id": first["id"], "outcome": "same"}
    assert ravi.act("/api/rehearsals", MORNING)[0] == 409
    assert ravi.act("/api/rehearsals", MORNING | {"recurrence": "20200101T000000Z"})[0] == 404
    assert ravi.act("/api/rehearsals", MORNING | {"sites": ["elsewhere"]})[0] == 400
    status, said = ravi.act("/api/rehearsals", MORNING | {"key": "plan/it"})
    assert (status, "the plan's own" in said["error"]) == (400, True)
    found = json.loads(ravi.ask(f"/api/rehearsals/{first['id']}")[2])
    assert (found["request"]["who"], found.get("state", "waiting")) == ("ravi", "waiting")
    listed = json.loads(ravi.ask(f"/api/meeting/{MORNING['uid']}/{MORNING['recurrence']}/rehearsals")[2])
    assert first["id"] in {one["request"]["id"] for one in listed}
    assert ravi.act(f"/api/rehearsals/{first['id']}/stop", {})[0] == 202
    assert closed.state.rehearsal(first["id"]).stop_ns is not None


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "null", "http://127.0.0.1:1", None],
    ids=["other", "null", "port", "none"],
)
def test_other_pages_cannot_make_a_browser_act(visit: Callable[[str], Browser], origin: str | None) -> None:
    """A page from elsewhere has the cookie sent along at best: neither its request nor its form is taken."""
    asha = visit("asha")
    token = asha.me()["csrf"]
    asha.origin = origin
    assert asha.act("/api/alerts/K7M2PQ/acknowledge", {}, token)[0] == 403
    assert asha.ask("/sign-out", data=b"")[0] == 403
    assert asha.sign_in("asha") == 403
    asha.origin = ""
    assert asha.ask("/sign-out", data=b"", sec_fetch_site="cross-site")[0] == 403


@pytest.mark.parametrize("token", ["", "0" * 32, "é"])
def test_without_the_token_nothing_changes(visit: Callable[[str], Browser], token: str) -> None:
    """From our own page, but without what only our page knows."""
    asha = visit("asha")
    status, _, said = asha.ask(
        "/api/alerts/K7M2PQ/acknowledge", data=b"{}", content_type="application/json",
        x_tatpar_csrf=token.encode().decode("latin-1"),
    )  # fmt: skip
    assert (status, "/api/me" in json.loads(said)["error"]) == (403, True)


@pytest.mark.parametrize(
    ("body", "kind", "status", "says"),
    [
        (b"{", "application/json", 400, "cannot be read"),
        (b'{"note": 5}', "application/json", 400, "$.note"),
        (b'{"nota": "x"}', "application/json", 400, "nota"),
        (b'{"note": "' + b"x" * 301 + b'"}', "application/json", 400, "300"),
        (b'{"note": "a\\u0007b"}', "application/json", 400, "plain text"),
        (b"\xff\xfe", "application/json", 400, "cannot be read"),
        (b"note=x", "application/x-www-form-urlencoded", 415, "application/json"),
        (b" " * 9_000, "application/json", 413, "8192"),
    ],
)
def test_a_bad_body_gets_one_line(
    visit: Callable[[str], Browser], body: bytes, kind: str, status: int, says: str
) -> None:
    """Where, what, what to send instead."""
    asha = visit("asha")
    got, _, said = asha.ask(
        "/api/alerts/K7M2PQ/acknowledge", data=body, content_type=kind, x_tatpar_csrf=asha.me()["csrf"]
    )
    assert got == status
    assert says in json.loads(said)["error"]


def test_an_origin_that_is_no_address_is_refused(closed: Any) -> None:
    """Not with a traceback: anybody may send it."""
    browser = Browser(closed.url, origin="http://[")
    assert browser.sign_in("sita") == 403


@pytest.mark.parametrize("name", ["00010101T000000Z", "99991231T235959Z"])
def test_a_time_beyond_the_calendar_is_one_line(visit: Callable[[str], Browser], name: str) -> None:
    """As is one that is no time."""
    ravi = visit("ravi")
    assert ravi.act("/api/rehearsals", MORNING | {"recurrence": name})[0] == 400
    assert ravi.ask(f"/api/meeting/{MORNING['uid']}/{name}")[0] in {400, 404}
