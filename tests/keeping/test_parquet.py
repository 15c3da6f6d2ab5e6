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
from tatpar.store.parquet import checking, exporting
from tatpar.store.parquet.checking import ForeignFileError
from tatpar.store.parquet.exporting import NotEmptyError, export
from tatpar.store.parquet.importing import take_in
from telemetry.store.memory import MemoryStore
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


@pytest.fixture(scope="session")
def exported_once(made_once: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, only to be read."""
    folder = tmp_path_factory.mktemp("exported") / "out"
    with closing(SqliteReader(made_once / "data" / "reports.db")) as reader:
        export(reader, folder, SPAN)
    return folder


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


def _with(table: pa.Table, name: str, values: Any, kind: pa.DataType | None = None) -> pa.Table:
    """One column of all rows replaced."""
    column = pa.array([values] * len(table), kind)
    place = table.schema.get_field_index(name)
    changed = table.set_column(place, pa.field(name, column.type), column)
    return changed.replace_schema_metadata(table.schema.metadata)


INT_LIST = pa.list_(pa.int32())


@pytest.mark.parametrize(
    ("kind", "column", "value", "type_", "said"),
    [
        ("windows", "site", None, pa.string(), "row 1, column site: empty"),
        ("windows", "site", "../../etc", None, "row 1, column site: '../../etc'"),
        ("windows", "path", "x;DROP", None, "row 1, column path: 'x;DROP'"),
        ("windows", "start_ns", "x", None, "column start_ns holds string, it should be int64"),
        ("windows", "start_ns", None, pa.int64(), "row 1, column start_ns: empty"),
        ("windows", "start_ns", 1.5, None, "column start_ns holds double, it should be int64"),
        ("windows", "start_ns", T0 + 1, None, "on the grid of 15 s"),
        ("windows", "start_ns", 2**63 - 8, None, "from 1970 to 2116"),
        ("windows", "received_ns", -5, None, "row 1, column received_ns: -5"),
        ("windows", "sent", -1, None, "row 1, column sent: -1"),
        ("windows", "lost", 10**6, None, "no more than the column sent says"),
        ("windows", "rate_pps", float("inf"), None, "row 1, column rate_pps: inf"),
        ("windows", "rate_pps", "1,5", None, "column rate_pps holds string, it should be double"),
        ("windows", "rtt_hist_bins", [1, 2, 3], INT_LIST, "row 1, column rtt_hist_bins: 3 bins beside"),
        ("windows", "rtt_hist_bins", [None], INT_LIST, "null"),
        ("windows", "rtt_hist_bins", 1, pa.int32(), "column rtt_hist_bins holds int32"),
        ("rollups", "slot_ns", T0 + 15 * 10**9, None, "on the grid of 300 s"),
        ("rollups", "windows", 21, None, "1 to 20"),
        ("rollups", "window_sent", [1.0] * 3, pa.list_(pa.float32()), "column window_sent holds list"),
        ("rollups", "window_sent", [-1.0] * 20, pa.list_(pa.float32(), 20), "column window_sent: holds a"),
        ("items", "json", None, pa.string(), "row 1, column json: empty"),
        ("items", "json", 5, None, "column json holds int64"),
        ("items", "json", "no", None, "row 1, column json: no item"),
        ("items", "kind", "stream", None, "row 1, column kind: 'stream'"),
    ],
)
def test_nothing_is_believed(  # noqa: PLR0917 - a table
    tmp_path: Path,
    exported_once: Path,
    kind: str,
    column: str,
    value: object,
    type_: pa.DataType | None,
    said: str,
) -> None:
    """What no report could say stops the import in one line, before any file's first row."""
    good = pq.read_table(min(exported_once.glob("windows-*"))).slice(0, 3)
    pq.write_table(good, tmp_path / "windows-1.parquet")
    table = pq.read_table(min(exported_once.glob(f"{kind}-*"))).slice(0, 3)
    pq.write_table(_with(table, column, value, type_), tmp_path / f"{kind}-2.parquet")
    store = MemoryStore()
    with pytest.raises(ForeignFileError) as refused:
        take_in(store, tmp_path)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)
    assert len(store.streams(EVERYTHING)) == 0


