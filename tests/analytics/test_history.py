"""History by the hour out of roll-ups, against a plain loop over the rows."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from analytics.baseline import usual
from analytics.forecast.slots import history_of
from analytics.history import (
    METRICS,
    empty_history,
    joined,
    merged,
    of_slots,
    with_contact_lost,
)
from analytics.hours import HourSpan, local_hour, starts_ns
from analytics.judge import POOL_WINDOWS, judge
from analytics.lines import Lines
from telemetry.windows import HOUR_NS, SECOND_NS, SLOT_NS

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Bench
    from numpy.typing import NDArray

    from analytics.history import History
    from telemetry.store.tables import RollupTable

SITES, PATHS = ("s00", "s01", "s02"), ("main.state", "main.national")
LINES = Lines(SITES, PATHS)


@pytest.fixture
def zone(made: Bench) -> ZoneInfo:
    return made.ground(made.recent(made.values((1, 2, 4)))).zone  # type: ignore[return-value]


def troubled(made: Bench, slots: int = 60) -> RollupTable:
    """Five hours of three offices with every kind of trouble in random windows."""
    table, rng = made.rollups(SITES, PATHS, slots), np.random.default_rng(3)
    shape = table.window_values["sent"].shape
    values = table.window_values
    made.lose(values, "up", np.where(rng.random(shape) < 0.1, rng.integers(1, 20, shape), 0))
    values["rtt_p95_ms"][rng.random(shape) < 0.05] = 400.0
    values["up_jitter_ms"][rng.random(shape) < 0.05] = 50.0
    absent = rng.random(shape) < 0.1
    for column in values.values():
        column[absent] = np.nan
    table.columns["rtt_p95_ms"][:] = rng.uniform(20, 80, len(table))  # type: ignore[index]
    return table


def test_cells_equal_a_loop_over_the_rows(made: Bench, zone: ZoneInfo) -> None:
    """Measured and broken windows, and the median figure, are those of a plain loop over rows, under every profile."""
    table, limits = troubled(made), made.sets().limits
    first = local_hour(made.t0, zone)
    found = history_of(table, LINES, limits, HourSpan(first, 6, zone))
    columns = table.columns
    for row in range(0, len(table), 7):
        site, path = int(columns["site"][row]), int(columns["path"][row])
        hour = local_hour(int(columns["slot_ns"][row]), zone) - first
        same = (columns["site"] == site) & (columns["path"] == path)
        same &= np.array([local_hour(int(t), zone) - first == hour for t in columns["slot_ns"]])
        values = {name: column[same] for name, column in table.window_values.items()}
        assert found.measured[site, path, hour] == np.isfinite(values["sent"]).sum()
        for index, each in enumerate(limits):
            broken = sum(
                int(judge({n: v[i] for n, v in values.items()}, each, pool_windows=POOL_WINDOWS).breaks.sum())
                for i in range(int(same.sum()))
            )
            assert found.broken[index, site, path, hour] == broken
        median = np.median(columns["rtt_p95_ms"][same].astype(np.float32))
        assert found.figures["rtt_p95_ms"][site, path, hour] == pytest.approx(median, rel=1e-6)


def test_rows_of_others_are_passed_over(made: Bench, zone: ZoneInfo) -> None:
    """Sites, paths and hours that were not asked for leave no trace."""
    table = made.rollups(("s01", "elsewhere"), ("main.state", "backup.state"), 24)
    first = local_hour(made.t0, zone)
    found = history_of(table, LINES, made.sets().limits, HourSpan(first, 1, zone))
    assert found.measured[1, 0, 0] > 0
    assert found.measured.sum() == found.measured[1, 0, 0]


def test_blocks_and_spans_add_up(made: Bench, zone: ZoneInfo) -> None:
    """Read in blocks of sites and spans of hours, the history is the same as read at once."""
    table, limits = troubled(made), made.sets().limits
    first = local_hour(made.t0, zone)
    whole = history_of(table, LINES, limits, HourSpan(first, 6, zone))
    blocks = []
    for sites in (SITES[:2], SITES[2:]):
        lines = Lines(sites, PATHS)
        early = history_of(table, lines, limits, HourSpan(first, 3, zone))
        blocks.append(merged(early, history_of(table, lines, limits, HourSpan(first + 3, 3, zone)), 6))
    assert_same(joined(LINES, blocks), whole)


def assert_same(one: History, other: History) -> None:
    assert one.first_hour == other.first_hour
    np.testing.assert_array_equal(one.measured, other.measured)
    np.testing.assert_array_equal(one.broken, other.broken)
    for name in METRICS:
        np.testing.assert_array_equal(one.figures[name], other.figures[name])


def test_newer_hours_take_the_place_of_older(made: Bench, zone: ZoneInfo) -> None:
    """A refresh replaces the hours that it read again, keeps the others, and forgets what is too old."""
    limits, first = made.sets().limits, local_hour(made.t0, zone)
    old, new = empty_history(LINES, len(limits), first, 10), empty_history(LINES, len(limits), first + 8, 4)
    old.measured[...] = 100
    new.measured[...] = 200
    both = merged(old, new, 6)
    assert both.first_hour == first + 6
    assert both.measured[0, 0].tolist() == [100, 100, 200, 200, 200, 200]


def test_an_empty_history_takes_up_the_new(made: Bench, zone: ZoneInfo) -> None:
    """Nothing merged with something is that something."""
    limits, first = made.sets().limits, local_hour(made.t0, zone)
    part = history_of(troubled(made), LINES, limits, HourSpan(first, 6, zone))
    assert_same(merged(empty_history(LINES, len(limits), first, 6), part, 6), part)


def test_lost_contact_counts_as_broken(made: Bench, zone: ZoneInfo) -> None:
    """Windows that are missing while contact was lost count as broken; measured ones are judged as they were."""
    limits, first = made.sets().limits, local_hour(made.t0, zone)
    known = empty_history(LINES, len(limits), first, 3)
    known.measured[0, 0, :] = (240, 100, 0)
    lost = np.zeros((3, 3), dtype=np.int64)
    lost[0] = (50, 200, 240)
    found = with_contact_lost(known, lost)
    assert found.measured[0, 0].tolist() == [240, 240, 240]
    assert found.broken[:, 0, 0].tolist() == [[0, 140, 240]] * len(limits)
    assert found.measured[0, 1].sum() == 0, "a line that was never measured is none"


def test_the_hour_that_comes_twice_is_no_denser_than_others(made: Bench) -> None:
    """Eight samples a slot, the clocks set back: both real hours count together, and the fullest slot has eight as ever."""
    berlin, night = ZoneInfo("Europe/Berlin"), 1_792_879_200 * SECOND_NS
    table = made.rollups(SITES[:1], PATHS[:1], 48, t0=night)
    for column in table.window_values.values():
        column[:, 8:] = np.nan
    found = history_of(table, LINES, made.sets().limits, HourSpan(local_hour(night, berlin), 3, berlin))
    assert found.measured[0, 0].tolist() == [96, 96, 192]
    assert found.fullest[0, 0].tolist() == [8, 8, 8]


def test_half_hour_zones_fall_into_local_hours(made: Bench, zone: ZoneInfo) -> None:
    """In a zone half an hour off, slots from :30 UTC on belong to the next local hour."""
    table = made.rollups(SITES[:1], PATHS[:1], 12)
    found = history_of(table, LINES, made.sets().limits, HourSpan(local_hour(made.t0, zone), 2, zone))
    assert made.t0 % HOUR_NS == 0
    assert found.measured[0, 0].tolist() == [120, 120]


def hours_with_outages(minutes: NDArray[np.bool_], zone: ZoneInfo, line_loses: float) -> History:
    """One line's hours, out of the minutes (T, 60) in which nothing came; else it loses a share each way up."""
    dead = minutes.reshape(len(minutes), 12, 5).mean(axis=-1).reshape(-1)
    up = np.maximum(dead, line_loses)
    figure = {"up_loss_ratio": up, "loss_ratio": up, "down_loss_ratio": np.where(dead < 1, 0.0, np.nan)}
    delay = np.where(dead < 1, 40.0, np.nan)
    figures = np.stack([figure.get(name, delay) for name in METRICS]).astype(np.float32)
    first = local_hour(1_790_000_000 * SECOND_NS, zone)
    start_ns = starts_ns(first, zone) + np.arange(len(up)) * SLOT_NS
    counts = np.full((1, 1, len(up)), 20, np.uint8)
    return of_slots(
        Lines(("s00",), ("main.state",)),
        HourSpan(first, len(minutes), zone),
        (start_ns, counts, np.zeros((1, *counts.shape), np.uint8)),
        figures[:, None, None, :],
    )


