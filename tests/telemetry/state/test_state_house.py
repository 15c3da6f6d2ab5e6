"""Presence, outbox, plans, quarantine, heartbeats, leases: what keeps the house going."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from telemetry.alerting import Post
from telemetry.control import Plan, PlannedEnd, Presence, Rate
from telemetry.state.db import StateDb
from telemetry.state.heartbeats import Beat
from telemetry.state.presence import OfflineSpan
from telemetry.state.quarantine import Refused

PROGRAM = Path(__file__).with_name("state_process.py")
ROOT = Path(__file__).parents[3]
TRIES = 8


def letter(key: str, due_ns: int, **other: str) -> Post:
    """A message that is nothing else."""
    fields = {"channel": "mail", "recipient": "a@b", "subject": "subject", "body": "body"} | other
    return Post(key=key, person="", due_ns=due_ns, **fields)


def online(*, yes: bool = True, boot: str = "b1") -> Presence:
    return Presence(online=yes, since_ns=5, version="0.1", boot=boot, restart_reason="power")


def test_presence_is_what_was_last_heard(state) -> None:
    """By probe, whole."""
    state.set_presence("agra", "p1", online(yes=False), 100)
    state.set_presence("agra", "p1", online(), 200)
    state.set_presence("etah", "p2", online(boot="b9"), 300)
    assert state.presence() == {("agra", "p1"): online(), ("etah", "p2"): online(boot="b9")}


def test_who_is_off_line_is_so_since_the_hub_heard_of_it(state) -> None:
    """A last will carries the time at which its connection began: an office that was there for weeks is lost since now."""
    state.set_presence("agra", "p1", online(), 100)
    state.set_presence("agra", "p1", online(yes=False), 9_000)
    state.set_presence("agra", "p1", online(yes=False), 9_500)
    (lost,) = state.presence().values()
    assert (lost.online, lost.since_ns, lost.boot) == (False, 9_000, "b1")
    state.set_presence("agra", "p1", online(), 9_900)
    assert state.presence()["agra", "p1"] == online()


def test_lost_contact_is_told_as_spans(state) -> None:
    """From the last will to the next sign of life; heard twice is one span, and the open one has no end."""
    for yes, at_ns in (
        (True, 50),
        (False, 100),
        (False, 120),
        (True, 200),
        (True, 210),
        (False, 300),
        (False, 310),
    ):
        state.set_presence("agra", "p1", online(yes=yes), at_ns)
    state.set_presence("etah", "p1", online(yes=False), 150)
    first, open_one = OfflineSpan("agra", "p1", 100, 200), OfflineSpan("agra", "p1", 300, None)
    assert state.presence_spans("agra", 0, 1_000) == [first, open_one]
    assert state.presence_spans("agra", 0, 100) == []
    assert state.presence_spans("agra", 199, 300) == [first]
    assert state.presence_spans("agra", 200, 300) == []
    assert state.presence_spans("agra", 5_000, 6_000) == [open_one]


def test_a_message_goes_out_once_by_its_key(state) -> None:
    """The same key is not taken again, not even after it was sent."""
    assert state.post([letter("k1", 100)], 1) == 1
    assert state.post([letter("k1", 50, recipient="c@d", subject="other")], 1) == 0
    (row,) = state.due(100)
    assert (row.recipient, row.subject, row.body, row.attempts, row.sent_ns) == (
        "a@b",
        "subject",
        "body",
        0,
        None,
    )
    state.mark_sent("k1", 120)
    state.mark_sent("k1", 130)
    assert state.due(10_000) == []
    assert state.post([letter("k1", 100)], 1) == 0
    assert [(r.sent_ns, r.attempts) for r in state.outbox(10)] == [(120, 1)]


def test_a_message_that_failed_is_due_again_later(state) -> None:
    """With the reason and the count of attempts; a sent one is never due again."""
    state.post([letter("k1", 100), letter("k2", 50)], 1)
    assert [row.key for row in state.due(100)] == ["k2", "k1"]
    assert state.due(49) == []
    state.mark_failed("k2", "connection refused", 400)
    assert [row.key for row in state.due(399)] == ["k1"]
    assert [(row.key, row.error, row.attempts) for row in state.due(400)][1] == (
        "k2",
        "connection refused",
        1,
    )
    state.mark_sent("k2", 410)
    state.mark_failed("k2", "too late", 420)
    assert [row.key for row in state.due(9_999)] == ["k1"]
    assert [row.key for row in state.outbox(1)] == ["k2"]


def test_plans_are_what_probes_were_told_last(state) -> None:
    """By probe, whole."""
    plan = Plan(
        valid_until_ns=500,
        ends=(PlannedEnd(end="state", reflectors=("127.0.0.1:862",)),),
        rates=(Rate(from_ns=1, until_ns=2, rate_pps=50.0),),
    )
    state.put_plan("agra", "p1", Plan(valid_until_ns=1))
    state.put_plan("agra", "p1", plan)
    state.put_plan("etah", "p1", Plan(valid_until_ns=7))
    assert state.plans() == {("agra", "p1"): plan, ("etah", "p1"): Plan(valid_until_ns=7)}


@pytest.mark.parametrize(
    ("max_rows", "max_bytes", "left"),
    [(100, 10_000, 9), (3, 10_000, 3), (100, 24, 3), (100, 5, 0), (0, 10_000, 0)],
)
def test_quarantine_is_bounded_and_keeps_the_newest(state, max_rows, max_bytes, left) -> None:
    """At most so many messages and so many bytes, however they come."""
    refused = [Refused(n, f"t/{n}", "no JSON", bytes(n)) for n in range(1, 10)]
    for batch in (refused[:4], refused[4:]):
        state.quarantine(batch, max_rows=max_rows, max_bytes=max_bytes)
    assert state.quarantined(50) == refused[::-1][:left]
    assert state.quarantined(2) == refused[::-1][: min(left, 2)]


def test_heartbeats_tell_who_is_at_work(state) -> None:
    """The last beat of each role with its counters."""
    state.beat("collector", 5, {"stored": 1})
    state.beat("collector", 9, {"stored": 7, "by_site": {"agra": 3}})
    state.beat("watch", 8, {})
    assert state.beats() == {
        "collector": Beat(9, {"stored": 7, "by_site": {"agra": 3}}),
        "watch": Beat(8, {}),
    }


def test_a_lease_is_held_by_one_until_it_runs_out_or_is_given_back(state) -> None:
    """Renewing extends it; someone else gets it only after."""
    assert state.acquire_lease("collector", "one", 0, 10) is True
    assert state.acquire_lease("collector", "two", 9, 10) is False
    assert state.acquire_lease("watch", "two", 9, 10) is True
    assert state.acquire_lease("collector", "one", 9, 10) is True
    assert state.acquire_lease("collector", "two", 18, 10) is False
    assert state.lease_holder("collector", 18) == "one"
    assert state.lease_holder("collector", 19) is None
    assert state.acquire_lease("collector", "two", 19, 10) is True
    state.release_lease("collector", "one")
    assert state.lease_holder("collector", 20) == "two"
    state.release_lease("collector", "two")
    assert state.acquire_lease("collector", "one", 20, 10) is True


def test_a_lease_from_before_the_clock_was_set_back_counts_for_nothing(state: StateDb) -> None:
    """One that was given an hour from now, by a clock that is set back since, holds nobody up."""
    hour, ttl = 3_600 * 10**9, 30 * 10**9
    assert state.acquire_lease("alerts", "dead", 5 * hour, ttl)
    assert not state.acquire_lease("alerts", "other", 5 * hour - ttl // 2, ttl)
    assert state.acquire_lease("alerts", "other", 4 * hour, ttl)


def test_two_processes_race_for_a_lease_and_both_write(file) -> None:
    """Never two holders at once, no write is lost, and a shared key is taken from one of them only."""
    # they did meet, if not the first time: a busy machine may hold one of them up until the other has done
    assert any(raced(file.with_name(f"race-{turn}.db")) for turn in range(TRIES))


def raced(file: Path) -> int:
    """How often one was refused the lease because the other had it."""
    StateDb(file).close()
    processes = [
        subprocess.Popen(
            [sys.executable, str(PROGRAM), str(file), name, "40"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={"PYTHONPATH": str(ROOT)},
        )
        for name in ("one", "two")
    ]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    refused = [int(process.communicate(timeout=300)[0]) for process in processes]
    state = StateDb(file)
    assert state.beats()["count"].detail["n"] == 80
    keys = [row.key for row in state.outbox(1_000)]
    assert len(keys) == len(set(keys)) == 120
    state.close()
    return sum(refused)


def test_the_revision_rises_with_every_change_by_any_process_and_with_nothing_else(
    state, file, flag, verdict
) -> None:
    """What changes nothing does not raise it: the same presence, plan, verdict, or a lease renewed."""
    other = StateDb(file)
    assert other.revision() == state.revision()

    def raised(change) -> bool:
        before = other.revision()
        change()
        return other.revision() > before

    changes = [
        lambda: state.set_presence("agra", "p1", online(), 1),
        lambda: state.put_flags([flag()], 5),
        lambda: state.put_verdicts([verdict()]),
        lambda: state.put_plan("agra", "p1", Plan(valid_until_ns=5)),
        lambda: state.post([letter("k", 1)], 1),
        lambda: state.acquire_lease("watch", "me", 1, 10),
    ]
    for change in changes:
        assert raised(change)
        assert not raised(change)
    assert raised(lambda: state.beat("watch", 1, {}))
    assert raised(lambda: state.put_flags([], 9))
    assert not raised(lambda: state.put_flags([], 9))
    assert raised(lambda: state.void("weekly@hq", 1_000, 9))
    assert not raised(lambda: state.void("weekly@hq", 1_000, 9))
    other.close()