@pytest.mark.parametrize(
    ("length", "rows", "said"),
    [(2_000_000, 3, "row 1, column json: 2000000 octets"), (999_999, 1_000, "1000009000 octets of text")],
)
def test_a_small_file_that_would_be_large_in_memory(
    tmp_path: Path, exported_once: Path, length: int, rows: int, said: str
) -> None:
    """One text in every row is once in the file: it is counted before it is written out."""
    table = pq.read_table(min(exported_once.glob("items-*"))).slice(0, 1)
    table = pa.concat_tables([table] * rows)
    pq.write_table(_with(table, "json", "x" * length), tmp_path / "items-1.parquet")
    assert (tmp_path / "items-1.parquet").stat().st_size < 100_000
    with pytest.raises(ForeignFileError, match=said):
        take_in(MemoryStore(), tmp_path)


def test_lists_that_would_be_large_in_memory(tmp_path: Path, exported_once: Path) -> None:
    """Equal values take no room in the file: they are counted, from what it says of itself, before they are read."""
    table = pq.read_table(min(exported_once.glob("windows-*"))).slice(0, 1)
    table = _with(table, "rtt_hist_bins", [0] * 300_000, INT_LIST)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checking, "MOST_VALUES", 200_000)
        pq.write_table(table, tmp_path / "windows-1.parquet")
        with pytest.raises(ForeignFileError, match="values; it should have 200000 at most"):
            take_in(MemoryStore(), tmp_path)


@pytest.mark.parametrize(("kind", "number"), [("\udcff", "1"), ("windows", "²"), ("windows", "9" * 5000)])
def test_strange_words_about_itself(tmp_path: Path, exported_once: Path, kind: str, number: str) -> None:
    """Bytes that are no text, and numbers that are none."""
    table = pq.read_table(min(exported_once.glob("windows-*"))).slice(0, 1)
    words = {b"tatpar.kind": kind.encode(errors="surrogateescape"), b"tatpar.format": number.encode()}
    pq.write_table(table.replace_schema_metadata(words), tmp_path / "windows-1.parquet")
    with pytest.raises(ForeignFileError, match="not of an export"):
        take_in(MemoryStore(), tmp_path)


def test_a_column_twice_and_a_flipped_byte(tmp_path: Path, exported_once: Path) -> None:
    """Pages carry checksums: a byte that changed is noticed though the figures would pass."""
    source = min(exported_once.glob("windows-*"))
    table = pq.read_table(source).slice(0, 3)
    twice = table.append_column("sent", table["sent"]).replace_schema_metadata(table.schema.metadata)
    place = tmp_path / "windows-1.parquet"
    pq.write_table(twice, place)
    with pytest.raises(ForeignFileError, match="column sent is there 2 times"):
        take_in(MemoryStore(), tmp_path)
    chunk = pq.read_metadata(source).row_group(0).column(table.schema.get_field_index("received_ns"))
    raw = bytearray(source.read_bytes())
    raw[chunk.data_page_offset + chunk.total_compressed_size // 2] ^= 1
    place.write_bytes(raw)
    with pytest.raises(ForeignFileError, match=r"damaged from row 1 on .*(CRC|checksum)"):
        take_in(MemoryStore(), tmp_path)


def test_offices_of_imported_rollups_only_are_written_out(hub: Hub, exported: Path) -> None:
    """They have no window and no contact, and yet a past."""
    for path in (*exported.glob("windows-*"), *exported.glob("items-*")):
        path.unlink()
    with closing(SqliteStore(hub.folder / "in.db")) as store:
        taken = take_in(store, exported)
        done = export(store, hub.folder / "again", SPAN)
    assert done.rollups == taken.rollups > 50


def test_a_full_disk_leaves_nothing_half_written(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether it is noticed while rows are written or when the file is closed."""
    for number, when in enumerate(("write_table", "close")):

        def full(*_: object, **__: object) -> None:
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as patched, closing(SqliteReader(hub.data / "reports.db")) as reader:
            patched.setattr(pq.ParquetWriter, when, full)
            with pytest.raises(OSError, match="No space"):
                export(reader, hub.folder / f"full-{number}", SPAN)
        assert not list((hub.folder / f"full-{number}").iterdir())


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
