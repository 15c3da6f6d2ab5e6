"""What other tools measured becomes our past, figure by figure, and never covers what was measured here."""

from __future__ import annotations

import contextlib
import gzip
import json
import time
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from analytics.forecast.seen import closed_ns
from config.live import LiveConfig
from config.load import load_config
from tatpar.backtesting.blocks import Source, Wanted
from tatpar.backtesting.replaying import replayed
from tatpar.importing.mapping import read_mapping
from tatpar.importing.tables import ROWS_PER_CHUNK
from tatpar.importing.told import ROLE
from tatpar.shipped.prior import shipped_prior
from tatpar.watching.foreseeing import prepare_tracks
from tatpar.watching.watch import Watch
from telemetry.clock import SystemClock
from telemetry.state.db import StateDb
from telemetry.store.derived import Deriving
from telemetry.store.open import open_reader
from telemetry.store.protocol import Received, Selection
from telemetry.store.sqlite import SqliteStore
from telemetry.traces import read_trace
from telemetry.windows import (
    DAY_NS,
    HOUR_NS,
    SECOND_NS,
    SLOT_NS,
    WEEK_NS,
    WINDOW_NS,
    slot_start,
    window_start,
)
from tests.reported import envelope_of, quiet_stream

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Desk

T0 = slot_start(time.time_ns()) - DAY_NS
"""A slot's start, a day ago."""
TRACE = "bench/data/rtt_labelled/11119.csv"
PINGS = """
[time]
column = "t"
format = "unix_ns"
[path]
is = "main.state"
[ping]
rtt = { column = "rtt" }
"""


def done(result: Any) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def windows_of(table: Any, name: str) -> dict[int, float]:
    """Start of each window that is there, and a figure of it."""
    sent, values = table.window_values["sent"], table.window_values[name]
    starts = table.columns["slot_ns"][:, None] + np.arange(20) * WINDOW_NS
    there = sent > 0
    return dict(zip(starts[there].tolist(), values[there].tolist(), strict=True))


def test_a_trace_comes_back_sample_by_sample(desk: Desk, examples: Path) -> None:
    """Every round trip of a real trace stands in the window of its time, its losses are losses, and nothing else is there."""
    trace = read_trace(desk.folder.cwd() / TRACE)
    mapping = examples / "trace.toml"
    said = done(desk.imports([desk.folder.cwd() / TRACE], mapping, "--site", "agra", "--json"))
    shift_ns = read_mapping(mapping).file.shift_weeks * WEEK_NS
    expected = defaultdict(list)
    for at, rtt in dict(zip(trace.time_ns.tolist(), trace.rtt_ms.tolist(), strict=True)).items():
        expected[window_start(at + shift_ns)].append(rtt)
    table = desk.rollups()
    assert table.probes == ("ripe-atlas",)
    assert (table.columns["emulated"] == 1).all()
    sent, lost = windows_of(table, "sent"), windows_of(table, "lost")
    assert {at: len(found) for at, found in expected.items()} == sent
    assert {at: sum(np.isnan(found)) for at, found in expected.items()} == lost
    assert sum(lost.values()) == np.isnan(trace.rtt_ms).sum() > 0
    p95 = windows_of(table, "rtt_p95_ms")
    for at, found in expected.items():
        # of so few samples the greatest that came back; the store rounds to a microsecond
        np.testing.assert_allclose(p95[at], np.fmax.reduce(found), atol=6e-4)
    (site,) = said["sites"]
    assert (site["samples"], site["slots"]) == (len(trace.time_ns), len(table))
    for name in ("up_jitter_ms", "down_jitter_ms"):
        assert np.isnan(table.columns[name]).all()
    np.testing.assert_array_equal(table.columns["lost_unattributed"], table.columns["lost"])
    last_end = (starts := table.columns["slot_ns"]) + SLOT_NS
    assert (table.columns["received_ns"] <= last_end).all()
    assert (table.columns["received_ns"] > starts).all()


