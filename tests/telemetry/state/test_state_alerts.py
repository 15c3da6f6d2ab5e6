"""Alerts, the messages that follow from them, and silences."""

from __future__ import annotations

import contextlib
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from msgspec import structs

from telemetry.alerting import Alert, AlertState, Kind, Post, Severity, Silence
from telemetry.decisions import Reason, ReasonCode, State, Verdict
from telemetry.state.alerts import UnknownAlertError
from telemetry.state.db import StateDb
from telemetry.state.errors import StateError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ALERT = Alert(
    id="K7M2PQ",
    kind=Kind.NOT_READY,
    state=AlertState.FIRING,
    severity=Severity.WARNING,
    site="agra",
    meeting="review",
    occurrence_ns=1000,
    starts_ns=1000,
    ends_ns=2000,
    reason=Reason(code=ReasonCode.LOSS_UP, value=0.04, unit="ratio"),
    since_ns=100,
    pending_ns=110,
    fired_ns=120,
    told=("site:agra",),
)


@pytest.fixture
def db(tmp_path: Path) -> Iterator[StateDb]:
    with contextlib.closing(StateDb(tmp_path / "state.db")) as opened:
        yield opened


def post(key: str = "K7M2PQ/raised/site:agra", alert: str = "K7M2PQ") -> Post:
    return Post(
        key=key,
        person="site:agra",
        channel="mail",
        recipient="agra@office.example",
        subject="s",
        body="b",
        due_ns=0,
        alert=alert,
    )


def test_an_alert_comes_back_as_it_was_written_with_its_message_once(db: StateDb) -> None:
    """Alert and message in one transaction; the same message again is not new."""
    assert db.put_alerts([ALERT], [post()], 130) == 1
    assert db.put_alerts([ALERT], [post()], 131) == 0
    assert db.open_alerts() == [ALERT]
    assert db.alert("K7M2PQ") == ALERT
    assert [row.key for row in db.outbox(10)] == ["K7M2PQ/raised/site:agra"]


def test_an_alert_that_is_over_is_found_by_its_time_only(db: StateDb) -> None:
    """Open alerts, and those of a span that they overlap."""
    over = structs.replace(ALERT, state=AlertState.RESOLVED, resolved_ns=500)
    db.put_alerts([ALERT], [], 130)
    db.put_alerts([over], [], 500)
    assert db.open_alerts() == []
    assert db.alerts(400, 450) == [over]
    assert db.alerts(501, 900) == []
    assert db.alerts(0, 110) == []


def test_of_one_subject_one_alert_is_open(db: StateDb) -> None:
    """A second open alert of the same office and occurrence is refused, with all that was to be written beside it."""
    db.put_alerts([ALERT], [], 130)
    with pytest.raises(StateError):
        db.put_alerts([structs.replace(ALERT, id="ZZZZZZ")], [post("other", "ZZZZZZ")], 131)
    assert not db.outbox(10)
    db.put_alerts([structs.replace(ALERT, state=AlertState.RESOLVED, resolved_ns=500)], [], 500)
    db.put_alerts([structs.replace(ALERT, id="ZZZZZZ")], [], 501)
    assert [alert.id for alert in db.open_alerts()] == ["ZZZZZZ"]


def test_the_first_acknowledgement_wins(db: StateDb) -> None:
    """Who comes second gets the alert with the first one's name; one that is over is not taken up."""
    db.put_alerts([ALERT], [], 130)
    first = db.acknowledge("K7M2PQ", "asha", "on my way", 200)
    second = db.acknowledge("K7M2PQ", "ravi", "", 210)
    assert first == second
    assert (second.state, second.acknowledged_by, second.acknowledged_ns, second.note) == (
        AlertState.ACKNOWLEDGED,
        "asha",
        200,
        "on my way",
    )
    with pytest.raises(UnknownAlertError):
        db.acknowledge("AAAAAA", "asha", "", 200)
    other = structs.replace(ALERT, id="AAAAAA", site="etah", state=AlertState.RESOLVED, resolved_ns=300)
    db.put_alerts([other], [], 300)
    assert db.acknowledge("AAAAAA", "asha", "", 400).acknowledged_by == ""


def test_two_processes_acknowledge_at_once(tmp_path: Path) -> None:
    """Each over its own connection to the same file: one name stands, and both are told the same."""
    path = tmp_path / "two.db"
    with contextlib.closing(StateDb(path)) as one, contextlib.closing(StateDb(path)) as two:
        for number in range(20):
            alert = structs.replace(ALERT, id=f"AAAA{number:02}", occurrence_ns=number)
            one.put_alerts([alert], [], 130)
            with ThreadPoolExecutor(2) as pool:
                both = [
                    pool.submit(db.acknowledge, alert.id, name, "", 200)
                    for db, name in ((one, "asha"), (two, "ravi"))
                ]
                told = {each.result().acknowledged_by for each in both}
            assert len(told) == 1
            assert told == {two.open_alerts()[-1].acknowledged_by}


