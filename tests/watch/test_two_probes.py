"""Two probes measure one line, while one takes the other's place: of each window one counts, whoever came first, now as in what is looked at later, drawn or told."""

from __future__ import annotations

from itertools import permutations, product
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from msgspec import structs

from analytics.forecast.slots import empty_slots, put_rollups
from analytics.history import METRICS
from analytics.lines import Lines
from analytics.one_window import counts_beside, fullest
from analytics.quality.assumed import endpoints_of
from config.profiles import Limits
from config.settings import Quality
from dashboards.wall.live.recent import Recent
from dashboards.wall.series import series
from reports.week import Week
from reports.week_block import WeekJob, read_block
from tatpar.watching.meeting_windows import meeting_windows
from tatpar.watching.ring import WindowRing
from telemetry.store.memory import MemoryStore
from telemetry.store.protocol import Received, Selection
from telemetry.store.tables import StreamTable
from telemetry.windows import DAY_NS, HOUR_NS, SECOND_NS, SLOT_NS, WINDOW_NS, WINDOWS_PER_SLOT
from tests.telemetry.store.conftest import T0, Fleet

if TYPE_CHECKING:
    from collections.abc import Sequence

PATH = "main.state"
LINES = Lines(("agra",), (PATH,))
LIMITS = (Limits(loss_ratio=0.01, jitter_ms=30.0),)
FIRST_NS = T0 // SLOT_NS * SLOT_NS + SLOT_NS
STARTS = FIRST_NS + np.arange(WINDOWS_PER_SLOT, dtype=np.int64) * WINDOW_NS
Window = tuple[str, int, int, range]
"""Of a probe: its name, how many packets it sent in each window and lost of them, and in which windows."""
ALL = range(WINDOWS_PER_SLOT)
CASES: dict[str, tuple[tuple[Window, ...], list[float]]] = {
    "the fuller": ((("p1", 60, 30, ALL), ("p2", 150, 0, ALL)), [0.0] * 20),
    "the fuller, though it lost": ((("p1", 60, 0, ALL), ("p2", 150, 75, ALL)), [75.0] * 20),
    "as full, by its name": ((("p1", 150, 1, ALL), ("p2", 150, 75, ALL)), [1.0] * 20),
    "of three": ((("p3", 150, 9, ALL), ("p1", 60, 3, ALL), ("p2", 150, 6, ALL)), [6.0] * 20),
    "one after the other": (
        (("p1", 150, 75, range(12)), ("p2", 150, 0, range(10, 20))),
        [75.0] * 12 + [0.0] * 8,
    ),
}


def reports(windows: Sequence[Window]) -> list[list[Received]]:
    """By probe, what it reports of one slot."""
    fleet, found = Fleet(), []
    for probe, sent, lost, which in windows:
        stream = structs.replace(fleet.stream(PATH, sent=sent, lost=(lost, 0)), straddled=0)
        first = (FIRST_NS - T0) // WINDOW_NS
        found.append(
            [
                Received(
                    fleet.envelope("agra", n, first + n, (stream,), probe=probe), int(STARTS[n]) + WINDOW_NS
                )
                for n in which
            ]
        )
    return found


def stored(order: Sequence[list[Received]]) -> MemoryStore:
    """What the probes reported in one order of arrival: a second after one another."""
    store = MemoryStore()
    for second, part in enumerate(order):
        store.append([Received(one.envelope, one.received_ns + second * SECOND_NS) for one in part])
    store.maintain(FIRST_NS + DAY_NS)
    return store


def by_the_watch(order: Sequence[list[Received]]) -> list[float]:
    """What its table says was lost in each window: reports are taken in as they come."""
    ring, now_ns = WindowRing(LINES, FIRST_NS), int(STARTS[-1]) + WINDOW_NS + 10 * SECOND_NS
    ring.advance(now_ns)
    for second, part in enumerate(order):
        one = MemoryStore()
        one.append([Received(each.envelope, each.received_ns + second * SECOND_NS) for each in part])
        ring.take(one.streams(Selection(FIRST_NS, now_ns), histograms=False), now_ns)
    recent = ring.recent()
    return list(recent.values["lost"][0, 0, np.isin(recent.start_ns, STARTS)])


def of_a_meeting(store: MemoryStore) -> list[float]:
    _, values = meeting_windows(store, ("agra",), STARTS)
    return list(values["lost"][0, 0])


@pytest.mark.parametrize("case", CASES)
def test_of_each_window_one_counts_in_whatever_order_they_came(case: str) -> None:
    """In the watch's table, read back at a restart, for an outcome, and for one whose windows are gone."""
    windows, lost = CASES[case]
    for order in permutations(reports(windows)):
        store = stored(order)
        assert by_the_watch(order) == lost
        ring, now_ns = WindowRing(LINES, FIRST_NS), int(STARTS[-1]) + WINDOW_NS + 10 * SECOND_NS
        ring.take(store.streams(Selection(FIRST_NS, now_ns), histograms=False), now_ns)
        recent = ring.recent()
        assert list(recent.values["lost"][0, 0, np.isin(recent.start_ns, STARTS)]) == lost
        assert of_a_meeting(store) == lost
        store.prune(FIRST_NS + 100 * DAY_NS)
        assert not len(store.streams(Selection(FIRST_NS, FIRST_NS + DAY_NS)))
        assert of_a_meeting(store) == lost