def test_many_pings_a_window_give_the_figures_of_numpy(desk: Desk) -> None:
    """Minimum, mean, nearest-rank percentiles, losses and loss runs, against a plain loop; order in the file does not matter."""
    rng = np.random.default_rng(5)
    at = np.sort(T0 + rng.integers(0, 40 * 60, 4_000) * SECOND_NS + rng.integers(0, SECOND_NS, 4_000))
    rtt = np.where(rng.random(4_000) < 0.1, np.nan, 20 + rng.gamma(2, 5, 4_000)).round(4)
    order = rng.permutation(4_000)
    text = "t,rtt\n" + "".join(
        f"{t},{'' if np.isnan(r) else r}\n" for t, r in zip(at[order], rtt[order], strict=True)
    )
    packed = desk.folder / "pings.csv.gz"
    packed.write_bytes(gzip.compress(text.encode()))
    done(desk.imports([packed], desk.writes("m.toml", PINGS), "--site", "agra", "--json"))
    table = desk.rollups()
    by_window, by_slot = defaultdict(list), defaultdict(list)
    for t, r in zip(at.tolist(), rtt.tolist(), strict=True):
        by_window[window_start(t)].append(r)
        by_slot[slot_start(t)].append(r)
    p95 = windows_of(table, "rtt_p95_ms")
    for start, found in by_window.items():
        back = sorted(r for r in found if not np.isnan(r))
        assert p95[start] == pytest.approx(back[int(np.ceil(0.95 * len(back))) - 1], abs=6e-4)
    c = table.columns
    for row, slot in enumerate(c["slot_ns"].tolist()):
        back = [r for r in by_slot[slot] if not np.isnan(r)]
        assert (c["sent"][row], c["received"][row]) == (len(by_slot[slot]), len(back))
        assert (c["rtt_min_ms"][row], c["rtt_max_ms"][row]) == (min(back), max(back))
        assert c["rtt_mean_ms"][row] == pytest.approx(np.mean(back), abs=1e-5)
        assert c["rtt_p50_ms"][row] == pytest.approx(
            sorted(back)[int(np.ceil(0.5 * len(back))) - 1], rel=0.011
        )
        runs = [longest_run(found) for start, found in by_window.items() if slot_start(start) == slot]
        assert c["longest_loss_run"][row] == max(runs)
    assert len(table) == 8


def longest_run(found: list[float]) -> int:
    longest = run = 0
    for each in found:
        run = run + 1 if np.isnan(each) else 0
        longest = max(longest, run)
    return longest


def test_twice_is_once_and_a_later_import_replaces(desk: Desk) -> None:
    """The same files again change nothing; corrected figures take the place of those imported before."""
    mapping = desk.writes("m.toml", PINGS)
    first = desk.writes(
        "a.csv", "t,rtt\n" + "".join(f"{T0 + i * 60 * SECOND_NS},{30 + i}\n" for i in range(30))
    )
    assert done(desk.imports([first], mapping, "--site", "agra", "--json"))["sites"][0]["replaced"] == 0
    before = desk.rollups()
    again = done(desk.imports([first, first], mapping, "--site", "agra", "--json"))["sites"][0]
    assert (again["slots"], again["replaced"], again["samples"]) == (6, 6, 60)
    after = desk.rollups()
    for name, column in before.columns.items():
        np.testing.assert_array_equal(after.columns[name], column, name)
    for name, values in before.window_values.items():
        np.testing.assert_array_equal(after.window_values[name], values, name)
    better = desk.writes("b.csv", f"t,rtt\n{T0},99\n")
    done(desk.imports([better], mapping, "--site", "agra", "--json"))
    mended = desk.rollups()
    assert mended.columns["rtt_max_ms"].tolist() == [99.0, *before.columns["rtt_max_ms"][1:].tolist()]


def measured(site: str, seq: int, start_ns: int) -> Received:
    return Received(envelope_of(site, seq, start_ns, quiet_stream()), start_ns + WINDOW_NS)