def test_no_hour_lost_the_middle_of_an_outage_and_of_none(zone: ZoneInfo) -> None:
    """Of any length, begun at any minute: the hour's loss is what the line lost while it was up, or everything."""
    cases = [(begin, length) for begin in range(60) for length in range(1, 61 - begin)]
    minutes = np.zeros((len(cases), 60), dtype=bool)
    for hour, (begin, length) in zip(minutes, cases, strict=True):
        hour[begin : begin + length] = True
    found = hours_with_outages(minutes, zone, 0.001).figures
    lengths = minutes.sum(axis=-1)
    for name in ("up_loss_ratio", "loss_ratio"):
        loss = found[name][0, 0]
        assert (np.isclose(loss, 0.001) | (loss == 1.0)).all()
        np.testing.assert_allclose(loss[lengths < 30], 0.001, rtol=1e-6)
        assert (loss[lengths >= 34] == 1.0).all()


@pytest.mark.parametrize("length", [28, 30, 31, 33])
@pytest.mark.parametrize("share", [0.5, 0.8, 1.0])
def test_an_outage_of_half_an_hour_a_day_is_no_usual_loss(
    zone: ZoneInfo, rng: Callable[[int], np.random.Generator], share: float, length: int
) -> None:
    """At one hour of the day, on half of the days or on all of them."""
    minutes = np.zeros((56 * 24, 60), dtype=bool)
    minutes[10::24, :length] = rng(62).random((56, 1)) < share
    history = hours_with_outages(minutes, zone, 0.001)
    for metric in ("up_loss_ratio", "loss_ratio"):
        found = usual(history, metric, history.end_hour + 10)
        np.testing.assert_allclose(found.value, 0.001, atol=1e-5)
        assert not (found.own > 0.002).any()


def test_a_line_that_comes_and_goes_all_hour_has_a_loss(zone: ZoneInfo) -> None:
    """Where every five minutes lie beside an outage, those in which something came tell what it was."""
    minutes = np.zeros((1, 60), dtype=bool)
    minutes[0].reshape(12, 5)[1::3] = True
    minutes[0].reshape(12, 5)[:, 0] = True
    loss = hours_with_outages(minutes, zone, 0.001).figures["loss_ratio"][0, 0, 0]
    assert loss == pytest.approx(0.2)
