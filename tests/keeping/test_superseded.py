"""Imported slots that gave way to a backlog are kept like the rest of the store: exported, verified, let go of."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tatpar.store.parquet.checking import ForeignFileError
from tatpar.store.parquet.exporting import export
from tatpar.store.parquet.importing import take_in
from telemetry.store.protocol import Selection
from telemetry.store.sqlite import SqliteReader, SqliteStore
from telemetry.store.sqlite.inspection import inspect
from telemetry.windows import DAY_NS, HOUR_NS, SLOT_NS
from tests.telemetry.store.backlog import file_of, measures
from tests.telemetry.store.conftest import T0, Fleet

if TYPE_CHECKING:
    from pathlib import Path

    from telemetry.store.tables import RollupTable

SPAN = Selection(T0, T0 + DAY_NS)


@pytest.fixture
def store_file(tmp_path: Path) -> Path:
    """A store into which another tool's file was imported before a probe's backlog came."""
    fleet = Fleet()
    with closing(SqliteStore(tmp_path / "reports.db")) as store:
        store.import_rollups(file_of(fleet))
        measures(store, fleet)
    return tmp_path / "reports.db"


def alike(one: RollupTable, two: RollupTable) -> bool:
    """Names, columns, values of windows, histograms."""
    same = (one.sites, one.probes, one.paths) == (two.sites, two.probes, two.paths)
    for name in ("columns", "window_values"):
        mine, theirs = getattr(one, name), getattr(two, name)
        same &= all(np.array_equal(mine[each], theirs[each], equal_nan=True) for each in mine)
    return same and all(
        np.array_equal(part.counts, two.histograms[name].counts) for name, part in one.histograms.items()
    )


def read(path: Path) -> tuple[RollupTable, RollupTable]:
    """What is in force, and what has given way."""
    with closing(SqliteReader(path)) as reader:
        return reader.rollups(SPAN), reader.superseded(SPAN)


@pytest.mark.parametrize("with_windows", [True, False])
def test_they_travel_in_files_of_their_own(store_file: Path, tmp_path: Path, *, with_windows: bool) -> None:
    """Also where raw windows are past their time; twice is as once."""
    with closing(SqliteReader(store_file)) as reader:
        assert export(reader, tmp_path / "out", SPAN).superseded == 4
    if not with_windows:
        for path in (tmp_path / "out").glob("windows-*"):
            path.unlink()
    wanted = read(store_file)
    for _ in range(2):
        with closing(SqliteStore(tmp_path / "in.db")) as store:
            assert take_in(store, tmp_path / "out").superseded == 4
            while store.maintain(T0 + DAY_NS):
                pass
        found = read(tmp_path / "in.db")
        assert all(alike(*pair) for pair in zip(found, wanted, strict=True))
    assert inspect(tmp_path / "in.db").faults == ()


def test_a_file_of_them_is_checked_like_roll_ups(store_file: Path, tmp_path: Path) -> None:
    """A value that cannot be is refused by its row and column."""
    with closing(SqliteReader(store_file)) as reader:
        export(reader, tmp_path / "out", SPAN)
    (path,) = (tmp_path / "out").glob("superseded-*")
    table = pq.read_table(path)
    at = table.schema.get_field_index("slot_ns")
    field = table.schema.field(at)
    pq.write_table(table.set_column(at, field, pa.array([T0 + 1] * len(table), pa.int64())), path)
    with (
        closing(SqliteStore(tmp_path / "in.db")) as store,
        pytest.raises(ForeignFileError, match="row 1, column slot_ns"),
    ):
        take_in(store, tmp_path / "out")


def test_they_go_with_the_roll_ups_of_their_day(store_file: Path) -> None:
    """What would go is weighed with them; nothing of them is left then, and nothing is amiss before or after."""
    assert inspect(store_file).faults == ()
    with closing(SqliteStore(store_file)) as store:
        (held,) = store._connection.execute(
            "SELECT sum(length(data)) FROM part JOIN block ON part.id / 32 = block.id WHERE kind = 2"
        ).fetchone()
        all_of_it = store.outdated(0, T0 + DAY_NS).bytes
        (in_force,) = store._connection.execute(
            "SELECT sum(length(data)) FROM part JOIN block ON part.id / 32 = block.id WHERE kind = 1"
        ).fetchone()
        assert held > 0
        assert all_of_it == held + in_force
        store.let_go(0, T0 + SLOT_NS, lambda *_: None)
        assert len(store.superseded(SPAN)) == 4, "of a day all of it or nothing"
        store.let_go(0, T0 + DAY_NS + HOUR_NS, lambda *_: None)
        assert len(store.superseded(SPAN)) == 0
    assert inspect(store_file).faults == ()
