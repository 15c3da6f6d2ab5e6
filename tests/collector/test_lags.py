"""What the histograms count, and what the families say of parts that are not always there."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from collector.batch import Batch, Fresh
from collector.inbox import Inbox
from collector.observation.buckets import LAG_S, Buckets
from collector.observation.checks import Readiness
from collector.observation.intake_metrics import of_queue
from collector.observation.lags import Lags, lags_s
from collector.observation.outside_metrics import of_held_back, of_outbox, of_roles, of_shipping
from telemetry.state.heartbeats import Beat
from telemetry.state.held_back import HELD_BACK
from telemetry.windows import LATE_NS, SECOND_NS, WINDOW_NS

START_NS = 1_800_000_000 * SECOND_NS
CLOSED_NS = START_NS + WINDOW_NS + LATE_NS


@given(st.lists(st.floats(-10, 400, allow_nan=False) | st.sampled_from(LAG_S), max_size=60))
def test_buckets_count_as_a_loop_would(values: list[float]) -> None:
    """Each bound has what is not above it, however the values come in; below zero is zero."""
    buckets = Buckets(LAG_S)
    for part in (values[:7], values[7:]):
        buckets.add(part)
    known = [max(value, 0.0) for value in values]
    wanted = [sum(value <= bound for value in known) for bound in (*LAG_S, float("inf"))]
    assert [count for _, count in buckets.cumulative()] == wanted
    assert buckets.count == len(values)
    assert np.isclose(buckets.sum_s, sum(known))


def test_lag_runs_from_the_closing_of_the_window_to_the_commit() -> None:
    """Three seconds after the window's end the report is closed: from then on it counts."""
    lag, intake = lags_s([Fresh(START_NS, CLOSED_NS + SECOND_NS, None)], CLOSED_NS + 3 * SECOND_NS)
    assert (lag.tolist(), intake.tolist()) == ([3.0], [2.0])


def test_a_fast_clock_does_not_hide_lag() -> None:
    """A probe ten seconds ahead would seem to be early; its age at sending and its time with us are the least."""
    ahead = Fresh(START_NS + 10 * SECOND_NS, CLOSED_NS + 2 * SECOND_NS, 1500)
    lag, _ = lags_s([ahead], CLOSED_NS + 3 * SECOND_NS)
    assert lag.tolist() == [2.5]


def test_a_batch_without_live_reports_counts_its_commit_only() -> None:
    """Backlog and words of probes have no lag."""
    lags = Lags()
    lags.note(Batch(messages=3, took_s=0.02), CLOSED_NS)
    assert (lags.commit.count, lags.report.count, lags.intake.count) == (1, 0, 0)


def samples(families: object) -> dict[tuple[str, str], float]:
    return {
        (sample.name, ",".join(sample.labels.values())): sample.value
        for family in families  # type: ignore[attr-defined]
        for sample in family.samples
    }


def test_a_server_side_store_shows_its_shipping() -> None:
    """Points, retries and the journal of a store that ships; nothing of one that is a file."""
    shipping = {
        "points_written": 10,
        "batches": 2,
        "retries": 1,
        "rejected_points": 0,
        "journal_backlog_reports": 7,
        "oldest_unshipped_ns": START_NS,
        "server_available": False,
    }
    found = samples(of_shipping(shipping))
    assert found["tatpar_store_points_written_total", ""] == 10
    assert found["tatpar_store_oldest_unshipped_timestamp_seconds", ""] == START_NS / SECOND_NS
    assert found["tatpar_store_server_available", ""] == 0
    lost = samples(of_shipping({"server_lost_restart": 4, "last_error": "away"}))
    assert lost == {("tatpar_store_server_lost_total", "restart"): 4}
    empty = samples(of_shipping(shipping | {"oldest_unshipped_ns": None}))
    assert ("tatpar_store_oldest_unshipped_timestamp_seconds", "") not in empty
    assert not samples(of_shipping({}))


def test_quotas_are_shown_where_there_are_any() -> None:
    """By site when the inbox has quotas; no family when it has none."""
    inbox = Inbox(10, 10)
    fair = SimpleNamespace(
        **{name: getattr(inbox, name) for name in ("messages", "bytes", "high_messages", "high_bytes")},
        deferrals=SimpleNamespace(by_site={"agra": 3}),
    )
    found = samples(of_queue(fair, 10, 10))  # type: ignore[arg-type]
    assert found["tatpar_collector_over_quota_total", "agra"] == 3


def test_only_known_roles_are_shown() -> None:
    """The names of collectors have no bound, so their heartbeats are no series."""
    beats = {"watch": Beat(START_NS, {}), "collector-9f": Beat(START_NS, {})}
    assert list(samples(of_roles(beats))) == [("tatpar_heartbeat_timestamp_seconds", "watch")]


def test_the_outbox_is_shown_as_the_alerts_said() -> None:
    """Waiting, overdue and given up, as the alerts' heartbeat has them; nothing where there are no alerts."""
    detail: dict[str, object] = {"messages_waiting": 3, "messages_overdue": 1, "messages_dead": 0, "sent": 9}
    found = samples(of_outbox({"alerts": Beat(START_NS, detail)}))
    assert found == {
        ("tatpar_outbox_messages", "waiting"): 3,
        ("tatpar_outbox_messages", "overdue"): 1,
        ("tatpar_outbox_messages", "dead"): 0,
    }
    assert not samples(of_outbox({}))


def test_all_clears_that_wait_are_counted() -> None:
    """As the alerts' heartbeat has them, 0 too; no figure where there are no alerts, or older ones that do not say."""
    for count in (0, 2):
        found = samples(of_held_back({"alerts": Beat(START_NS, {HELD_BACK: count})}))
        assert found == {("tatpar_all_clears_held_back", ""): count}
    assert not samples(of_held_back({"alerts": Beat(START_NS, {})}))
    assert not samples(of_held_back({}))


def test_readiness_is_said_once_a_change(caplog) -> None:
    """Well, wrong and well again are three lines, whatever the number of looks; each check knows since when."""
    caplog.set_level("INFO")
    wrong = {"store": "", "broker": ""}
    readiness = Readiness({name: lambda name=name: wrong[name] for name in wrong}, 0)
    readiness.look(1)
    readiness.look(2)
    wrong["store"] = "disk full"
    readiness.look(3)
    wrong["store"] = "disk still full"
    checks = readiness.look(4)
    assert [(c.name, c.ok, c.since_ns) for c in checks] == [("store", False, 3), ("broker", True, 1)]
    assert (readiness.ready, readiness.since_ns) == (False, 3)
    wrong["store"] = ""
    readiness.look(5)
    assert [r.event for r in caplog.records] == ["collector.ready", "collector.not-ready", "collector.ready"]
    assert caplog.records[1].checks == {"store": "disk full"}
