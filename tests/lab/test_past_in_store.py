"""The drawn past in a store: written once, filled where something is missing, and summed by the store's own rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from lab.past.history import Written, write_history
from lab.past.office import PastDrawer, StoppedError
from telemetry.store.memory import MemoryStore
from telemetry.store.protocol import Selection
from telemetry.store.rollup import roll_up
from telemetry.store.sqlite import SqliteStore
from telemetry.windows import DAY_NS
from tests.lab.pasts import NOW, draw_office, plan_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from config.config import Config
    from lab.running.scope import Places
    from telemetry.store.protocol import ReportStore


@pytest.fixture(params=["sqlite", "memory"])
def store(request: Any, tmp_path: Path) -> Iterator[ReportStore]:
    """Each implementation of the report store."""
    one = SqliteStore(tmp_path / "reports.db") if request.param == "sqlite" else MemoryStore()
    yield one
    one.close()


def test_history_is_written_once(config: Config, few: Places, store: ReportStore) -> None:
    """A second run finds nothing missing and writes nothing."""
    plan = plan_of(config, few, weeks=0.02)
    first, second = [], []
    write_history(plan, store, first.append, workers=0)
    write_history(plan, store, second.append, workers=0)
    assert {one.site for one in first} == {"lakhimpur-kheri", "jaunpur"}
    assert all(one.rollups > 0 and one.windows > 0 for one in first)
    assert {(one.rollups, one.windows) for one in second} == {(0, 0)}


def test_a_later_run_fills_what_is_missing(config: Config, few: Places, store: ReportStore) -> None:
    """An hour later only that hour is added; what was there stays as it was."""
    earlier, later = (
        plan_of(config, few, weeks=0.02),
        plan_of(config, few, weeks=0.02, now_ns=NOW + 3_600_000_000_000),
    )
    write_history(earlier, store, lambda _one: None, workers=0)
    everything = Selection(0, NOW + DAY_NS)
    before = store.rollups(everything)
    added: list[Written] = []
    write_history(later, store, added.append, workers=0)
    assert {(one.rollups, one.windows) for one in added} == {(24, 480)}
    after = store.rollups(Selection(earlier.start_ns, earlier.end_ns))
    np.testing.assert_array_equal(before.columns["up_jitter_ms"], after.columns["up_jitter_ms"])
    assert len(store.rollups(everything)) == len(before) + 48


def test_measured_data_stays(config: Config, few: Places, store: ReportStore) -> None:
    """Roll-ups and windows that were measured are neither overwritten nor doubled."""
    plan = plan_of(config, few, weeks=0.02)
    measured = draw_office(plan_of(config, few, weeks=0.01, seed=9), few.sites[0])
    for table in (measured.rollups, measured.streams):
        table.columns["emulated"][:] = 0
    store.import_rollups(measured.rollups)
    store.import_streams(measured.streams)
    write_history(plan, store, lambda _one: None, workers=0)
    site = Selection(0, NOW + DAY_NS, sites=(measured.site,))
    rollups = store.rollups(site)
    assert int((rollups.columns["emulated"] == 0).sum()) == len(measured.rollups)
    windows = store.streams(site)
    assert int((windows.columns["emulated"] == 0).sum()) == len(measured.streams)
    keys = np.stack((windows.columns["path"].astype(np.int64), windows.columns["start_ns"]))
    assert np.unique(keys, axis=1).shape[1] == len(windows)


def test_windows_and_rollups_agree_in_the_store(config: Config, few: Places, store: ReportStore) -> None:
    """After the store's own upkeep, the roll-ups of the last days are still those of their windows."""
    plan = plan_of(config, few, weeks=0.02)
    write_history(plan, store, lambda _one: None, workers=0)
    while store.maintain(NOW + DAY_NS):
        pass
    span = Selection(plan.start_ns, plan.end_ns)
    theirs, ours = roll_up(store.streams(span)), store.rollups(span)
    for name in ("sent", "received", "up_lost", "windows"):
        np.testing.assert_array_equal(theirs.columns[name], ours.columns[name], err_msg=name)


def test_workers_draw_the_same(config: Config, few: Places, tmp_path: Path) -> None:
    """Drawn in other processes the past is the same."""
    plan = plan_of(config, few, weeks=0.02)
    tables = []
    for workers in (0, 1):
        store = SqliteStore(tmp_path / f"{workers}.db")
        write_history(plan, store, lambda _one: None, workers=workers)
        tables.append(store.rollups(Selection(0, NOW)))
        store.close()
    for name in ("sent", "lost", "rtt_p95_ms"):
        np.testing.assert_array_equal(tables[0].columns[name], tables[1].columns[name])


def test_a_stop_does_not_wait_for_the_office_that_is_drawn(config: Config, few: Places) -> None:
    """Two years of one office take seconds to draw: a stop is heeded within a day of them."""
    plan = plan_of(config, few, weeks=1)
    asked: list[int] = []

    def stopped() -> bool:
        asked.append(1)
        return len(asked) == 3

    with pytest.raises(StoppedError):
        PastDrawer(plan).draw(few.sites[0], stopped)
    assert len(asked) == 3


@pytest.mark.parametrize("workers", [0, 1])
def test_what_was_written_before_a_stop_stays_and_no_more_is_written(
    config: Config, few: Places, tmp_path: Path, workers: int
) -> None:
    """The next run makes the rest."""
    plan = plan_of(config, few, weeks=0.02)
    told: list[Written] = []
    store = SqliteStore(tmp_path / "reports.db")
    with pytest.raises(StoppedError):
        write_history(plan, store, told.append, workers=workers, stopped=lambda: bool(told))
    assert len(told) == 1
    write_history(plan, store, told.append, workers=0)
    assert [one.rollups > 0 for one in told] == [True, False, True]
    store.close()
