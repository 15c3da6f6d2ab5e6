"""The wall over HTTP: what it answers, what it refuses, what every answer carries."""

from __future__ import annotations

import gzip
import json
import re
import socket
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest

from dashboards.wall.app import create_app
from dashboards.wall.serve import AddressInUseError, address, listen
from dashboards.wall.web.hosts import Hosts
from telemetry.windows import SECOND_NS
from tests.wall.storied_fleet import tell_incidents

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

NOW_MS = 1_795_495_670_000
HOUR_MS = 3_600_000
MORNING = "morning-review%40tatpar.example/20261124T053000Z"


def get(url: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    """Status, headers in lower case, body."""
    request = urllib.request.Request(url, headers={k.replace("_", "-"): v for k, v in headers.items()})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, {k.lower(): v for k, v in answer.headers.items()}, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, {k.lower(): v for k, v in error.headers.items()}, error.read()


def load(url: str) -> Any:
    status, _, body = get(url)
    assert status == 200, body
    return json.loads(body)


def test_the_snapshot_is_the_whole_picture(fleet: Any) -> None:
    """Scene and picture in one answer: 92 offices with names, places and tiles, today's and tomorrow's meetings."""
    whole = load(f"{fleet.url}/api/snapshot")
    offices = {office["id"]: office for office in whole["scene"]["offices"]}
    assert len(offices) == len(whole["picture"]["tiles"]) == len(whole["scene"]["cells"]) == 92
    assert offices["rampur"]["hi"] == "रामपुर"
    assert sum(office.get("linked", False) for office in offices.values()) == 56
    tile = whole["picture"]["tiles"]["rampur"]
    assert (tile["shade"], tile["probability"], tile["action"]) == ("not_ready", 0.31, "restart_router")
    assert tile["why"]["code"] == "loss_up"
    assert len(tile["loss"]) == len(tile["rtt"]) == 24
    assert whole["picture"]["tiles"]["lalitpur"]["shade"] == "dark"
    assert whole["picture"]["tiles"]["shamli"] == {"shade": "planned"}
    morning = whole["picture"]["meetings"]["morning-review@tatpar.example 20261124T053000Z"]
    assert morning["count"] == {
        "ready": 48, "at_risk": 4, "not_ready": 2, "dark": 1, "unknown": 1, "planned": 36,
    }  # fmt: skip
    assert whole["picture"]["track"]["of"] > 500


def test_times_are_numbers_that_a_browser_holds_exactly(fleet: Any) -> None:
    """No integer of the picture is beyond 2^53."""
    _, _, body = get(f"{fleet.url}/api/snapshot")
    assert max(int(n) for n in re.findall(rb"[:,\[](\d+)[,\]}]", body)) < 2**53


def test_the_snapshot_is_packed_when_the_browser_takes_it(fleet: Any) -> None:
    """Packed it is a third or less, and the same."""
    _, headers, packed = get(f"{fleet.url}/api/snapshot", accept_encoding="gzip")
    assert headers["content-encoding"] == "gzip"
    plain = gzip.decompress(packed)
    assert len(json.loads(plain)["scene"]["offices"]) == 92
    assert len(packed) < len(plain) / 3


def test_a_site_has_its_facts(fleet: Any) -> None:
    """Stamps, clock, presence of direction, and the verdicts ahead."""
    facts = load(f"{fleet.url}/api/site/rampur")
    line = next(one for one in facts["lines"] if one["path"] == "main.state")
    assert line["stamps"] == ["kernel"] * 4
    assert line["clock"] == "synchronised"
    assert line["stateful"] is True
    assert line["loss"] > 0.01
    assert facts["upcoming"][0]["shade"] == "not_ready"
    assert facts["upcoming"][0]["en"] == "Morning review"


def test_a_meeting_that_nothing_is_said_of_is_still_ahead(
    tmp_path: Path, make_fleet: Callable[..., Any], serve_fleet: Callable[..., Any]
) -> None:
    """Before the first verdict the office's page lists what it is invited to, as not known."""
    with make_fleet(tmp_path, story=False) as empty, serve_fleet(empty) as url:
        ahead = load(f"{url}/api/site/rampur")["upcoming"]
        planned = load(f"{url}/api/site/budaun")["upcoming"]
    assert (ahead[0]["en"], ahead[0]["shade"]) == ("Morning review", "unknown")
    assert "probability" not in ahead[0]
    assert [one["starts_ms"] for one in ahead] == sorted(one["starts_ms"] for one in ahead)
    assert planned[0]["shade"] == "planned"


def test_a_series_carries_its_marks(fleet: Any) -> None:
    """Meetings, flags and lost contact come with the line."""
    span = f"from={NOW_MS - 24 * HOUR_MS}&to={NOW_MS}"
    marks = load(f"{fleet.url}/api/site/rampur/series?{span}")["marks"]
    assert {mark["kind"] for mark in marks} == {"meeting", "flag"}
    dark = load(f"{fleet.url}/api/site/lalitpur/series?{span}&path=main.national")["marks"]
    assert any(mark["kind"] == "offline" for mark in dark)


def test_a_meeting_lists_every_invited_office_worst_first(fleet: Any) -> None:
    """92 offices with verdict, reasons, best profile and how the forecast moved."""
    page = load(f"{fleet.url}/api/meeting/{MORNING}")
    assert len(page["invited"]) == 92
    assert [one["site"] for one in page["invited"][:3]] == ["lalitpur", "jhansi-city", "rampur"]
    rampur = page["invited"][2]
    assert [f["horizon"] for f in rampur["forecasts"]] == ["T-24h", "T-2h"]
    assert rampur["best"] == "audio"
    assert page["invited"][-1] == {"site": page["invited"][-1]["site"], "shade": "planned"}


def test_a_meeting_that_is_over_says_what_came_true(fleet: Any) -> None:
    """Outcomes stand beside the offices once they are settled."""
    page = load(f"{fleet.url}/api/meeting/morning-review%40tatpar.example/20261123T053000Z")
    linked = [one for one in page["invited"] if one["shade"] != "planned"]
    held = [one.get("outcome") for one in linked]
    assert {"held", "failed"} >= set(held)
    assert "held" in held
    score = page["score"]
    of = sum(score.get(name, 0) for name in ("ready_held", "ready_failed", "not_held", "not_failed"))
    came = [one.get("came", "") for one in linked]
    assert came.count("missed") == score.get("ready_failed", 0)
    assert came.count("false_alarm") == score.get("not_held", 0)
    assert came.count("right") == of - came.count("missed") - came.count("false_alarm")
    assert came[0] == "missed"  # the surprises first
    assert [f["horizon"] for f in linked[0]["forecasts"]] == ["T-24h", "T-2h", "T-30m", "T-10m"]
    assert [f["issued_ms"] for f in linked[0]["forecasts"]] == sorted(
        f["issued_ms"] for f in linked[0]["forecasts"]
    )


def test_the_past_meetings_say_how_many_held_and_how_often_the_forecast_was_right(fleet: Any) -> None:
    """The newest first; each as its own page counts it."""
    past = load(f"{fleet.url}/api/meetings/past")
    starts = [one["starts_ms"] for one in past["meetings"]]
    assert starts == sorted(starts, reverse=True)
    assert past["days"] == 14
    assert max(one["ends_ms"] for one in past["meetings"]) <= NOW_MS
    one = next(
        m
        for m in past["meetings"]
        if m["recurrence"] == "20261123T053000Z" and m["uid"].startswith("morning")
    )
    page = load(f"{fleet.url}/api/meeting/{one['uid'].replace('@', '%40')}/{one['recurrence']}")
    outcomes = [office.get("outcome") for office in page["invited"]]
    assert (one["held"], one["failed"]) == (outcomes.count("held"), outcomes.count("failed"))
    assert one["right"] == page["score"].get("ready_held", 0) + page["score"].get("not_failed", 0)


def test_a_shared_fault_has_its_evidence_and_what_happened(fleet: Any) -> None:
    """Lasting ones and past ones; the time line says when it began, who was told and who took it up with which note."""
    lasting, over = tell_incidents(fleet)
    found = load(f"{fleet.url}/api/incidents")
    assert [one["id"] for one in found["open"]] == [lasting]
    assert [one["id"] for one in found["past"]] == [over, "6920-1"]
    assert found["past"][0]["by"] == "Asha Verma"
    page = load(f"{fleet.url}/api/incidents/{over}")
    assert [one["what"] for one in page["story"]] == ["began", "named", "raised", "acknowledged", "over"]
    assert page["story"][2]["told"][0] == {
        "name": "noc-duty", "channel": "mail", "sent_ms": page["story"][2]["at_ms"] + 2000,
    }  # fmt: skip
    assert "complaint 48213" in page["story"][3]["note"]
    assert page["incident"]["suffer"] == len(page["incident"]["sites"]) == 8
    status, _, body = get(f"{fleet.url}/api/incidents/none-such")
    assert (status, "none-such" in body.decode()) == (404, True)


def test_words_come_with_their_units(fleet: Any) -> None:
    """The catalogue and the units of a language."""
    told = load(f"{fleet.url}/api/words/hi.json")
    assert told["words"]["state.ready"] == "तैयार"
    assert told["units"]["h"] == ["घंटा", "घंटे"]
    terminals = ("acting.", "amiss.", "doctor.", "identity.", "importing.")
    assert not [key for key in told["words"] if key.startswith(terminals)], "what only a terminal says"


@pytest.mark.parametrize(
    ("path", "status", "line"),
    [
        ("/api/site/nowhere", 404, "no office has the id 'nowhere'"),
        ("/api/site/nowhere/series?from=1&to=2", 404, "no office"),
        ("/api/site/rampur/series", 400, "`from` is missing"),
        (f"/api/site/rampur/series?from={NOW_MS}", 400, "`to` is missing"),
        ("/api/site/rampur/series?from=yesterday&to=1", 400, "`from` is 'yesterday': write a whole number"),
        ("/api/site/rampur/series?from=-5&to=1", 400, "`from` is '-5'"),
        ("/api/site/rampur/series?from=1e3&to=1", 400, "`from` is '1e3'"),
        ("/api/site/rampur/series?from=%E0%A5%A7&to=1", 400, "`from` is '१'"),
        ("/api/site/rampur/series?from=99999999999999999999&to=1", 400, "write a whole number"),
        (f"/api/site/rampur/series?from={NOW_MS}&to={NOW_MS}", 400, "at least 15000 ms after"),
        (f"/api/site/rampur/series?from={NOW_MS}&to={NOW_MS - HOUR_MS}", 400, "at least 15000 ms after"),
        (f"/api/site/rampur/series?from=0&to={NOW_MS}", 400, "at most 800 days apart"),
        (f"/api/site/rampur/series?from={NOW_MS - HOUR_MS}&to={NOW_MS}&path=main", 400, "as main.state"),
        (f"/api/site/rampur/series?from={NOW_MS - HOUR_MS}&to={NOW_MS}&path={'x' * 99}.y", 400, "`path`"),
        ("/api/meeting/m/today", 400, "write it in UTC as 20251124T053000Z"),
        ("/api/meeting/nobody/20261124T053000Z", 404, "the calendar has no such meeting: 'nobody'"),
        ("/api/words/fr.json", 404, "the languages are hi, en"),
        ("/static/0000/js/main.js", 404, "reload the page"),
        ("/favicon.ico", 404, "the wall is at /"),
        ("/api/", 404, "no such address"),
    ],
)
def test_a_wrong_request_gets_one_clear_line(fleet: Any, path: str, status: int, line: str) -> None:
    """What is wrong and what to write instead, as JSON; never a trace."""
    got, headers, body = get(fleet.url + path)
    assert got == status
    assert headers["content-type"] == "application/json"
    told = json.loads(body)["error"]
    assert line in told
    assert "\n" not in told
    assert "Traceback" not in told


def test_only_reading_is_answered(fleet: Any) -> None:
    """A POST to what is only read is refused in one line."""
    request = urllib.request.Request(f"{fleet.url}/api/snapshot", data=b"{}", method="POST")
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=60)
    with refused.value as answer:
        assert answer.code == 405
        assert "POST is not for /api/snapshot" in json.loads(answer.read())["error"]