def test_a_probe_that_is_heard_of_later_ranks_as_if_it_had_been_known_from_the_start() -> None:
    """Of four that measured it whole the first by name counts: whether its name comes first, last or between, alone or with all others."""
    parts = reports([(f"p{n}", 150, n, ALL) for n in (1, 2, 3, 4)])
    for order in permutations(parts):
        assert by_the_watch(order) == [1.0] * WINDOWS_PER_SLOT
        assert by_the_watch([[one for part in order for one in part]]) == [1.0] * WINDOWS_PER_SLOT
    for order in permutations(parts[1:]):
        assert by_the_watch(order) == [2.0] * WINDOWS_PER_SLOT


def test_what_is_told_of_two_windows_beside_each_other_is_told_of_a_table_of_both() -> None:
    """All pairs of few packets sent, few probes and few lost: the same one counts, and of two that are the same the new one."""
    said = list(product((0, 60, 150), range(3), (0, 1, 60)))
    mine, there = (np.array(each).T for each in zip(*product(said, said), strict=True))
    beside = counts_beside(mine, there)
    for new, old, counts in zip(mine.T, there.T, beside, strict=True):
        sent, probe, lost = np.array([new, old]).T
        zeros = np.zeros(2, dtype=np.int64)
        columns = {
            "site": zeros,
            "path": zeros,
            "start_ns": zeros,
            "probe": probe,
            "sent": sent,
            "lost": lost,
        }
        both = StreamTable(("agra",), ("p0", "p1", "p2"), (PATH,), columns, {})
        assert counts == (fullest(both).tolist() == [0])


@pytest.mark.parametrize("case", CASES)
def test_a_slot_counts_each_window_once(case: str) -> None:
    """What forecasts, live and replayed, learn of it: as many windows as there are, those that the outcome counts, and figures that know no order."""
    windows, lost = CASES[case]
    found = []
    for order in permutations(reports(windows)):
        table = stored(order).rollups(Selection(FIRST_NS, FIRST_NS + SLOT_NS), histograms=False)
        grid = empty_slots(LINES, 1, FIRST_NS // SLOT_NS, 1)
        figures = np.full((len(METRICS), *grid.measured.shape), np.nan, dtype=np.float32)
        put_rollups(grid, table, LIMITS, figures=figures)
        assert int(grid.measured[0, 0, 0]) == WINDOWS_PER_SLOT
        assert int(grid.broken[0, 0, 0, 0]) == sum(each > 5 for each in lost)
        found.append((grid.strain.tolist(), figures.tolist()))
    assert all(each == found[0] for each in found)


@pytest.mark.parametrize("case", CASES)
def test_the_wall_draws_of_each_window_the_one_that_counts(case: str) -> None:
    """The short lines of the wall, as reports come, read at once or out of roll-ups; and the chart of an office's line."""
    windows, lost = CASES[case]
    sent = [{lost: sent for _, sent, lost, _ in windows}[each] for each in lost]
    ratios = np.array(lost) / sent
    now_ns = FIRST_NS + 2 * SLOT_NS
    for order in permutations(reports(windows)):
        store, span = stored(order), Selection(FIRST_NS, FIRST_NS + SLOT_NS)
        by_part, at_once, rolled = Recent(), Recent(), Recent()
        for recent in (by_part, at_once, rolled):
            recent.advance(now_ns)
        for second, part in enumerate(order):
            one = MemoryStore()
            one.append([Received(each.envelope, each.received_ns + second * SECOND_NS) for each in part])
            by_part.take_windows(one.streams(span))
        at_once.take_windows(store.streams(span))
        rolled.take_rollups(store.rollups(span))
        for recent in (by_part, at_once, rolled):
            line = recent.sparkline("agra", PATH)
            assert line is not None
            assert line[0, -3] == pytest.approx(ratios.mean())
        drawn = series(store, "agra", PATH, FIRST_NS, FIRST_NS + SLOT_NS, endpoints_of(Quality()))
        assert drawn.source == "windows"
        assert drawn.loss_up == pytest.approx(ratios, abs=1e-6)


@pytest.mark.parametrize("case", CASES)
def test_the_weekly_report_counts_of_each_window_the_one_that_counts(case: str) -> None:
    """As many windows measured as there are, and below the profile for as long as those were that count."""
    windows, lost = CASES[case]
    week = Week.containing(FIRST_NS, ZoneInfo("UTC"))
    job = WeekJob(
        *(("agra",), ("braj",), (PATH,), week),
        until_ns=week.end_ns,
        now_ns=week.end_ns,
        limits=LIMITS[0],
        endpoints=endpoints_of(Quality()),
    )
    sounds = []
    for order in permutations(reports(windows)):
        (office,) = read_block(stored(order), job).offices
        assert office.complete_share * (week.end_ns - week.start_ns) / WINDOW_NS == pytest.approx(20)
        assert office.below_hours * HOUR_NS / WINDOW_NS == pytest.approx(sum(each > 5 for each in lost))
        sounds.append(office.sound)
    assert all(sound == sounds[0] for sound in sounds)