def test_what_was_measured_here_stays(desk: Desk) -> None:
    """Imported samples fill the slots around a measured one and leave it as it is, in whichever order they come."""
    with contextlib.closing(SqliteStore(_made(desk.data) / "reports.db")) as store:
        store.append([measured("agra", n + 1, T0 + SLOT_NS + n * WINDOW_NS) for n in range(3)])
        while store.maintain(T0 + DAY_NS):
            pass
    mapping = desk.writes("m.toml", PINGS)
    pings = desk.writes("a.csv", "t,rtt\n" + "".join(f"{T0 + i * 60 * SECOND_NS},40\n" for i in range(15)))
    dry = done(desk.imports([pings], mapping, "--site", "agra", "--dry-run", "--json"))
    assert len(desk.rollups()) == 1
    wet = done(desk.imports([pings], mapping, "--site", "agra", "--json"))
    assert wet["sites"] == dry["sites"]
    assert (wet["sites"][0]["slots"], wet["sites"][0]["measured"]) == (2, 1)
    table = desk.rollups()
    assert table.columns["emulated"].tolist() == [1, 0, 1]
    assert table.columns["sent"].tolist() == [5, 450, 5]
    with contextlib.closing(SqliteStore(desk.data / "reports.db")) as store:
        store.append([measured("agra", 9, T0)])
        while store.maintain(T0 + DAY_NS):
            pass
    assert desk.rollups().columns["emulated"].tolist() == [0, 0, 1]