@pytest.mark.parametrize("path", ["/", "/api/snapshot", "/healthz", "/nowhere", "/api/site/nowhere"])
def test_every_answer_is_guarded(fleet: Any, path: str) -> None:
    """The content policy lets nothing in from elsewhere, and no page frames us."""
    _, headers, _ = get(fleet.url + path)
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert headers["x-content-type-options"] == "nosniff"


def test_files_are_kept_for_ever_below_their_digest(fleet: Any) -> None:
    """The page names the digest, is itself asked for anew, and answers 304 when it is the same."""
    _, headers, body = get(f"{fleet.url}/")
    assert headers["cache-control"] == "no-cache"
    files = set(re.findall(rb'"(/static/[0-9a-f]{16}/[^"]+)"', body))
    assert len(files) > 8
    for name in files:
        status, kept, _ = get(fleet.url + name.decode())
        assert status == 200
        assert "immutable" in kept["cache-control"]
    assert get(f"{fleet.url}/", if_none_match=headers["etag"])[0] == 304


@pytest.fixture
def events(fleet: Any) -> Iterator[Any]:
    """Opens the stream and reads one event at a time."""
    opened = []

    def read(after: str, header: bool = False) -> Any:
        request = urllib.request.Request(
            f"{fleet.url}/api/stream" + ("" if header else f"?after={after}"),
            headers={"Last-Event-ID": after} if header else {},
        )
        answer = urllib.request.urlopen(request, timeout=60)
        opened.append(answer)

        def one() -> dict[str, str]:
            fields: dict[str, str] = {}
            while True:
                line = answer.readline().decode().rstrip("\n")
                if not line and "data" in fields:
                    return fields
                name, _, value = line.partition(": ")
                if name:
                    fields[name] = value

        return one

    yield read
    for answer in opened:
        answer.close()


