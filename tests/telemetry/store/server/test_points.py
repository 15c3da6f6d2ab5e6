"""What is written, to the letter; how packed values survive; how many series there are."""

from __future__ import annotations

import json
import re
import zlib
from pathlib import Path
from urllib.parse import urlencode

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telemetry.histogram_grid import BINS
from telemetry.messages import (
    Clock,
    Direction,
    Envelope,
    Ping,
    RoundTrip,
    SelfReport,
    Stamps,
    StampSource,
    Stream,
)
from telemetry.store import ragged
from telemetry.store.assembly import Origin, table_of
from telemetry.store.columns import HISTOGRAM_COLUMNS, WINDOW_VALUE_COLUMNS
from telemetry.store.server import contacts, packed, points
from telemetry.store.server.lines import LineMaker
from telemetry.store.server.points import ROLLUP_LANES, WINDOW_LANES, Family
from telemetry.store.server.runs import chunks, read_runs, run_values
from telemetry.windows import DAY_NS, HOUR_NS
from tests.telemetry.store.servers import by_hand, ship_all

START_MS = 1_728_000_000_000
REPORT = Envelope(
    site="agra",
    probe="p1",
    epoch="0" * 16,
    seq=19,
    boot="b",
    mono_ns=1,
    start_ns=START_MS * 1_000_000,
    clock=Clock(error_ms=0.25),
    self_report=SelfReport(late_sends=2, cpu_ratio=0.5),
    items=(
        Stream(
            path="main.state",
            stamps=Stamps(t1=StampSource.KERNEL),
            rate_pps=10,
            sent=150,
            received=149,
            lost=1,
            up=Direction(sent=150, received=149, lost=1, jitter_ms=0.5),
            down=Direction(sent=149, received=149, lost=0),
            rtt=RoundTrip(min_ms=1, mean_ms=2, p50_ms=2, p95_ms=3, p99_ms=3, max_ms=4.125, hist=(5, 149)),
        ),
    ),
)
RECEIVED_NS = START_MS * 1_000_000 + 19_000_000_007


def lines_of(*, strings: bool) -> list[str]:
    maker = LineMaker("tatpar", strings=strings)
    reports = [(REPORT, Origin(RECEIVED_NS, 7))]
    return maker.reports(contacts.of_reports(reports)) + maker.windows(table_of(reports), np.array([19 % 16]))


def test_the_points_of_a_report_are_fixed_for_ever() -> None:
    """Names, tags, types and times are what dashboards and years of data rely on: integers have an i, absent is absent."""
    report, both, up, down = lines_of(strings=True)
    at = START_MS + 3  # seq 19 lies in lane 3
    assert report == (
        "tatpar_report,site=agra,probe=p1 received_s=1728000019i,received_sub_ns=7i,commit=7i,emulated=0i,late_sends=2i,"
        f"rx_drops=0i,clock_state=0i,clock_steps=0i,clock_error_ms=0.25,cpu_ratio=0.5 {at}"
    )
    plain, _, packed_text = both.partition(",packed_histograms=")
    assert plain == (
        "tatpar_window,site=agra,probe=p1,path=main.state received_s=1728000019i,received_sub_ns=7i,commit=7i,sent=150i,"
        "received=149i,lost=1i,lost_unattributed=0i,longest_loss_run=0i,worst_200ms_lost=0i,worst_200ms_sent=0i,straddled=0i,"
        "reflector_restarts=0i,stateful=0i,stamps=2i,late_sends=2i,rx_drops=0i,clock_state=0i,emulated=0i,rate_pps=10.0,"
        "rtt_min_ms=1.0,rtt_mean_ms=2.0,rtt_p50_ms=2.0,rtt_p95_ms=3.0,rtt_p99_ms=3.0,rtt_max_ms=4.125,clock_error_ms=0.25"
    )
    assert re.fullmatch(rf'"[A-Za-z0-9+/=]+" {at}', packed_text)
    assert up == (
        "tatpar_window_direction,site=agra,probe=p1,path=main.state,direction=up sent=150i,received=149i,lost=1i,duplicated=0i,"
        f"reordered=0i,longest_loss_run=0i,worst_200ms_lost=0i,worst_200ms_sent=0i,jitter_ms=0.5 {at}"
    )
    assert down.startswith(
        "tatpar_window_direction,site=agra,probe=p1,path=main.state,direction=down sent=149i,"
    )
    assert "jitter" not in down


def test_without_text_a_packed_value_is_a_run_within_its_window() -> None:
    """Length first, six bytes a sample, consecutive milliseconds, on the lane of the report."""
    run = [line for line in lines_of(strings=False) if "packed_histograms" in line]
    times = [int(line.rsplit(" ", 1)[1]) - START_MS for line in run]
    first = WINDOW_LANES.run_ms + 3 * WINDOW_LANES.room_ms
    assert times == list(range(first, first + len(run)))
    values = [int(re.search(r"packed_histograms=(\d+)i ", line)[1]) for line in run]  # type: ignore[index]
    data = b"".join(value.to_bytes(6, "big") for value in values[1:])[: values[0]]
    assert zlib.decompress(data) == bytes([1, 0, 0, 0, 0, 5, 149 & 127 | 128, 1])
    assert max(values) < 2**48


