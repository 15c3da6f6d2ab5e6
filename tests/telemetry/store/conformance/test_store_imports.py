"""Windows and roll-ups of another origin: taken in beside what was measured, never over it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from telemetry.store.imported import of_other_tools
from telemetry.store.memory import MemoryStore
from telemetry.store.protocol import Selection
from telemetry.store.tables import RollupTable, StreamTable
from telemetry.windows import HOUR_NS, SLOT_NS, WINDOW_NS


def other(fleet, sites, windows, *, emulated=True) -> tuple[StreamTable, RollupTable]:
    """The tables that another store has for these reports."""
    store = MemoryStore()
    store.append([fleet.report(site, n + 1, n, emulated=emulated) for n in windows for site in sites])
    while store.maintain(fleet.t0 + 40 * HOUR_NS):
        pass
    span = Selection(fleet.t0, fleet.t0 + 40 * HOUR_NS)
    return store.streams(span), store.rollups(span)


def test_imported_windows_are_read_like_measured_ones(in_any_state, fleet, rows, everything) -> None:
    """Every column and histogram survives; `latest`, silences and roll-ups know of them."""
    windows, rollups = other(fleet, ["agra", "etah"], range(300))
    in_any_state.store.import_streams(windows)
    store = in_any_state.settle(fleet.t0 + 41 * HOUR_NS)
    assert rows(store.streams(everything)) == rows(windows)
    assert (store.latest().columns["start_ns"] == fleet.t0 + 299 * WINDOW_NS).all()
    assert store.gaps(Selection(fleet.t0, fleet.t0 + 300 * WINDOW_NS)).silences == ()
    in_any_state.maintain(fleet.t0 + 41 * HOUR_NS)
    np.testing.assert_array_equal(store.rollups(everything).columns["sent"], rollups.columns["sent"])


def test_imported_roll_ups_are_no_windows_that_could_be_missing(in_any_state, fleet) -> None:
    """Silence and first contact are told by windows: time of which only roll-ups were imported is not silent."""
    windows, _ = other(fleet, ["agra"], range(400, 500))
    _, rollups = other(fleet, ["agra"], range(500))
    in_any_state.store.import_rollups(rollups)
    in_any_state.store.import_streams(windows)
    store = in_any_state.settle(fleet.t0 + 41 * HOUR_NS)
    gaps = store.gaps(Selection(fleet.t0, fleet.t0 + 500 * WINDOW_NS))
    assert gaps.silences == ()
    assert [(c.site, c.first_ns) for c in gaps.contacts] == [("agra", fleet.t0 + 400 * WINDOW_NS)]


def test_imported_rows_do_not_come_through_the_tail(in_any_state, fleet) -> None:
    """Live readers are told of reports, not of history."""
    in_any_state.follows_the_tail()
    in_any_state.store.append([fleet.report("agra", 1, 500)])
    cursor, _ = in_any_state.store.tail(0)
    in_any_state.store.import_streams(other(fleet, ["agra"], range(40))[0])
    store = in_any_state.settle(fleet.t0 + 41 * HOUR_NS)
    assert len(store.tail(cursor)[1]) == 0


def test_windows_that_are_there_already_stay(in_any_state, fleet, rows, expected, everything) -> None:
    """An import fills up what is missing; what was measured stays, and importing twice changes nothing."""
    measured = fleet.hours(["agra"], range(10, 20))
    in_any_state.store.append(measured)
    store = in_any_state.settle(fleet.t0 + 41 * HOUR_NS)
    windows, _ = other(fleet, ["agra"], range(30))
    for _ in range(2):
        store.import_streams(windows)
        table = store.streams(everything)
        assert len(table) == 60
        mine = table.columns["emulated"] == 0
        kept = [row for row in rows(table) if not row["emulated"]]
        assert kept == expected(measured)
        assert mine.sum() == 20


def test_a_table_with_few_columns_can_be_imported(in_any_state, fleet, same, everything) -> None:
    """What another tool does not have is absent: NaN, 0 for counts, empty histograms."""
    full, _ = other(fleet, ["agra"], range(3))
    keys = ("site", "probe", "path", "start_ns", "received_ns", "sent", "lost", "rtt_p50_ms")
    bare = StreamTable(full.sites, full.probes, full.paths, {name: full.columns[name] for name in keys}, {})
    in_any_state.store.import_streams(bare)
    table = in_any_state.settle(fleet.t0 + 41 * HOUR_NS).streams(everything)
    same(table.columns["rtt_p50_ms"], full.columns["rtt_p50_ms"])
    assert np.isnan(table.columns["up_jitter_ms"]).all()
    assert table.columns["up_lost"].tolist() == [0] * 6
    assert table.histograms["rtt_hist"].offsets.tolist() == [0] * 7


def test_an_empty_import_is_no_error(in_any_state, fleet, everything) -> None:
    """Nothing to take in changes nothing."""
    windows, rollups = other(fleet, [], range(0))
    in_any_state.store.import_streams(windows)
    in_any_state.store.import_rollups(rollups)
    assert len(in_any_state.settle(fleet.t0).streams(everything)) == 0


def test_imported_rollups_are_read_back_as_they_were(in_any_state, fleet, same, everything) -> None:
    """Columns, window values and histograms survive, over several days and sites."""
    _, rollups = other(fleet, ["agra", "etah"], range(0, 6000, 40))
    in_any_state.store.import_rollups(rollups)
    table = in_any_state.settle(fleet.t0 + 41 * HOUR_NS).rollups(everything)
    assert (table.sites, table.probes, table.paths) == (rollups.sites, rollups.probes, rollups.paths)
    assert set(table.columns) == set(rollups.columns)
    for name, column in rollups.columns.items():
        same(table.columns[name], column, name)
    for name, values in rollups.window_values.items():
        np.testing.assert_array_equal(table.window_values[name], values, err_msg=name)
    for name, part in rollups.histograms.items():
        for field in ("offsets", "bins", "counts"):
            np.testing.assert_array_equal(getattr(table.histograms[name], field), getattr(part, field))


def test_measured_slots_stay_and_imported_ones_give_way(in_any_state, fleet, everything) -> None:
    """An import never covers a measured slot; measuring covers an imported one; a second import replaces the first."""
    _, rollups = other(fleet, ["agra"], range(60))
    in_any_state.store.append(fleet.hours(["agra"], range(20, 35)))
    in_any_state.maintain(fleet.t0 + 2 * HOUR_NS)
    store = in_any_state.settle(fleet.t0 + 2 * HOUR_NS)
    for _ in range(2):
        store.import_rollups(rollups)
        table = store.rollups(everything)
        assert table.columns["slot_ns"].tolist() == [fleet.t0 + i * SLOT_NS for i in (0, 1, 2)] * 2
        assert table.columns["emulated"].tolist() == [1, 0, 1] * 2
        assert table.columns["windows"].tolist() == [20, 15, 20] * 2
    store.append([fleet.report("agra", 900, 50)])
    in_any_state.maintain(fleet.t0 + 3 * HOUR_NS)
    assert store.rollups(everything).columns["emulated"].tolist() == [1, 0, 0] * 2


def test_what_another_tool_measured_is_told_from_what_the_lab_drew_and_a_probe_measured(
    in_any_state, fleet, everything
) -> None:
    """By keys and one column; the name of the probe is the same."""
    _, drawn = other(fleet, ["agra"], range(20))
    _, made = other(fleet, ["agra"], range(20, 40))
    unstamped = np.zeros(len(made), np.int64)
    in_any_state.store.import_rollups(drawn)
    in_any_state.store.import_rollups(replace(made, columns={**made.columns, "stamps": unstamped}))
    in_any_state.store.append(fleet.hours(["agra"], range(40, 60)))
    in_any_state.maintain(fleet.t0 + 2 * HOUR_NS)
    store = in_any_state.settle(fleet.t0 + 41 * HOUR_NS)
    table = store.rollups(everything, histograms=False, columns=("stamps",), window_values=())
    assert table.columns["emulated"].tolist() == [1, 1, 0] * 2
    assert of_other_tools(table).tolist() == [False, True, False] * 2


def test_windows_and_their_rollups_can_be_imported_in_either_order(in_any_state, fleet, everything) -> None:
    """The roll-ups that came with the windows are not made again, and nothing is doubled."""
    windows, rollups = other(fleet, ["agra"], range(60))
    store = in_any_state.store
    store.import_rollups(rollups)
    store.import_streams(windows)
    assert store.maintain(fleet.t0 + 2 * HOUR_NS) == 0
    store = in_any_state.settle(fleet.t0 + 2 * HOUR_NS)
    assert len(store.rollups(everything)) == len(rollups)
    assert len(store.streams(everything)) == len(windows)
