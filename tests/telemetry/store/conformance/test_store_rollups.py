"""Five-minute roll-ups: what they add up to, when they are made, and how they heal."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from telemetry import histogram
from telemetry.messages import Direction, Stamps, Stream
from telemetry.store import ragged
from telemetry.store.columns import HISTOGRAM_COLUMNS, WINDOW_VALUE_COLUMNS
from telemetry.store.memory import MemoryStore
from telemetry.store.protocol import ReportStore, Selection
from telemetry.store.rollup import CLOSED_AFTER_NS
from telemetry.store.sqlite import SqliteStore
from telemetry.windows import DAY_NS, HOUR_NS, SLOT_NS, WINDOW_NS

SUMS = [
    *("sent", "received", "lost", "lost_unattributed", "straddled", "late_sends", "rx_drops"),
    *(f"{w}_{n}" for w in ("up", "down") for n in ("sent", "received", "lost", "duplicated", "reordered")),
]
WORST = ["longest_loss_run", "up_longest_loss_run", "up_jitter_max_ms", "rtt_max_ms", "clock_error_ms"]


def maintained(in_any_state, reports, now_ns) -> ReportStore:
    in_any_state.store.append(reports)
    in_any_state.maintain(now_ns)
    return in_any_state.settle(now_ns)


def by_slot(rows) -> dict[tuple[str, str, int], list[dict[str, Any]]]:
    """Rows of `truth` grouped by (site, path, slot)."""
    groups: dict[tuple[str, str, int], list[dict[str, Any]]] = {}
    for row in rows:
        key = (row["site"], row["path"], row["start_ns"] // SLOT_NS * SLOT_NS)
        groups.setdefault(key, []).append(row)
    return dict(sorted(groups.items()))


def test_rollups_add_up_their_windows(in_any_state, fleet, expected, everything) -> None:
    """Sums, worst values, means and merged histograms equal those computed window by window."""
    reports = fleet.hours(["agra", "etah"], [*range(37), *range(50, 70, 3), *range(239, 243)])
    store = maintained(in_any_state, reports, fleet.t0 + 9 * HOUR_NS)
    table = store.rollups(everything)
    groups = by_slot(expected(reports))
    keys = zip(*(table.columns[name].tolist() for name in ("site", "path", "slot_ns")), strict=True)
    assert [(table.sites[s], table.paths[p], t) for s, p, t in keys] == list(groups)
    for i, group in enumerate(groups.values()):
        assert table.columns["windows"][i] == len(group)
        assert table.columns["received_ns"][i] == max(row["received_ns"] for row in group)
        for name in SUMS:
            assert table.columns[name][i] == sum(row[name] for row in group), name
        for name in WORST:
            assert table.columns[name][i] == pytest.approx(max(row[name] for row in group), abs=1e-6), name
        assert table.columns["rtt_min_ms"][i] == pytest.approx(
            min(row["rtt_min_ms"] for row in group), abs=1e-6
        )
        mean = math.fsum(row["up_jitter_ms"] for row in group) / len(group)
        assert table.columns["up_jitter_ms"][i] == pytest.approx(mean, abs=1e-6)
        weighted = math.fsum(row["rtt_mean_ms"] * row["received"] for row in group)
        assert table.columns["rtt_mean_ms"][i] == pytest.approx(
            weighted / sum(row["received"] for row in group), abs=1e-6
        )
        for name in HISTOGRAM_COLUMNS:
            total: Counter[int] = Counter()
            for row in group:
                total.update(dict(zip(row[name][0::2], row[name][1::2], strict=True)))
            assert ragged.row(table.histograms[name], i) == tuple(
                x for pair in sorted(total.items()) for x in pair
            )


def test_rollups_keep_the_values_of_their_windows(in_any_state, fleet, expected, everything) -> None:
    """Each of the twenty windows keeps its own loss, burst, jitter and RTT p95; absent windows are NaN."""
    reports = fleet.hours(["agra"], [0, 1, 5, 19, 21])
    table = maintained(in_any_state, reports, fleet.t0 + 9 * HOUR_NS).rollups(everything)
    assert set(table.window_values) == set(WINDOW_VALUE_COLUMNS)
    for i, group in enumerate(by_slot(expected(reports)).values()):
        for name in WINDOW_VALUE_COLUMNS:
            values = table.window_values[name][i]
            assert values.dtype == np.float32
            wanted = np.full(20, np.nan, np.float32)
            for row in group:
                wanted[row["start_ns"] % SLOT_NS // WINDOW_NS] = row[name]
            np.testing.assert_allclose(values, wanted, atol=0.0006, err_msg=name)


def test_the_worst_200_ms_of_a_slot_is_that_of_its_worst_window(in_any_state, fleet, everything) -> None:
    """Lost and sent stay a pair; the greatest ratio wins."""

    def stream(lost: int, sent: int) -> Stream:
        plain = Direction(sent=100, received=100, lost=0)
        return Stream(
            path="main.state",
            stamps=Stamps(),
            rate_pps=50,
            sent=100,
            received=100,
            lost=0,
            worst_200ms_lost=lost,
            worst_200ms_sent=sent,
            up=plain,
            down=plain,
        )

    reports = [
        fleet.report("agra", n + 1, n, items=[stream(*pair)])
        for n, pair in enumerate([(3, 10), (2, 4), (1, 10)])
    ]
    table = maintained(in_any_state, reports, fleet.t0 + 9 * HOUR_NS).rollups(everything)
    assert (table.columns["worst_200ms_lost"][0], table.columns["worst_200ms_sent"][0]) == (2, 4)
    assert np.isnan(table.columns["rtt_p50_ms"][0])
    assert np.isnan(table.columns["up_jitter_ms"][0])


def test_a_slot_is_rolled_up_when_it_is_closed_and_not_before(in_any_state, fleet, everything) -> None:
    """An open slot gives no roll-up; a minute after its end it does."""
    in_any_state.store.append(fleet.hours(["agra"], range(25)))
    in_any_state.maintain(fleet.t0 + SLOT_NS + CLOSED_AFTER_NS - 1)
    assert len(in_any_state.settle(fleet.t0 + SLOT_NS).rollups(everything)) == 0
    in_any_state.maintain(fleet.t0 + SLOT_NS + CLOSED_AFTER_NS)
    assert in_any_state.store.rollups(everything).columns["windows"].tolist() == [20, 20]
    in_any_state.maintain(fleet.t0 + 2 * SLOT_NS + CLOSED_AFTER_NS)
    assert in_any_state.store.rollups(everything).columns["windows"].tolist() == [20, 5, 20, 5]


def test_late_reports_mend_rollups(in_any_state, fleet, everything) -> None:
    """A slot is made again when a report of it comes later, also after a restart."""
    on_time = fleet.hours(["agra"], [n for n in range(40) if n != 7])
    store = maintained(in_any_state, on_time, fleet.t0 + 9 * HOUR_NS)
    assert store.rollups(everything).columns["windows"].tolist() == [19, 20, 19, 20]
    store.append([fleet.report("agra", 99, 7, late_ns=9 * HOUR_NS)])
    in_any_state.maintain(fleet.t0 + 19 * HOUR_NS)
    table = (
        in_any_state.reopen().rollups(everything)
        if in_any_state._backend.keeps
        else store.rollups(everything)
    )
    assert table.columns["windows"].tolist() == [20, 20, 20, 20]
    assert table.columns["received_ns"].max() > fleet.t0 + 9 * HOUR_NS


def test_rollups_as_of_then_are_those_of_what_had_come_by_then(in_any_state, fleet, everything) -> None:
    """Closed slots only; one that changed since is made again from the windows of then, and gone when they are."""
    on_time = fleet.hours(["agra"], [n for n in range(40) if n != 7])
    late = fleet.report("agra", 99, 7, late_ns=9 * HOUR_NS)
    store = maintained(in_any_state, [*on_time, late], fleet.t0 + 19 * HOUR_NS)

    def windows_as_of(then_ns: int) -> list[int]:
        span = Selection(everything.start_ns, everything.end_ns, as_of_ns=then_ns)
        table = store.rollups(span)
        assert (table.columns["received_ns"] <= then_ns).all()
        narrow = store.rollups(span, histograms=False, columns=("lost",), window_values=("lost",))
        np.testing.assert_array_equal(narrow.columns["lost"], table.columns["lost"])
        np.testing.assert_array_equal(narrow.window_values["lost"], table.window_values["lost"])
        return table.columns["windows"].tolist()

    assert windows_as_of(fleet.t0 + 19 * HOUR_NS) == [20, 20, 20, 20]
    assert windows_as_of(fleet.t0 + HOUR_NS) == [19, 20, 19, 20]
    assert windows_as_of(fleet.t0 + 2 * SLOT_NS) == [19, 19]
    assert windows_as_of(fleet.t0 + SLOT_NS) == []
    store.prune(fleet.t0 + 40 * DAY_NS)
    assert windows_as_of(fleet.t0 + HOUR_NS) == [20, 20]
    assert windows_as_of(fleet.t0 + 19 * HOUR_NS) == [20, 20, 20, 20]


def test_a_narrow_read_of_rollups_gives_the_same_figures(in_any_state, fleet, everything) -> None:
    """Chosen columns and window values equal those of a full read; nothing else is read."""
    store = maintained(in_any_state, fleet.hours(["agra", "etah"], range(60)), fleet.t0 + 9 * HOUR_NS)
    full = store.rollups(everything)
    narrow = store.rollups(
        everything, histograms=False, columns=("rtt_p95_ms",), window_values=("up_lost", "sent")
    )
    assert set(narrow.columns) == {
        "site",
        "probe",
        "path",
        "slot_ns",
        "received_ns",
        "windows",
        "emulated",
        "rtt_p95_ms",
    }
    assert set(narrow.window_values) == {"up_lost", "sent"}
    assert not narrow.histograms
    for name, column in narrow.columns.items():
        np.testing.assert_array_equal(column, full.columns[name])
    for name, values in narrow.window_values.items():
        np.testing.assert_array_equal(values, full.window_values[name])
    one = store.rollups(
        Selection(fleet.t0 + SLOT_NS, fleet.t0 + 2 * SLOT_NS, sites=("etah",), paths=("main.state",))
    )
    assert len(one) == 1
    assert one.sites == ("etah",)


spreads = st.lists(
    st.tuples(st.floats(0.002, 30_000), st.floats(0.01, 2.5), st.integers(1, 400)), min_size=1, max_size=30
)


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
@given(windows=spreads, seed=st.integers(0, 2**31))
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_percentiles_over_any_span_are_within_one_percent_of_the_raw_samples(
    kind, windows, seed, fleet, tmp_path_factory
) -> None:
    """Merged from roll-ups through the store, against the nearest rank (RFC 2330) of all raw round trips."""
    rng = np.random.default_rng(seed)
    file = tmp_path_factory.mktemp("percentiles") / "reports.db"
    store = SqliteStore(file) if kind == "sqlite" else MemoryStore()
    raw: list[np.ndarray] = []
    for n, (median_ms, sigma, count) in enumerate(windows):
        raw.append(np.clip(rng.lognormal(math.log(median_ms * 1e6), sigma, count), 1_000, 6e10).round())
        quiet = Direction(sent=count, received=count, lost=0)
        stream = Stream(
            path="main.state",
            stamps=Stamps(),
            rate_pps=10,
            sent=count,
            received=count,
            lost=0,
            up=quiet,
            down=quiet,
            rtt=fleet.round_trip(raw[-1]),
        )
        store.append([fleet.report("agra", n + 1, n * 7, items=[stream])])
    while store.maintain(fleet.t0 + DAY_NS):
        pass
    table = store.rollups(Selection(fleet.t0, fleet.t0 + DAY_NS))
    store.close()
    parts = table.histograms["rtt_hist"]
    merged = histogram.dense(histogram.merge(ragged.row(parts, i) for i in range(len(table))))
    ordered = np.sort(np.concatenate(raw))
    for p in (0.01, 0.5, 0.95, 0.99, 0.999, 1.0):
        nearest = ordered[max(math.ceil(p * len(ordered) - 1e-9), 1) - 1]
        (found,) = histogram.percentiles_ns(merged, [p])
        assert abs(found - nearest) <= 0.01 * nearest, p
    own = np.sort(np.concatenate([r for n, r in enumerate(raw) if n * 7 < 20]))
    p95 = own[math.ceil(0.95 * len(own) - 1e-9) - 1] / 1e6
    assert table.columns["rtt_p95_ms"][0] == pytest.approx(p95, rel=0.01, abs=1e-6)