def test_names_with_signs_of_the_protocol_are_escaped() -> None:
    """Imports may bring names that no probe may have: they must not break out of their place."""
    table = table_of([(REPORT, Origin(RECEIVED_NS, 7))])
    strange = type(table)(("a b,c=d\n",), table.probes, table.paths, table.columns, table.histograms)
    line = LineMaker("t", strings=True).windows(strange, np.array([0]))[0]
    assert line.startswith(r"t_window,site=a\ b\,c\=d\ ,probe=p1,path=main.state received_s=")
    assert "\n" not in line


sparse = st.dictionaries(st.integers(0, BINS - 1), st.integers(1, 2**32 - 1), max_size=60).map(
    lambda found: tuple(x for pair in sorted(found.items()) for x in pair)
)


@given(st.lists(st.tuples(*[sparse] * 5), max_size=8))
@settings(max_examples=60, deadline=None)
def test_any_histograms_come_back_as_they_were(rows) -> None:
    """Whatever the bins and counts; a damaged or missing one is empty and harms no neighbour."""
    tables = {
        name: ragged.ragged([row[i] for row in rows]) if rows else ragged.empty(0)
        for i, name in enumerate(HISTOGRAM_COLUMNS)
    }
    blobs = packed.pack_histograms(tables)
    assert len(blobs) == len(rows)
    found = packed.unpack_histograms(blobs)
    for i, name in enumerate(HISTOGRAM_COLUMNS):
        assert [ragged.row(found[name], n) for n in range(len(rows))] == [row[i] for row in rows]
    torn = packed.unpack_histograms([None, *(blob[:-2] for blob in blobs), *blobs])
    for i, name in enumerate(HISTOGRAM_COLUMNS):
        again = [ragged.row(torn[name], n) for n in range(2 * len(rows) + 1)]
        assert again == [()] * (len(rows) + 1) + [row[i] for row in rows]


@given(st.lists(st.binary(max_size=400), min_size=1, max_size=6), st.integers(0, 15), st.randoms())
@settings(max_examples=80, deadline=None)
def test_any_bytes_come_back_from_a_run_or_not_at_all(blobs, lane, random) -> None:
    """Runs of several windows in one series are told apart; one with a sample missing is left out, others stay."""
    times: list[int] = []
    values: list[int] = []
    whole = []
    for window, blob in enumerate(blobs):
        start = START_MS + window * WINDOW_LANES.span_ms
        samples = run_values(blob)
        at = [start + WINDOW_LANES.run_ms + lane * WINDOW_LANES.room_ms + n for n in range(len(samples))]
        if random.random() < 0.3:
            missing = random.randrange(len(samples))
            del samples[missing], at[missing]
        else:
            whole.append((start, lane, blob))
        times += at
        values += samples
    found = list(read_runs(np.array(times, np.int64), np.array(values, np.float64), WINDOW_LANES))
    assert found == whole


