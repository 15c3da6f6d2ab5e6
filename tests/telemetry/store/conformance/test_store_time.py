"""Time: late reports, reads as of then, the tail that live readers follow, retention."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from telemetry.store.protocol import Selection
from telemetry.windows import DAY_NS, HOUR_NS, SECOND_NS, WINDOW_NS

if TYPE_CHECKING:
    from telemetry.store.tables import StreamTable


def test_late_reports_join_their_hour(in_any_state, fleet, rows, expected, everything) -> None:
    """A report that comes after its hour was folded is read like any other, before and after it is folded too."""
    on_time = fleet.hours(["agra", "etah"], range(0, 480, 17))
    late = [fleet.report("agra", 1000 + n, n, late_ns=5 * HOUR_NS) for n in range(5, 480, 50)]
    in_any_state.store.append(on_time)
    store = in_any_state.settle(fleet.t0 + 4 * HOUR_NS)
    store.append(late)
    assert rows(store.streams(everything)) == expected([*on_time, *late])
    in_any_state.maintain(fleet.t0 + 20 * HOUR_NS)
    assert rows(store.streams(everything)) == expected([*on_time, *late])
    last = store.append([fleet.report("agra", 5000, 7, late_ns=30 * HOUR_NS)])
    assert len(last) == 1
    in_any_state.maintain(fleet.t0 + 40 * HOUR_NS)
    assert len(store.streams(everything)) == len(expected([*on_time, *late])) + 2


@pytest.mark.parametrize("after_h", [0.5, 2, 4.9, 8, 30])
def test_a_read_as_of_then_sees_what_had_come_by_then(
    in_any_state, fleet, *, rows, expected, everything, after_h
) -> None:
    """Rows received later are not there: in recent rows, in blocks, in `latest`, in items, in silences."""
    reports = [
        *fleet.hours(["agra", "etah"], range(0, 480, 17)),
        *(fleet.report("agra", 1000 + n, n, late_ns=5 * HOUR_NS) for n in range(5, 480, 50)),
    ]
    in_any_state.store.append(reports)
    store = in_any_state.settle(fleet.t0 + 20 * HOUR_NS)
    then = fleet.t0 + int(after_h * HOUR_NS)
    known = [report for report in reports if report.received_ns <= then]
    span = Selection(everything.start_ns, everything.end_ns, as_of_ns=then)
    assert rows(store.streams(span)) == expected(known)
    newest = {(row["site"], row["path"]): row for row in expected(known)}
    assert rows(store.latest(as_of_ns=then, histograms=True)) == [newest[key] for key in sorted(newest)]
    assert len(store.items("ping", span)) == len(known)
    one_hour = Selection(fleet.t0, fleet.t0 + 2 * HOUR_NS, sites=("agra",), as_of_ns=then)
    dark = sum(s.until_ns - s.from_ns for s in store.gaps(one_hour).silences) // WINDOW_NS
    seen = {r.envelope.start_ns for r in known if r.envelope.site == "agra"}
    ended = min(then, fleet.t0 + 2 * HOUR_NS)
    whole = range(fleet.t0, ended - WINDOW_NS + 1, WINDOW_NS)
    assert dark == len([start for start in whole if start not in seen])


def test_as_of_before_anything_came_sees_nothing(in_any_state, fleet, everything) -> None:
    """The time before the first contact is empty, whatever came since."""
    in_any_state.store.append(fleet.hours(["agra"], range(4)))
    store = in_any_state.settle(fleet.t0 + 9 * HOUR_NS)
    then = Selection(everything.start_ns, everything.end_ns, as_of_ns=fleet.t0)
    assert len(store.streams(then)) == len(store.latest(as_of_ns=fleet.t0)) == len(store.rollups(then)) == 0
    assert store.gaps(then).silences == ()


def follow(store, cursor, limit) -> tuple[int, list[StreamTable]]:
    """All that the tail gives from a cursor on, in steps."""
    tables = []
    while True:
        after, table = store.tail(cursor, limit)
        if after == cursor:
            return cursor, tables
        cursor = after
        tables.append(table)


@pytest.mark.parametrize("limit", [1, 7, 10_000])
def test_the_tail_gives_every_window_once_in_the_order_of_its_commit(
    in_any_state, fleet, rows, expected, limit
) -> None:
    """From a position on: late ones too, in whatever the rows were folded meanwhile, at any page size."""
    in_any_state.follows_the_tail()
    first = fleet.hours(["agra", "etah"], range(40))
    later = [
        *fleet.hours(["agra"], range(100, 110)),
        *(fleet.report("agra", 900 - n, n + 50) for n in range(9)),
    ]
    in_any_state.store.append(first)
    cursor, nothing = in_any_state.store.tail(0)
    assert len(nothing) == 0
    in_any_state.store.append(later)
    store = in_any_state.settle(fleet.t0 + 9 * HOUR_NS)
    end, tables = follow(store, cursor, limit)
    found = [(row["site"], row["path"], row["start_ns"]) for table in tables for row in rows(table)]
    wanted = [(r.envelope.site, r.envelope.start_ns) for r in later]
    assert [(site, start) for site, path, start in found if path == "main.state"] == wanted
    assert sorted(found) == sorted((row["site"], row["path"], row["start_ns"]) for row in expected(later))
    assert len(store.tail(end)[1]) == 0
    assert store.tail(0)[0] == end
    if limit == 1:
        assert max(len(table) for table in tables) == 2  # a commit is never cut in two


def test_a_tail_cursor_outlives_folding_restart_and_retention(in_any_state, fleet) -> None:
    """The position keeps rising: rows that went meanwhile are skipped, new ones are given."""
    in_any_state.store.append(fleet.hours(["agra"], range(6)))
    cursor, _ = in_any_state.store.tail(0)
    store = in_any_state.settle(fleet.t0 + 9 * HOUR_NS)
    store.prune(fleet.t0 + 45 * DAY_NS)
    store.append([fleet.report("agra", 99, 45 * 5760)])
    after, table = store.tail(cursor)
    assert after > cursor
    assert (table.columns["start_ns"] == fleet.t0 + 45 * DAY_NS).all()
    assert len(table) == 2


def test_the_first_commit_ever_is_not_missed(held, fleet) -> None:
    """Who follows an empty store from its beginning is given the first commit too."""
    cursor, nothing = held.store.tail(0)
    assert (cursor > 0, len(nothing)) == (True, 0)
    assert held.store.tail(cursor)[0] == cursor
    held.store.append(fleet.hours(["agra"], range(1)))
    after, table = held.store.tail(cursor)
    assert after > cursor
    assert len(table) > 0


def test_a_cursor_of_another_store_starts_anew(held, fleet) -> None:
    """A position beyond the end cannot be of this store: the reader is put at its end."""
    held.store.append(fleet.hours(["agra"], range(3)))
    cursor, table = held.store.tail(1_000_000)
    assert cursor == held.store.tail(0)[0]
    assert len(table) == 0


def test_retention_drops_windows_then_rollups(in_any_state, fleet) -> None:
    """Windows go after 30 days here, roll-ups after 50; what is younger stays, and pruning twice changes nothing."""
    day = 5760
    in_any_state.store.append(
        [fleet.report("agra", n + 1, n * day, items=[fleet.stream()]) for n in range(0, 60, 5)]
    )
    in_any_state.maintain(fleet.t0 + 61 * DAY_NS)
    store = in_any_state.settle(fleet.t0 + 61 * DAY_NS)
    span = Selection(0, fleet.t0 + 90 * DAY_NS)
    for _ in range(2):
        store.prune(fleet.t0 + 60 * DAY_NS + 90 * SECOND_NS)
        windows = (store.streams(span).columns["start_ns"] - fleet.t0) // DAY_NS
        assert windows.tolist() == [30, 35, 40, 45, 50, 55]
        slots = (store.rollups(span).columns["slot_ns"] - fleet.t0) // DAY_NS
        assert slots.tolist() == [10, 15, 20, 25, 30, 35, 40, 45, 50, 55]
        assert len(store.items("ping", span)) == 0


def test_a_late_report_does_not_replace_the_rollup_of_windows_that_are_gone(in_any_state, fleet) -> None:
    """Past the retention of windows the old roll-up of twenty is better than a new one of one."""
    in_any_state.store.append([fleet.report("agra", n + 1, n, items=[fleet.stream()]) for n in range(20)])
    in_any_state.maintain(fleet.t0 + DAY_NS)
    store = in_any_state.settle(fleet.t0 + DAY_NS)
    store.prune(fleet.t0 + 40 * DAY_NS)
    store.append([fleet.report("agra", 50, 3, items=[fleet.stream()], late_ns=40 * DAY_NS)])
    in_any_state.maintain(fleet.t0 + 41 * DAY_NS)
    slot = store.rollups(Selection(fleet.t0, fleet.t0 + HOUR_NS))
    assert slot.columns["windows"].tolist() == [20]
    np.testing.assert_array_equal(slot.columns["sent"], [20 * 60])