@pytest.mark.parametrize("header", [True, False])
def test_the_stream_resumes_after_an_event(fleet: Any, events: Any, header: bool) -> None:
    """A page that names the event it saw gets what it missed, and then what happens, without the whole."""
    seen = load(f"{fleet.url}/api/snapshot")["id"]
    fleet.state.set_presence("agra", "p1", _presence(fleet), fleet.clock.now_ns())
    one = events(seen, header)
    for _ in range(20):
        event = one()
        assert event["event"] != "snapshot"
        if "agra" in json.loads(event["data"]).get("tiles", {}):
            break
    else:
        pytest.fail("the change of agra did not come")
    assert event["id"].partition("-")[0] == seen.partition("-")[0]


def _presence(fleet: Any) -> Any:
    from telemetry.control import Presence

    fleet.clock.advance(SECOND_NS)  # another presence than the one before
    return Presence(online=True, since_ns=fleet.clock.now_ns())


def test_a_stranger_gets_the_whole_picture_and_then_beats(events: Any) -> None:
    """Without a known event the whole comes first; while nothing happens a beat comes every five seconds."""
    one = events("deadbeef-1")
    assert one()["event"] == "snapshot"
    kinds = {one()["event"] for _ in range(2)}
    assert "beat" in kinds or "change" in kinds


