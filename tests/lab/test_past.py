"""The drawn past: laws, sums, and the store's own rules of rolling up."""

from __future__ import annotations

import itertools
import time
from typing import TYPE_CHECKING

import msgspec
import numpy as np
import pytest

from lab.past.faults import faults_between
from lab.past.histograms import EXPONENTIAL, GAMMA2, drawn
from lab.running.script import QUIET, Kind, Past, load_script
from telemetry.histogram import percentiles_ns
from telemetry.store.columns import COUNT_COLUMNS, FLOAT_COLUMNS, HISTOGRAM_COLUMNS, WINDOW_VALUE_COLUMNS
from telemetry.store.ragged import dense_rows
from telemetry.store.rollup import roll_up
from telemetry.windows import DAY_NS, SLOT_NS
from tests.lab.pasts import NOW, busy_past, draw_office, plan_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from config.config import Config
    from lab.past.office import OfficePast
    from lab.running.scope import Places


WEEK = 7 * DAY_NS


@pytest.fixture
def past(config: Config, few: Places) -> OfficePast:
    """Three eventful days of one office."""
    script = msgspec.structs.replace(load_script(None, few), past=busy_past())
    return draw_office(plan_of(config, few, script), few.sites[0])


def test_counts_of_windows_add_up(past: OfficePast) -> None:
    """In every window the packets are all accounted for, in total and in each direction."""
    c = past.streams.columns
    assert len(past.streams) > 20_000
    assert (c["sent"] == c["received"] + c["lost"]).all()
    assert (c["lost"] == c["up_lost"] + c["down_lost"] + c["lost_unattributed"]).all()
    for way in ("up", "down"):
        assert (c[f"{way}_received"] + c[f"{way}_lost"] <= c[f"{way}_sent"]).all()
    assert (c["down_sent"] == c["up_received"]).all()
    assert (c["down_received"] == c["received"]).all()
    assert (c["emulated"] == 1).all()


@pytest.mark.usefixtures("config", "few")
def test_all_kinds_of_trouble_are_drawn(past: OfficePast) -> None:
    """The eventful days have silent windows, partial losses, and times without windows."""
    c = past.streams.columns
    assert (c["received"] == 0).any()
    assert ((c["lost"] > 0) & (c["received"] > 0)).any()
    assert ((c["up_lost"] > 0) & (c["down_lost"] == 0)).any()
    slots = len(np.unique(past.rollups.columns["slot_ns"]))
    assert slots < 3 * DAY_NS // SLOT_NS
    assert (past.rollups.columns["windows"] < 20).any()
    assert (c["received_ns"] > c["start_ns"] + 60_000_000_000).any()


def test_silent_windows_are_absent_not_zero(past: OfficePast) -> None:
    """Where no reply came the round trip and the jitter are absent, and the loss is nobody's."""
    c = past.streams.columns
    silent = c["received"] == 0
    for name in ("rtt_min_ms", "rtt_p95_ms", "up_jitter_ms", "down_jitter_ms", "up_pdv_p99_ms"):
        assert np.isnan(c[name][silent]).all()
        assert not np.isnan(c[name][~silent & (c["received"] > 1)]).any()
    assert (c["lost_unattributed"][silent] == c["sent"][silent]).all()
    assert (c["lost_unattributed"][~silent] == 0).all()


def test_bursts_and_runs_are_within_their_losses(past: OfficePast) -> None:
    """Runs and worst 200 ms are at least 1 where anything was lost, and never more than what was lost or sent."""
    c = past.streams.columns
    for way in ("up_", "down_"):
        lost, run, worst = c[way + "lost"], c[way + "longest_loss_run"], c[way + "worst_200ms_lost"]
        assert ((run > 0) == (lost > 0)).all()
        assert ((worst > 0) == (lost > 0)).all()
        assert (run <= lost).all()
        assert (worst <= np.minimum(lost, c[way + "worst_200ms_sent"])).all()


def test_round_trips_are_in_order(past: OfficePast) -> None:
    """Least, median, 95th, 99th percentile and greatest rise in this order."""
    c = past.streams.columns
    there = c["received"] > 0
    names = ("rtt_min_ms", "rtt_p50_ms", "rtt_p95_ms", "rtt_p99_ms", "rtt_max_ms")
    for lower, upper in itertools.pairwise(names):
        assert (c[lower][there] <= c[upper][there]).all()
    several = c["received"] > 1  # of one reply there is no jitter
    assert (c["up_jitter_ms"][several] <= c["up_jitter_max_ms"][several]).all()


@pytest.mark.parametrize("which", ["streams", "rollups"])
def test_histograms_hold_every_reply(past: OfficePast, which: str) -> None:
    """The round-trip and PDV histograms have one count a reply, IPDV at most that; bins rise within a row."""
    table = getattr(past, which)
    for name in HISTOGRAM_COLUMNS:
        part = table.histograms[name]
        row = np.repeat(np.arange(len(table)), np.diff(part.offsets))
        totals = np.bincount(row, weights=part.counts, minlength=len(table))
        if "ipdv" in name:
            assert (totals <= table.columns["received"]).all()
        else:
            assert (totals == table.columns["received"]).all()
        assert (part.counts > 0).all()
        assert (np.diff(part.bins)[np.diff(row) == 0] > 0).all()