def _made(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    return folder


def test_arrival_decides_when_history_is_seen(desk: Desk) -> None:
    """With its own end, or when the file says that it came: before that a read as of then does not have it."""
    late_ns = T0 + 6 * HOUR_NS
    rows = desk.writes("a.csv", f"t,rtt,came\n{T0},30,{late_ns}\n{T0 + SLOT_NS},31,{T0 + 2 * SLOT_NS}\n")
    with_arrival = desk.writes("m.toml", PINGS + '[arrived]\ncolumn = "came"\nformat = "unix_ns"\n')

    def seen(as_of_ns: int) -> list[int]:
        settings = load_config(desk.config).settings.store
        with contextlib.closing(open_reader(settings, desk.data)) as reader:
            table = reader.rollups(Selection(T0, T0 + DAY_NS, as_of_ns=as_of_ns))
            return ((table.columns["slot_ns"] - T0) // SLOT_NS).tolist()

    done(desk.imports([rows], with_arrival, "--site", "agra", "--json"))
    assert [seen(late_ns - 1), seen(late_ns)] == [[1], [0, 1]]
    done(desk.imports([rows], desk.writes("n.toml", PINGS), "--site", "agra", "--json"))
    minute_ns = 60 * SECOND_NS
    assert [seen(T0 + SLOT_NS + k * minute_ns) for k in (0, 1, 6)] == [[], [0], [0, 1]]


def test_files_of_more_than_a_chunk_in_parquet_and_csv_are_the_same(desk: Desk) -> None:
    """A chunk's edge is not seen, whatever the form of the file; rows of two offices and two paths keep apart."""
    rng = np.random.default_rng(1)
    rows = ROWS_PER_CHUNK + 1_000
    frame = pd.DataFrame(
        {
            "t": pd.to_datetime(T0 - 3 * DAY_NS + np.arange(rows) * (2 * SECOND_NS), unit="ns", utc=True),
            "host": np.where(np.arange(rows) % 3 == 0, "a", "b"),
            "to": np.where(np.arange(rows) % 2 == 0, "main.state", "main.national"),
            "rtt": np.where(rng.random(rows) < 0.01, np.nan, rng.random(rows) + 0.05),
        }
    )
    mapping = desk.writes(
        "m.toml",
        """
        time = { column = "t" }
        path = { column = "to" }
        ping = { rtt = { column = "rtt", unit = "s" } }
        [site]
        column = "host"
        values = { a = "agra", b = "etah" }
        """,
    )
    frame.to_csv(desk.folder / "x.csv", index=False)
    frame.to_parquet(desk.folder / "x.parquet")
    tables = []
    for name in ("x.csv", "x.parquet"):
        said = done(desk.imports([desk.folder / name], mapping, "--json"))
        assert [site["samples"] for site in said["sites"]] == [(rows + 2) // 3, rows - (rows + 2) // 3]
        tables.append(desk.rollups("etah"))
    assert tables[0].paths == ("main.national", "main.state")
    for name in ("sent", "lost", "rtt_p95_ms"):
        np.testing.assert_array_equal(tables[0].window_values[name], tables[1].window_values[name])
    assert tables[0].columns["sent"].sum() == rows - (rows + 2) // 3


def test_a_running_watch_takes_an_import_up_at_its_next_look(desk: Desk) -> None:
    """The past is read anew after an import, not hours later."""
    with contextlib.closing(SqliteStore(_made(desk.data) / "reports.db")):
        pass
    store = load_config(desk.config).settings.store
    with (
        contextlib.closing(open_reader(store, desk.data)) as reader,
        contextlib.closing(StateDb(desk.data / "state.db")) as state,
    ):
        watch = Watch(LiveConfig(desk.config), reader, state, SystemClock())
        watch.step()
        watch._keep_past()
        assert watch._hindsight.past is not None
        assert not watch._hindsight.past.history.measured.any()
        loaded = watch._hindsight.past
        watch._keep_past()
        assert watch._hindsight.past is loaded
        pings = desk.writes(
            "a.csv", "t,rtt\n" + "".join(f"{T0 + i * 15 * SECOND_NS},40\n" for i in range(40))
        )
        done(desk.imports([pings], desk.writes("m.toml", PINGS), "--site", "agra", "--json"))
        watch._keep_past()
        assert watch._hindsight.past.history.measured.sum() == 40
        loaded = watch._hindsight.past
        watch._keep_past()
        assert watch._hindsight.past is loaded
        assert ROLE not in state.beats()  # the wall and the doctor expect no more of it


def test_the_hours_after_a_source_has_ended_are_not_failures_of_the_office(desk: Desk) -> None:
    """A trace that ends ten days before another does: nothing is known of its office from then on, in a back-test as in the watch's tracks."""
    end, span = T0 // HOUR_NS * HOUR_NS, 12 * DAY_NS
    mapping = desk.writes("m.toml", PINGS)
    for site, until_ns in (("agra", end), ("etah", end - 10 * DAY_NS)):
        times = range(end - span, until_ns, 240 * SECOND_NS)
        pings = desk.writes(f"{site}.csv", "t,rtt\n" + "".join(f"{ns},40\n" for ns in times))
        done(desk.imports([pings], mapping, "--site", site, "--json"))
    config = load_config(desk.config)
    etah = config.registry.by_id["etah"]
    with (
        contextlib.closing(open_reader(config.settings.store, desk.data)) as reader,
        contextlib.closing(StateDb(desk.data / "state.db")) as state,
    ):
        wanted = Wanted(from_ns=end - span, until_ns=end, hourly=True)
        found = replayed(config, Source(reader, state), wanted, shipped_prior(), lambda _: None)
        mine = found.sites == config.registry.sites.index(etah)
        later = found.starts_ns >= end - 10 * DAY_NS
        assert (mine & found.known & ~later).any()
        assert (mine & later).any()
        assert not (mine & found.known & later).any()
        assert (~mine & found.known & later).any()
        watch = Watch(LiveConfig(desk.config), reader, state, SystemClock())
        watch.step()
        watch._keep_past()
        past, offices = watch._hindsight.past, watch._current.offices  # type: ignore[union-attr]
        assert past is not None
        prepared = prepare_tracks(past, offices, state, time.time_ns())
        track, line = prepared.tracks[0], past.shape.lines.site_index["etah"] * len(past.shape.lines.paths)
        ended = (end - 10 * DAY_NS) // SLOT_NS - track.first_slot
        closes_ns = closed_ns(track)
        assert (track.silent_until_ns[line, ended - 12 : ended] > 0).all()
        assert not (track.silent_until_ns[line, ended:] > closes_ns[ended:]).any()


def test_the_days_of_an_import_are_judged_with_it(desk: Desk) -> None:
    """A start after an import finds them as it keeps them, and judges none."""
    pings = desk.writes(
        "a.csv", "t,rtt\n" + "".join(f"{T0 - DAY_NS + i * 15 * SECOND_NS},40\n" for i in range(40))
    )
    done(desk.imports([pings], desk.writes("m.toml", PINGS), "--site", "agra", "--json"))
    store = load_config(desk.config).settings.store
    with (
        contextlib.closing(open_reader(store, desk.data)) as reader,
        contextlib.closing(StateDb(desk.data / "state.db")) as state,
    ):
        watch = Watch(LiveConfig(desk.config), reader, state, SystemClock())
        watch.step()
        watch._keep_past()
        assert watch._hindsight.past is not None
        assert watch._hindsight.past.history.measured.sum() == 40
        assert isinstance(reader, Deriving)
        counts = reader.derived.counts
        assert counts.found == 2, "slots and figures of one day"
        assert (counts.missing, counts.kept) == (0, 0)