def test_healthz_says_that_all_is_well(fleet: Any) -> None:
    """200 with ok while the databases can be read."""
    assert load(f"{fleet.url}/healthz")["ok"] is True


def test_a_taken_port_is_one_clear_line() -> None:
    """The error names the address, the reason and the option that chooses another."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(AddressInUseError, match=rf"127\.0\.0\.1:{port}.*--port") as refused:
            listen("127.0.0.1", port)
    assert "\n" not in str(refused.value)


def test_port_0_is_a_free_one_and_the_address_says_which() -> None:
    """The address is known before the start."""
    with listen("127.0.0.1", 0) as listener:
        assert address(listener) == f"http://127.0.0.1:{listener.getsockname()[1]}/"


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8420", 200),
        ("127.8.9.1", 200),
        ("LOCALHOST:8420", 200),
        ("wall.localhost.", 200),
        ("[::1]:8420", 200),
        ("evil.example", 421),
        ("evil.example:8420", 421),
        ("localhost.evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("192.0.2.7", 421),
        ("", 421),
    ],
)
def test_a_wall_on_loopback_knows_only_its_own_names(fleet: Any, host: str, status: int) -> None:
    """A name that was made to point here (DNS rebinding) is refused on every address, with one line."""
    for path in ("/", "/api/snapshot", "/healthz"):
        got, headers, body = get(fleet.url + path, host=host)
        assert got == status
        assert "content-security-policy" in headers
        if status == 421:
            assert b"open it as localhost" in body
            assert b"rampur" not in body


def test_a_wall_that_is_open_to_the_network_answers_any_name(fleet: Any) -> None:
    """Where the operator listens on another address, names are the network's business."""
    app = create_app(fleet.live, fleet.reader, fleet.state, fleet.clock)
    app.state.listens_on = "0.0.0.0"
    scope = {"type": "http", "app": app, "headers": [(b"host", b"noc.example")]}
    assert Hosts(app, fleet.live)._known(scope)
    app.state.listens_on = "127.0.0.1"
    assert not Hosts(app, fleet.live)._known(scope)
