"""Tables laid out on the time grid, against one row at a time."""

from __future__ import annotations

import numpy as np
import pytest

from telemetry.store.grid import slot_grid, slot_window_grid, window_grid
from telemetry.store.memory import MemoryStore
from telemetry.store.protocol import Selection
from telemetry.windows import DAY_NS, SLOT_NS, WINDOW_NS

SITES = ("etah", "nowhere", "agra")
PATHS = ("main.state", "main.nowhere", "main.national")


@pytest.fixture
def store(fleet) -> MemoryStore:
    one = MemoryStore()
    one.append(fleet.hours(["agra", "ballia", "etah"], [0, 1, 3, 8, 22, 41]))
    one.maintain(fleet.t0 + DAY_NS)
    return one


def test_windows_stand_where_they_belong(store, fleet, everything) -> None:
    """By site, path and window; NaN elsewhere; other sites and times left out."""
    table = store.streams(everything)
    start, end = fleet.t0 + WINDOW_NS, fleet.t0 + 23 * WINDOW_NS
    grid = window_grid(table, SITES, PATHS, start, end, ("sent", "rtt_p95_ms", "received_ns"))
    for name, plane in grid.items():
        wanted = np.full((3, 3, 22), np.nan)
        for i in range(len(table)):
            site = table.sites[table.columns["site"][i]]
            path = table.paths[table.columns["path"][i]]
            at = (table.columns["start_ns"][i] - start) // WINDOW_NS
            if site in SITES and path in PATHS and 0 <= at < 22:
                wanted[SITES.index(site), PATHS.index(path), at] = table.columns[name][i]
        np.testing.assert_array_equal(plane, wanted)
        assert plane.dtype == np.float64
    assert np.isfinite(grid["sent"]).sum() == 2 * 2 * 4


def test_a_window_that_is_there_twice_is_the_later_one(fleet, everything) -> None:
    """A probe that restarted within a window reports it twice."""
    store = MemoryStore()
    store.append([fleet.report("agra", 1, 5, items=[fleet.stream(sent=40)])])
    store.append([fleet.report("agra", 2, 5, items=[fleet.stream(sent=20)], late_ns=5)])
    table = store.streams(everything)
    grid = window_grid(table, ("agra",), ("main.state",), fleet.t0, fleet.t0 + 6 * WINDOW_NS, ("sent",))
    assert len(table) == 2
    assert grid["sent"][0, 0, 5] == 20


@pytest.mark.parametrize(
    ("length", "windows"), [(0, 0), (-WINDOW_NS, 0), (1, 1), (WINDOW_NS, 1), (WINDOW_NS + 1, 2)]
)
def test_the_grid_reaches_to_the_end_of_the_span(store, fleet, everything, length, windows) -> None:
    """A begun window counts; an empty span has none."""
    table = store.streams(everything)
    grid = window_grid(table, SITES, PATHS, fleet.t0, fleet.t0 + length, ("sent",))
    assert grid["sent"].shape == (3, 3, windows)


def test_an_empty_table_makes_an_empty_grid(fleet) -> None:
    """All NaN, in the shape asked for."""
    table = MemoryStore().streams(Selection(0, 1))
    grid = window_grid(table, SITES, PATHS, fleet.t0, fleet.t0 + SLOT_NS, ("sent",))
    assert grid["sent"].shape == (3, 3, 20)
    assert np.isnan(grid["sent"]).all()
    assert window_grid(table, (), (), fleet.t0, fleet.t0 + SLOT_NS, ("sent",))["sent"].shape == (0, 0, 20)


def test_rollups_stand_in_their_slots_and_their_values_in_their_windows(store, fleet, everything) -> None:
    """The five-minute grid, and the 15 s grid of the values that roll-ups keep."""
    rollups = store.rollups(everything)
    end = fleet.t0 + 3 * SLOT_NS
    slots = slot_grid(rollups, SITES, PATHS, fleet.t0, end, ("windows", "sent"))
    np.testing.assert_array_equal(slots["windows"][2, 0], [4, 1, 1])
    assert np.isnan(slots["windows"][1]).all()
    kept = slot_window_grid(rollups, SITES, PATHS, fleet.t0, end, ("sent", "rtt_p95_ms"))
    raw = window_grid(store.streams(everything), SITES, PATHS, fleet.t0, end, ("sent", "rtt_p95_ms"))
    for name, plane in kept.items():
        assert plane.dtype == np.float32
        np.testing.assert_allclose(plane, raw[name], atol=0.0006)