def test_rollups_are_the_stores_own(past: OfficePast) -> None:
    """Folding gives what the store makes of the same windows: counts, extremes, means, and the windows' values."""
    ours = past.rollups
    theirs = roll_up(past.streams)
    at = {
        (theirs.paths[p], slot): row
        for row, (p, slot) in enumerate(
            zip(theirs.columns["path"].tolist(), theirs.columns["slot_ns"].tolist(), strict=True)
        )
    }
    pairs = [
        (row, at[key])
        for row, key in enumerate(
            (ours.paths[p], slot)
            for p, slot in zip(ours.columns["path"].tolist(), ours.columns["slot_ns"].tolist(), strict=True)
        )
        if key in at
    ]
    mine, its = np.array(pairs).T
    assert len(mine) == len(theirs)
    for name in ("windows", "received_ns", *COUNT_COLUMNS):
        np.testing.assert_array_equal(ours.columns[name][mine], theirs.columns[name][its], err_msg=name)
    percentiles = ("_p50_", "_p95_", "_p99_", "_p999_")
    for name in FLOAT_COLUMNS:
        if not any(mark in name for mark in percentiles):
            np.testing.assert_allclose(
                ours.columns[name][mine], theirs.columns[name][its], rtol=1e-9, atol=2e-6, err_msg=name
            )
    for name in WINDOW_VALUE_COLUMNS:
        np.testing.assert_array_equal(ours.window_values[name][mine], theirs.window_values[name][its])


def test_percentiles_are_those_of_the_histograms(config: Config, few: Places) -> None:
    """On a sound line the roll-ups' percentiles agree with those of their merged histograms within 5 %."""
    script = msgspec.structs.replace(QUIET, kinds=(Kind(id="a", share=1, access_ms=5, jitter_ms=2),))
    table = draw_office(plan_of(config, few, script, weeks=0.05), few.sites[0]).rollups
    for histogram, prefix, names in (
        ("rtt_hist", "rtt", {"p50": 0.5, "p95": 0.95, "p99": 0.99}),
        ("up_pdv_hist", "up_pdv", {"p50": 0.5, "p99": 0.99, "p999": 0.999}),
    ):
        found = percentiles_ns(dense_rows(table.histograms[histogram]), list(names.values())).T / 1e6
        for name, values in zip(names, found, strict=True):
            np.testing.assert_allclose(table.columns[f"{prefix}_{name}_ms"], values, rtol=0.05)


def test_levels_are_those_of_the_live_lab(config: Config, few: Places) -> None:
    """Round trip, jitter and loss of the past are those of the line's character: the live lab goes on from there."""
    kind = Kind(id="a", share=1, access_ms=8, jitter_ms=1.5, loss_ratio=0.01, spread=0.0)
    script = msgspec.structs.replace(QUIET, kinds=(kind,), past=Past())
    past = draw_office(plan_of(config, few, script), few.sites[0])
    c = past.streams.columns
    lot = plan_of(config, few, script)
    assert lot.faults == ()
    # Two directions of 8 ms and 5 ms (an end whose place is not told), and twice 1.5 ms of jitter on the mean.
    assert np.median(c["rtt_mean_ms"]) == pytest.approx(26.08 + 3.0, rel=0.02)
    assert np.median(c["rtt_min_ms"]) == pytest.approx(26.08, abs=0.4)
    ratio = c["up_jitter_ms"].mean() * c["down_jitter_ms"].mean()
    assert ratio == pytest.approx(1.5**2, rel=0.02)
    assert c["up_lost"].sum() / c["up_sent"].sum() == pytest.approx(0.01, rel=0.03)
    assert c["down_lost"].sum() / c["down_sent"].sum() == pytest.approx(0.01, rel=0.03)


def test_bursty_loss_keeps_its_ratio_and_its_bursts(config: Config, few: Places) -> None:
    """Bursts of 300 ms at 3 % lose 3 %, in runs of three packets and more at ten a second."""
    kind = Kind(id="a", share=1, access_ms=1, jitter_ms=1, loss_ratio=0.03, loss_burst_ms=300.0)
    script = msgspec.structs.replace(QUIET, kinds=(kind,), past=Past())
    c = draw_office(plan_of(config, few, script), few.sites[0]).streams.columns
    assert c["up_lost"].sum() / c["up_sent"].sum() == pytest.approx(0.03, rel=0.05)
    slow = (c["rate_pps"] == 10) & (c["up_lost"] > 2)
    assert c["up_longest_loss_run"][slow].mean() > 3


