"""The store out into Parquet and in again: to the bit, twice is the same as once, and readable by others."""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from tatpar.__main__ import main
from tatpar.parquet import exporting
from tatpar.parquet.checking import ForeignFileError
from tatpar.parquet.exporting import NotEmptyError, export
from tatpar.parquet.importing import take_in
from telemetry.store.protocol import Selection
from telemetry.store.sqlite import SqliteReader, SqliteStore
from telemetry.store.sqlite.inspection import inspect
from telemetry.windows import DAY_NS, HOUR_NS
from tests.keeping.conftest import EVERYTHING, KINDS, bits_of
from tests.telemetry.store.conftest import T0

if TYPE_CHECKING:
    from pathlib import Path

    from telemetry.store.tables import StreamTable
    from tests.keeping.conftest import Hub

SPAN = Selection(T0 - 3 * DAY_NS, T0 + DAY_NS)


@pytest.fixture
def exported(hub: Hub) -> Path:
    """All of a hub's store."""
    with closing(SqliteReader(hub.data / "reports.db")) as reader:
        done = export(reader, hub.folder / "out", SPAN)
    assert done.windows > 600
    assert done.items > 600
    assert done.rollups > 50
    return hub.folder / "out"


def test_every_kind_comes_back_to_the_bit_and_twice_is_once(hub: Hub, exported: Path) -> None:
    """Windows with histograms, roll-ups with the values of their windows, and items of every kind."""
    wanted = bits_of(hub.data / "reports.db")
    assert all(json.loads(wanted[kind]) for kind in KINDS)
    for _ in range(2):
        with closing(SqliteStore(hub.folder / "in.db")) as store:
            take_in(store, exported)
        assert bits_of(hub.folder / "in.db") == wanted
    assert inspect(hub.folder / "in.db").faults == ()


def test_what_is_there_stays(hub: Hub, exported: Path) -> None:
    """Taken into the store that it came from, nothing changes."""
    before = bits_of(hub.data / "reports.db")
    with closing(SqliteStore(hub.data / "reports.db")) as store:
        take_in(store, exported)
    assert bits_of(hub.data / "reports.db") == before
    assert inspect(hub.data / "reports.db").faults == ()


def test_plain_pandas_reads_it(hub: Hub, exported: Path) -> None:
    """Nothing of ours is needed: the same counts, and JSON for what is no stream."""
    windows = pd.concat(map(pd.read_parquet, sorted(exported.glob("windows-*"))))
    with closing(SqliteReader(hub.data / "reports.db")) as reader:
        table = reader.streams(EVERYTHING)
    assert windows["sent"].sum() == table.columns["sent"].sum()
    assert set(windows["site"]) == {"agra", "etah"}
    assert windows["up_ipdv_p50_ms"].isna().sum() > 0
    items = pd.concat(map(pd.read_parquet, sorted(exported.glob("items-*"))))
    links = items[items["kind"] == "link"]["json"].map(json.loads)
    assert {link["interface"] for link in links} == {"eth0"}
    slots = pd.read_parquet(min(exported.glob("rollups-*")))
    assert len(slots["window_sent"].iloc[0]) == 20


def test_memory_is_bounded_by_an_hour_of_some_offices(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long the span: each read and each row group is one hour, a day for roll-ups, of so many offices."""
    monkeypatch.setattr(exporting, "SITES_AT_ONCE", 1)
    asked: list[Selection] = []

    class Watched(SqliteReader):
        def streams(self, selection: Selection, **more: Any) -> StreamTable:
            asked.append(selection)
            return super().streams(selection, **more)

    with closing(Watched(hub.data / "reports.db")) as reader:
        export(reader, hub.folder / "out", SPAN)
    assert asked
    assert {(len(one.sites), one.end_ns - one.start_ns) for one in asked} == {(1, HOUR_NS)}
    for path in (hub.folder / "out").glob("windows-*"):
        groups = [pq.ParquetFile(path).read_row_group(i) for i in range(pq.ParquetFile(path).num_row_groups)]
        assert len(groups) == 10
        for group in groups:
            assert len({*group["site"].to_pylist()}) == 1
            assert len({start // HOUR_NS for start in group["start_ns"].to_pylist()}) == 1


def test_a_span_and_an_office(hub: Hub) -> None:
    """Only what was asked for."""
    span = Selection(T0 + HOUR_NS, T0 + 2 * HOUR_NS, ("etah",))
    with closing(SqliteReader(hub.data / "reports.db")) as reader:
        done = export(reader, hub.folder / "out", span)
        assert done.windows == len(reader.streams(span))
        assert done.items == sum(len(reader.items(kind, span)) for kind in KINDS)


def test_what_is_no_export_is_refused_before_anything_is_taken_in(hub: Hub, exported: Path) -> None:
    """A foreign file, a newer one, a damaged one, one with a column too few, a folder with none, a folder in use."""
    windows = next(iter(exported.glob("windows-*")))
    table = pq.read_table(windows)
    newer = table.schema.metadata | {b"tatpar.format": b"2"}
    for broken, said in (
        (pa.table({"ping": [1]}), "tatpar history import"),
        (table.replace_schema_metadata(newer), "format 2, this version knows up to 1"),
        (
            table.drop_columns(["lost"]).replace_schema_metadata(table.schema.metadata),
            "the column lost is not there",
        ),
    ):
        pq.write_table(broken, exported / "windows-9999.parquet")
        with closing(SqliteStore(hub.folder / "in.db")) as store:
            with pytest.raises(ForeignFileError, match=said):
                take_in(store, exported)
            assert len(store.streams(EVERYTHING)) == 0
    (exported / "windows-9999.parquet").write_bytes(b"PAR1 no more")
    done = CliRunner().invoke(main, ["store", "import", str(exported), "--data", str(hub.folder / "in")])
    assert (done.exit_code, done.output.count("\n")) == (2, 1), done.output
    with (
        closing(SqliteReader(hub.data / "reports.db")) as reader,
        pytest.raises(NotEmptyError, match="not empty"),
    ):
        export(reader, exported, SPAN)


def test_the_commands(hub: Hub) -> None:
    """As an operator types them."""
    here = ["--config", str(hub.config.file), "--json"]
    run = CliRunner()
    out = [
        str(hub.folder / "out"),
        "--data",
        str(hub.data),
        *here,
        "--from",
        "2024-10-01",
        "--to",
        "2024-10-08",
    ]
    done = run.invoke(main, ["store", "export", *out])
    assert done.exit_code == 0, done.output
    written = json.loads(done.stdout)
    taken = run.invoke(main, ["store", "import", written["folder"], "--data", str(hub.folder / "in"), *here])
    assert taken.exit_code == 0, taken.output
    assert json.loads(taken.stdout)["windows"] == written["windows"]
    assert bits_of(hub.folder / "in" / "reports.db") == bits_of(hub.data / "reports.db")
    wrong = run.invoke(
        main, ["store", "export", str(hub.folder / "no"), "--data", str(hub.data), "--site", "agraa"]
    )
    assert (wrong.exit_code, wrong.output.count("\n")) == (2, 1)