def test_an_acknowledgement_made_meanwhile_is_not_overwritten(db: StateDb) -> None:
    """What was decided without knowing of it is dropped, messages too; what has overtaken it stands."""
    db.put_alerts([ALERT], [], 130)
    db.acknowledge("K7M2PQ", "asha", "", 200)
    assert db.put_alerts([structs.replace(ALERT, rung=2)], [post("escalated")], 201) == 0
    found = db.alert("K7M2PQ")
    assert found is not None
    assert (found.acknowledged_by, found.rung) == ("asha", 0)
    worse = structs.replace(ALERT, turn=1, overtaken_ns=200)
    assert db.put_alerts([worse], [post("worse")], 202) == 1
    assert db.alert("K7M2PQ") == worse


def test_silences_hold_in_their_time(db: StateDb) -> None:
    """From their start to their end, or until they are ended; one that is over cannot be ended again."""
    silence = Silence(id="s1", what="site:agra", from_ns=100, until_ns=200, by="asha")
    db.put_silence(silence)
    assert [db.silences(at) for at in (99, 100, 199, 200)] == [[], [silence], [silence], []]
    assert db.end_silence("s1", 150)
    assert not db.end_silence("s1", 160)
    assert db.silences(160) == []


def test_only_flagged_verdicts_are_read(db: StateDb) -> None:
    """At risk or worse; ready and unknown ones cost no decoding."""
    made = {
        state: Verdict(
            site=state.value.replace("_", "-"),
            meeting="review",
            occurrence_ns=1000,
            starts_ns=1000,
            ends_ns=2000,
            profile="video-720p",
            issued_ns=1,
            state=state,
        )
        for state in State
    }
    db.put_verdicts(list(made.values()))
    assert db.flagged_verdicts(0, 2000) == [made[State.AT_RISK], made[State.NOT_READY]]
    assert db.flagged_verdicts(0, 1000) == []
    db.void("review", 1000, 5)
    assert db.flagged_verdicts(0, 2000) == []


def test_who_never_heard_of_it_hears_no_all_clear(db: StateDb) -> None:
    """An alarm that still waited is given up with its all-clear; who got one is told that it is over."""
    over = structs.replace(ALERT, state=AlertState.RESOLVED, resolved_ns=500)
    db.put_alerts([ALERT], [post()], 120)
    assert db.put_alerts([over], [post("K7M2PQ/over/site:agra")], 500) == 0
    assert not db.waiting(9)
    again = structs.replace(ALERT, id="B3X9RT")
    db.put_alerts([again], [post("B3X9RT/raised/site:agra", "B3X9RT")], 600)
    db.mark_sent("B3X9RT/raised/site:agra", 610)
    over = structs.replace(again, state=AlertState.RESOLVED, resolved_ns=700)
    assert db.put_alerts([over], [post("B3X9RT/over/site:agra", "B3X9RT")], 700) == 1


def test_what_is_old_is_let_go_a_part_at_a_time(db: StateDb) -> None:
    """Alerts that were over, silences that had ended, messages that were out or given up; what is open or waits stays, however old."""
    over = structs.replace(ALERT, state=AlertState.RESOLVED, resolved_ns=500)
    db.put_alerts([over, structs.replace(over, id="NEWER2", resolved_ns=900)], [], 1)
    db.put_alerts([structs.replace(ALERT, id="OPEN22")], [], 1)
    for name, until_ns in (("old", 400), ("standing", 950)):
        db.put_silence(Silence(id=name, what="all", from_ns=0, until_ns=until_ns, by="ravi"))
    assert db.forget_alerts(900, 100) == 2
    assert [alert.id for alert in db.alerts(0, 10_000)] == ["NEWER2", "OPEN22"]
    assert [one.id for one in db.silences(940)] == ["standing"]
    db.post([post("out-1"), post("out-2"), post("dead"), post("waits"), post("recent"), post("newest")], 1)
    for key, at_ns in (("out-1", 5), ("out-2", 6), ("recent", 900), ("newest", 7)):
        db.mark_sent(key, at_ns)
    db.mark_dead("dead", "no such person", 8)
    assert [db.forget_messages(900, 2) for _ in range(3)] == [2, 1, 0]
    assert {row.key for row in db.outbox(10)} == {"waits", "recent", "newest"}


def test_numbers_of_messages_never_come_again(db: StateDb) -> None:
    """Who has read up to a number finds what comes later, though all before it was let go."""
    db.post([post("a"), post("b")], 1)
    for key in ("a", "b"):
        db.mark_sent(key, 2)
    (_, (seen, _)) = db.about_alerts(0, 0)
    db.forget_messages(1_000, 100)
    db.post([post("c")], 3)
    assert [key for _, key in db.about_alerts(seen, 0)] == ["c"]