def test_weak_hours_show_in_the_past(config: Config, few: Places) -> None:
    """An office with congested evenings loses more in the evening, downward, than at noon, and another does not."""
    plan = plan_of(config, few, msgspec.structs.replace(load_script(None, few), past=Past()))
    loss = {}
    for site in few.sites:
        c = draw_office(plan, site).rollups.columns
        hour = (c["slot_ns"] // 3_600_000_000_000 * 60 + 330) // 60 % 24
        for name, hours in (("evening", (19, 20, 21)), ("noon", (11, 12, 13))):
            here = np.isin(hour, hours)
            loss[site.id, name] = c["down_lost"][here].sum() / c["down_sent"][here].sum()
    assert loss["lakhimpur-kheri", "evening"] > 0.025
    assert loss["lakhimpur-kheri", "noon"] < 0.001
    assert loss["jaunpur", "evening"] < 0.001


def test_meetings_are_probed_faster(config: Config, few: Places) -> None:
    """Windows before and during an office's meetings have the meeting rate, the others the base rate."""
    plan = plan_of(config, few)
    rates = draw_office(plan, few.sites[0]).streams.columns["rate_pps"]
    assert set(np.unique(rates).tolist()) == {10.0, 50.0}


def test_a_day_is_the_same_in_any_span(config: Config, few: Places) -> None:
    """Drawn as part of three days or of five, the same day has the same windows."""
    script = load_script(None, few)
    short = draw_office(plan_of(config, few, script, weeks=3 / 7), few.sites[0]).rollups
    long = draw_office(plan_of(config, few, script, weeks=5 / 7), few.sites[0]).rollups
    common = np.isin(long.columns["slot_ns"], short.columns["slot_ns"])
    order_a = np.lexsort((short.columns["slot_ns"], short.columns["path"]))
    order_b = np.lexsort((long.columns["slot_ns"][common], long.columns["path"][common]))
    for name in ("sent", "lost", "up_jitter_ms", "rtt_p95_ms"):
        np.testing.assert_array_equal(
            short.columns[name][order_a], long.columns[name][common][order_b], err_msg=name
        )


def test_faults_depend_on_seed_and_day_only(places: Places) -> None:
    """Another span draws the same faults where the two overlap; another seed draws others."""
    past = Past(flaps_per_month=3, power_cuts_per_month=3, provider_outages_per_month=3)
    key = lambda fault: (fault.start_ns, fault.name, sorted(fault.sites))  # noqa: E731
    long = sorted(faults_between(past, places, 1, NOW - 4 * WEEK, NOW), key=key)
    short = sorted(faults_between(past, places, 1, NOW - WEEK, NOW), key=key)
    assert short == [fault for fault in long if fault.end_ns > NOW - WEEK]
    assert sorted(faults_between(past, places, 2, NOW - WEEK, NOW), key=key) != short


def test_fault_rates_are_as_stated(places: Places) -> None:
    """Over half a year power cuts number as a Poisson law of their rate says, and last as long on the mean."""
    past = Past(power_cuts_per_month=1.5, power_cut_minutes=35)
    drawn_cuts = list(faults_between(past, places, 1, NOW - 26 * WEEK, NOW))
    expected = len(places.sites) * 1.5 * 182 / 30
    assert abs(len(drawn_cuts) - expected) < 4.9 * expected**0.5
    minutes = np.array([(fault.end_ns - fault.start_ns) / 60e9 for fault in drawn_cuts])
    assert abs(minutes.mean() - 35) < 4.9 * minutes.std() / len(minutes) ** 0.5


def test_provider_outages_hit_one_provider_in_one_region(places: Places) -> None:
    """Every provider's outage hits all of its offices in one region, and nobody else."""
    past = Past(provider_outages_per_month=5)
    regions = {site.id: site.region for site in places.sites}
    found = list(faults_between(past, places, 1, NOW - 4 * WEEK, NOW))
    assert found
    for fault in found:
        assert len({regions[site] for site in fault.sites}) == 1
        assert len({places.providers[site] for site in fault.sites}) == 1


@pytest.mark.parametrize(("shape", "median", "p95"), [(EXPONENTIAL, 0.693, 2.996), (GAMMA2, 1.678, 4.744)])
def test_drawn_histograms_have_the_laws_percentiles(
    shape: NDArray[np.float64], median: float, p95: float
) -> None:
    """The median and the 95th percentile of a drawn histogram are the law's, within the grid."""
    table = drawn(0.0, np.array([10.0]), np.array([3000]), shape)
    found = percentiles_ns(dense_rows(table), [0.5, 0.95])[0] / 1e7
    assert found == pytest.approx([median, p95], rel=0.02)


def test_rows_without_replies_have_empty_histograms() -> None:
    """No reply, no counts; one reply, one count."""
    table = drawn(5.0, np.array([1.0, 1.0, 1.0]), np.array([0, 1, 0]), EXPONENTIAL)
    assert table.offsets.tolist() == [0, 0, 1, 1]
    assert table.counts.tolist() == [1]


def test_the_plan_ends_before_now(config: Config, few: Places) -> None:
    """The past ends with a closed slot, and begins so many weeks earlier."""
    plan = plan_of(config, few, now_ns=time.time_ns(), weeks=4)
    assert plan.end_ns % SLOT_NS == 0
    assert plan.end_ns <= time.time_ns() - 60_000_000_000
    assert plan.end_ns - plan.start_ns == 4 * WEEK