@pytest.mark.parametrize("size", [0, 5_000, 6_000, 40_000])
def test_what_does_not_fit_its_lane_goes_on_in_further_series(size) -> None:
    """Up to eight series; beyond that it is left out and counted, never cut."""
    data = bytes(range(256)) * (size // 256)
    parts = chunks(data, WINDOW_LANES)
    assert parts is not None
    assert b"".join(parts) == data
    assert all(len(run_values(part)) <= WINDOW_LANES.room_ms for part in parts)
    assert chunks(bytes(50_000), WINDOW_LANES) is None


def test_a_report_with_the_most_that_histograms_can_hold_survives(
    servers, fleet, tmp_path, everything
) -> None:
    """All 900 bins of all five with random counts: several kilobytes, in overflow series, back bit for bit."""
    rng = np.random.default_rng(5)

    def full() -> tuple[int, ...]:
        return tuple(x for b, c in enumerate(rng.integers(1, 2**32, BINS).tolist()) for x in (b, c))

    many = 2**32 * BINS
    sides = [Direction(sent=many, received=many, lost=0, ipdv_hist=full(), pdv_hist=full()) for _ in range(2)]
    rtt = RoundTrip(min_ms=1, mean_ms=1, p50_ms=1, p95_ms=1, p99_ms=1, max_ms=1, hist=full())
    stream = Stream(
        path="main.state",
        stamps=Stamps(),
        rate_pps=1,
        sent=many,
        received=many,
        lost=0,
        up=sides[0],
        down=sides[1],
        rtt=rtt,
    )
    store = by_hand(servers.settings("victoriametrics"), tmp_path)
    store.append([fleet.report("agra", 1, 1, items=[stream])])
    ship_all(store, servers)
    assert store.shipping["oversized_values"] == 0
    store.drop_shipped(40_000 * DAY_NS)
    found = store.streams(everything).histograms
    for name, wanted in zip(
        HISTOGRAM_COLUMNS,
        (rtt.hist, *(s.pdv_hist for s in sides), *(s.ipdv_hist for s in sides)),
        strict=True,
    ):
        assert ragged.row(found[name], 0) == wanted
    store.close()


def test_lanes_hold_a_restart_and_twenty_late_windows() -> None:
    """Neighbouring seq never share a lane; a slot can be made again more often than it has windows."""
    assert len({seq % WINDOW_LANES.count for seq in range(100, 116)}) == 16
    assert ROLLUP_LANES.count >= 2 * 20
    assert {lanes.span_ms for lanes in points.LANES.values()} == {15_000, 300_000}


def test_two_reports_of_one_window_are_both_kept(
    servers, kind, fleet, tmp_path, rows, *, expected, everything
) -> None:
    """A probe that restarted within a window sends two: neither covers the other, plain or packed."""
    store = by_hand(servers.settings(kind), tmp_path)
    reports = [fleet.report("agra", seq, 5, late_ns=seq) for seq in (31, 32, 33)]
    store.append(reports)
    ship_all(store, servers)
    store.drop_shipped(40_000 * DAY_NS)
    found = rows(store.streams(everything))
    assert [row["received_ns"] for row in found] == [row["received_ns"] for row in expected(reports)]
    assert [row["rtt_hist"] for row in found] == [row["rtt_hist"] for row in expected(reports)]
    assert len(store.items("ping", everything)) == 3
    store.close()


def test_a_window_off_the_grid_keeps_its_start(servers, kind, fleet, tmp_path, everything) -> None:
    """Points lie on the grid; how far behind it a window starts is kept beside."""
    store = by_hand(servers.settings(kind), tmp_path)
    one = fleet.report("agra", 1, 1)
    odd = msgspec.structs.replace(one.envelope, start_ns=one.envelope.start_ns + 1_234_567_891)
    store.append([type(one)(odd, one.received_ns), fleet.report("agra", 2, 2)])
    ship_all(store, servers)
    store.drop_shipped(40_000 * DAY_NS)
    starts = set(store.streams(everything).columns["start_ns"].tolist())
    assert starts == {odd.start_ns, fleet.t0 + 2 * 15_000_000_000}
    store.close()


def test_the_series_of_a_site_are_a_constant(servers, fleet, tmp_path) -> None:
    """Hours of reports, every item, roll-ups made again: never more than the stated number, which seq and epoch do not move."""
    settings = servers.settings("victoriametrics")
    store = by_hand(settings, tmp_path)
    stream_paths = ("main.national", "main.state")
    reports = [
        fleet.report(
            "agra",
            n + 1,
            n,
            epoch=f"{n % 7:016x}",
            items=[*(fleet.stream(p) for p in stream_paths), Ping(target="gateway", sent=1, received=1)],
        )
        for n in range(0, 480, 4)
    ]
    for some in (reports[::2], reports[1::2]):
        store.append(some)
        while store.maintain(fleet.t0 + 9 * HOUR_NS):
            pass
        ship_all(store, servers)
    answer = servers.of("victoriametrics").get(
        "/api/v1/series?"
        + urlencode(
            {"match[]": f'{{__name__=~"{settings.prefix}_.*"}}', "start": 1_700_000_000, "end": 1_760_000_000}
        )
    )
    series = json.loads(answer.data)["data"]
    assert {tuple(sorted(s.keys() - {"__name__"})) for s in series} == {
        ("probe", "site"),
        ("path", "probe", "site"),
        ("direction", "path", "probe", "site"),
    }
    assert 200 < len(series) <= points.series_of_probe() + 2 * points.series_of_path()
    assert {Family(name) for name in Family} == set(points.LANES)
    store.close()


def test_the_stated_cardinality_is_what_the_readme_says() -> None:
    """The figures of the README follow from the fields."""
    readme = (Path(points.__file__).parent / "README.md").read_text(encoding="utf-8")
    path, probe = points.series_of_path(), points.series_of_probe()
    site = probe + 2 * path
    for figure in (path, probe, site, 92 * site, 100_000 * site):
        assert f"{figure:,}" in readme


def test_window_values_come_back_bit_for_bit() -> None:
    """float32 with NaN for absent windows; a torn one is absent as a whole."""
    rng = np.random.default_rng(1)
    values = {name: rng.random((4, 20)).astype(np.float32) for name in WINDOW_VALUE_COLUMNS}
    values["sent"][1, 3] = np.nan
    blobs = packed.pack_window_values(values)
    found = packed.unpack_window_values([*blobs[:3], blobs[3][:-1], None])
    for name, wanted in values.items():
        np.testing.assert_array_equal(found[name][:3], wanted[:3])
        assert np.isnan(found[name][3:]).all()
        assert found[name].dtype == np.float32
