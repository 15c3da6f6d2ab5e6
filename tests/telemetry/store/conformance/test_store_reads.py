"""What goes in comes out: every column, histogram, selection; whatever the rows have been folded into."""

from __future__ import annotations

import numpy as np
import pytest

from telemetry.messages import Link, Ping, Reach
from telemetry.store.columns import COUNT_COLUMNS, FLOAT_COLUMNS, HISTOGRAM_COLUMNS, KEY_COLUMNS
from telemetry.store.protocol import Fate, Received, Selection
from telemetry.windows import DAY_NS, HOUR_NS, WINDOW_NS

WINDOWS = range(0, 500, 23)  # over two hours


def test_every_value_of_every_window_is_read_back_as_it_was_reported(
    in_any_state, fleet, expected, rows, everything
) -> None:
    """Reads return the reported figures bit for bit, absent ones as NaN, histograms in order."""
    reports = fleet.hours(["ballia", "agra", "etah"], WINDOWS)
    assert in_any_state.store.append(reports) == [Fate.STORED] * len(reports)
    store = in_any_state.settle(fleet.t0 + 7 * HOUR_NS)
    table = store.streams(everything)
    assert rows(table) == expected(reports)
    assert table.sites == ("agra", "ballia", "etah")
    assert table.paths == ("main.national", "main.state")


def test_columns_keep_their_types(in_any_state, fleet, everything) -> None:
    """Counts are int64, figures float64, codes int32, whatever was packed how."""
    in_any_state.store.append(fleet.hours(["agra"], range(3)))
    table = in_any_state.settle(fleet.t0 + 7 * HOUR_NS).streams(everything)
    for name, kind in KEY_COLUMNS.items():
        assert table.columns[name].dtype == kind, name
    for name in COUNT_COLUMNS:
        assert table.columns[name].dtype == np.int64, name
    for name in FLOAT_COLUMNS:
        assert table.columns[name].dtype == np.float64, name
    assert set(table.columns) == {*KEY_COLUMNS, *COUNT_COLUMNS, *FLOAT_COLUMNS}
    assert set(table.histograms) == set(HISTOGRAM_COLUMNS)


@pytest.mark.parametrize(
    ("sites", "paths", "first", "last"),
    [
        (("agra",), (), 0, 500),
        ((), ("main.state",), 0, 500),
        (("etah", "nowhere"), ("main.national", "main.nowhere"), 100, 300),
        (("nowhere",), (), 0, 500),
        ((), (), 46, 47),
        ((), (), 47, 47),
        ((), (), 400, 100),
    ],
)
def test_a_selection_cuts_by_site_path_and_window_start(
    in_any_state, fleet, *, expected, rows, sites, paths, first, last
) -> None:
    """Rows of the half-open span, the named sites and paths, and no others."""
    reports = fleet.hours(["agra", "etah"], WINDOWS)
    in_any_state.store.append(reports)
    store = in_any_state.settle(fleet.t0 + 7 * HOUR_NS)
    start, end = fleet.t0 + first * WINDOW_NS, fleet.t0 + last * WINDOW_NS
    wanted = [
        row
        for row in expected(reports)
        if (not sites or row["site"] in sites)
        and (not paths or row["path"] in paths)
        and start <= row["start_ns"] < end
    ]
    assert rows(store.streams(Selection(start, end, sites=sites, paths=paths))) == wanted


def test_a_narrow_read_gives_the_same_figures(in_any_state, fleet, everything) -> None:
    """Chosen columns equal those of a full read; without histograms there are none."""
    in_any_state.store.append(fleet.hours(["agra", "etah"], WINDOWS))
    store = in_any_state.settle(fleet.t0 + 7 * HOUR_NS)
    full = store.streams(everything)
    narrow = store.streams(everything, histograms=False, columns=("lost", "rtt_p95_ms"))
    assert set(narrow.columns) == {*KEY_COLUMNS, "lost", "rtt_p95_ms"}
    assert not narrow.histograms
    for name, column in narrow.columns.items():
        np.testing.assert_array_equal(column, full.columns[name])


def test_a_column_that_does_not_exist_is_refused_by_name(held, everything) -> None:
    """A typing error in a column's name is no empty answer."""
    with pytest.raises(KeyError, match="rtt_p96_ms"):
        held.store.streams(everything, columns=("lost", "rtt_p96_ms"))
    with pytest.raises(KeyError, match="rtt_p96_ms"):
        held.store.rollups(everything, window_values=("rtt_p96_ms",))


def test_an_empty_store_answers_with_empty_tables(in_any_state, everything, fleet) -> None:
    """Nothing stored is no error anywhere."""
    store = in_any_state.settle(fleet.t0 + DAY_NS)
    assert store.append([]) == []
    for table in (store.streams(everything), store.latest(), store.tail(0)[1], store.tail(5)[1]):
        assert len(table) == 0
        assert table.sites == table.probes == table.paths == ()
    rollups = store.rollups(everything)
    assert len(rollups) == 0
    assert rollups.window_values["lost"].shape == (0, 20)
    assert len(store.tail(store.tail(0)[0])[1]) == 0
    assert store.items("ping", everything) == []
    assert store.envelopes("agra", 0, 2**62) == []
    assert store.gaps(everything).holes == store.gaps(everything).silences == ()
    assert store.received("agra", "p1") == {}


def test_a_report_without_streams_is_stored_all_the_same(in_any_state, fleet, everything) -> None:
    """A report that carries only other items, or none, is contact and counts as received."""
    reports = [fleet.report("agra", 1, items=()), fleet.report("agra", 2, items=(Link(interface="eth0"),))]
    in_any_state.store.append(reports)
    store = in_any_state.settle(fleet.t0 + 7 * HOUR_NS)
    assert len(store.streams(everything)) == 0
    assert list(store.received("agra", "p1")[fleet.epoch]) == [(1, 2)]
    span = Selection(fleet.t0, fleet.t0 + 4 * WINDOW_NS)
    assert [(s.from_ns, s.until_ns) for s in store.gaps(span).silences] == [
        (fleet.t0 + 3 * WINDOW_NS, fleet.t0 + 4 * WINDOW_NS)
    ]


def test_two_probes_of_a_site_stay_apart(in_any_state, fleet, expected, rows, everything) -> None:
    """The same seq of another probe, or of another epoch, is another report."""
    reports = [
        fleet.report("agra", 5, 5, probe="p1", items=[fleet.stream("main.state")]),
        fleet.report("agra", 5, 5, probe="p2", items=[fleet.stream("second.state")]),
        fleet.report("agra", 5, 6, probe="p2", epoch="f" * 16, items=[fleet.stream("second.state")]),
    ]
    assert in_any_state.store.append(reports) == [Fate.STORED] * 3
    store = in_any_state.settle(fleet.t0 + 7 * HOUR_NS)
    assert rows(store.streams(everything)) == expected(reports)
    assert set(store.received("agra", "p2")) == {fleet.epoch, "f" * 16}


def test_items_are_read_by_tag_with_their_origin(in_any_state, fleet, everything) -> None:
    """Pings, links and reachability come back whole, by site and start, within the selection."""
    ping = Ping(target="state", sent=3, received=2, rtt=fleet.round_trip(np.array([2e6, 3e6])))
    reach = Reach(target="room", method="tcp", answered=False, error="refused")
    reports = [
        fleet.report("etah", 1, items=(reach, ping)),
        fleet.report("agra", 300, items=(ping,)),
        fleet.report("agra", 7, items=(fleet.stream(), ping, Link(interface="eth0", up_bps=5.0))),
    ]
    in_any_state.store.append(reports)
    store = in_any_state.settle(fleet.t0 + 7 * HOUR_NS)
    found = store.items("ping", everything)
    assert [(x.site, x.probe, x.start_ns, x.received_ns, x.item) for x in found] == [
        (r.envelope.site, "p1", r.envelope.start_ns, r.received_ns, ping)
        for r in (reports[2], reports[1], reports[0])
    ]
    assert [x.item for x in store.items("reach", everything)] == [reach]
    early = Selection(fleet.t0, fleet.t0 + 8 * WINDOW_NS, sites=("agra",))
    assert [x.start_ns for x in store.items("ping", early)] == [reports[2].envelope.start_ns]
    assert store.items("call", everything) == []


def test_whole_reports_are_there_while_they_are_recent(held, fleet) -> None:
    """`envelopes` gives reports back as they were, by start, for the span and site asked."""
    reports = [*fleet.hours(["agra", "etah"], [4, 2, 9]), fleet.report("agra", 99, 1)]
    held.store.append(reports)
    wanted = sorted((r.envelope for r in reports if r.envelope.site == "agra"), key=lambda e: e.start_ns)
    span = (fleet.t0 + WINDOW_NS, fleet.t0 + 9 * WINDOW_NS)
    assert held.store.envelopes("agra", *span) == wanted[:3]


def test_emulated_rows_are_marked(in_any_state, fleet, everything) -> None:
    """What was made up is marked as such for ever."""
    in_any_state.store.append([fleet.report("agra", 1, emulated=True), fleet.report("agra", 2)])
    table = in_any_state.settle(fleet.t0 + 7 * HOUR_NS).streams(everything, columns=("emulated",))
    assert table.columns["emulated"].tolist() == [1, 0, 1, 0]


def test_latest_is_the_newest_window_of_every_line(in_any_state, fleet, expected, rows) -> None:
    """One row for each (site, path), also for a path that fell silent hours ago, and not the last to arrive."""
    reports = [
        *fleet.hours(["agra", "etah"], [0, 240, 480]),
        fleet.report("agra", 600, 481, items=[fleet.stream("main.state")]),
        fleet.report("agra", 700, 100, late_ns=3 * HOUR_NS),
    ]
    in_any_state.store.append(reports)
    store = in_any_state.settle(fleet.t0 + 9 * HOUR_NS)
    newest = {(row["site"], row["path"]): row for row in expected(reports)}
    assert rows(store.latest(histograms=True)) == [newest[key] for key in sorted(newest)]
    assert not store.latest().histograms


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1)])
def test_a_clock_that_runs_ahead_does_not_hide_what_comes_after(in_any_state, fleet, order) -> None:
    """A probe that believed it was next year is stored so, but its windows of then are not the newest."""
    next_year = fleet.envelope("agra", 2, 365 * 5760)
    reports = [
        fleet.report("agra", 1, 1),
        Received(next_year, fleet.t0 + 3 * WINDOW_NS),
        fleet.report("agra", 3, 3),
    ]
    in_any_state.store.append([reports[i] for i in order])
    store = in_any_state.settle(fleet.t0 + 9 * HOUR_NS)
    assert (store.latest().columns["start_ns"] == fleet.t0 + 3 * WINDOW_NS).all()
    then = store.latest(as_of_ns=fleet.t0 + 4 * WINDOW_NS)
    assert (then.columns["start_ns"] == fleet.t0 + WINDOW_NS).all()
    assert len(store.latest()) == len(then) == 2
    assert len(store.streams(Selection(next_year.start_ns, next_year.start_ns + 1))) == 2
