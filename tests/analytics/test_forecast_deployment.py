"""From roll-ups to the track of a deployment: what broke, how strained, when known, dark or announced; and what came true."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from analytics.broken import broken_windows
from analytics.forecast.deployment import (
    Surroundings,
    awaited_slots,
    groups_of,
    planned_slots,
    track_of,
)
from analytics.forecast.held import came_true
from analytics.forecast.imported import Imported, due_slots
from analytics.forecast.seen import dark_by, look
from analytics.forecast.slots import SlotGrid, empty_slots, joined_slots, merged_slots, put_rollups
from analytics.forecast.track import Asks, Track
from analytics.lines import Lines
from config.sites import Site, SiteStatus
from config.works import Work, WorkKind
from telemetry.windows import HOUR_NS, SECOND_NS, SLOT_NS

if TYPE_CHECKING:
    from conftest import Bench
    from numpy.typing import NDArray

SITES = ("s00", "s01", "s02")
PATHS = ("main.state", "main.national")
SLOTS = 24


def filled(made: Bench, sites: tuple[str, ...] = SITES) -> tuple[SlotGrid, object]:
    """Two hours of sound roll-ups, in time; with the first path of s01 losing 5 % upwards in slot 3."""
    table = made.rollups(sites, PATHS, SLOTS)
    slot_ns = np.asarray(table.columns["slot_ns"], dtype=np.int64)
    columns = dict(table.columns) | {"received_ns": slot_ns + SLOT_NS + 4 * SECOND_NS}
    if "s01" in sites:
        row = (sites.index("s01") * len(PATHS)) * SLOTS + 3
        made.lose(table.window_values, "up", 8, (row, slice(None)))  # type: ignore[arg-type]
    table = replace(table, columns=columns)
    grid = empty_slots(Lines(sites, PATHS), len(made.sets().limits), made.t0 // SLOT_NS, SLOTS)
    put_rollups(grid, table, made.sets().limits)
    return grid, table


def track(
    grid: SlotGrid,
    made: Bench,
    *,
    lost: NDArray[np.bool_] | None = None,
    planned: NDArray[np.bool_] | None = None,
) -> Track:
    sites, paths, slots = grid.measured.shape
    lost = np.zeros((sites, slots), dtype=bool) if lost is None else lost
    planned = np.zeros((sites, paths, slots), dtype=bool) if planned is None else planned
    around = Surroundings({}, awaited_slots(grid, lost), planned)
    return track_of(grid, made.sets().of_profile["video"], around)


def ask(line: int, first_slot: int, slots: float, made: Bench) -> Asks:
    start = made.t0 + first_slot * SLOT_NS
    return Asks(
        line=np.array([line]),
        now_ns=np.array([start]),
        start_ns=np.array([start]),
        end_ns=np.array([start + round(slots * SLOT_NS)]),
    )


def test_two_probes_of_one_slot_count_together(made: Bench) -> None:
    """A probe that took another's place within a slot: windows and broken ones of both, the worse strain, the later arrival."""
    table = made.rollups(("s00",), ("main.state",), 3)
    received_ns = np.asarray(table.columns["slot_ns"], dtype=np.int64) + SLOT_NS + 4 * SECOND_NS
    table = replace(table, columns=dict(table.columns) | {"received_ns": received_ns})
    limits = made.sets().limits
    whole = empty_slots(Lines(("s00",), ("main.state",)), len(limits), made.t0 // SLOT_NS, 3)
    made.lose(table.window_values, "up", 8, (1, slice(None)))  # type: ignore[arg-type]
    put_rollups(whole, table, limits)
    rows = np.array([0, 1, 1, 2])
    values = {name: column[rows].copy() for name, column in table.window_values.items()}
    for column in values.values():
        column[1, 10:] = np.nan
        column[2, :10] = np.nan
    columns = {name: column[rows].copy() for name, column in table.columns.items()}
    columns["received_ns"][1] += 9 * SECOND_NS
    halves = replace(table, columns=columns, window_values=values)
    grid = empty_slots(whole.lines, len(limits), whole.first_slot, 3)
    put_rollups(grid, halves, limits)
    np.testing.assert_array_equal(grid.measured, whole.measured)
    np.testing.assert_array_equal(grid.broken, whole.broken)
    np.testing.assert_allclose(grid.strain, whole.strain, rtol=1e-6)
    assert (grid.received_ns - whole.received_ns).ravel().tolist() == [0, 9 * SECOND_NS, 0]
    assert (whole.broken[..., 1] == 20).any()


def test_a_slot_says_what_broke_and_how_strained_it_was(made: Bench) -> None:
    """5 % lost against a limit of 1 % breaks the slot's windows and strains it five times; the rest is sound and known a minute later."""
    grid, table = filled(made)
    found = track(grid, made)
    line = SITES.index("s01") * len(PATHS)
    limits = made.sets().limits
    expected = broken_windows(table.window_values, limits)[made.sets().of_profile["video"]]  # type: ignore[attr-defined]
    assert found.broke[line, 3] == expected[line * SLOTS + 3] / 20 == 1.0
    assert found.strain[line, 3] == pytest.approx(8 / 150 / 0.01, rel=1e-4)
    others = np.delete(found.strain.ravel(), line * SLOTS + 3)
    assert others.max() == pytest.approx(40 / 300, rel=1e-4), "the round trip is nearest to its limit"
    assert found.broke.sum() == 1.0
    assert (found.measured == 1.0).all()
    assert (found.arrived_ns == made.t0 + (np.arange(SLOTS) + 1) * SLOT_NS + 60 * SECOND_NS).all()
    assert not dark_by(found).any()


def test_a_slot_that_was_mended_is_known_when_the_last_of_it_had_come(made: Bench) -> None:
    """What came an hour late is not known before."""
    grid, _ = filled(made)
    grid.received_ns[0, 0, 5] += HOUR_NS
    found = track(grid, made)
    assert found.arrived_ns[0, 5] == made.t0 + 6 * SLOT_NS + 4 * SECOND_NS + HOUR_NS


def test_an_office_without_a_window_is_dark_while_others_are_heard(made: Bench) -> None:
    """Not before it was first heard, and not while nobody is heard; lost contact says so by itself."""
    grid, _ = filled(made)
    grid.measured[0, :, :2] = grid.measured[0, :, 10:12] = 0
    grid.measured[:, :, 20:] = 0
    grid.received_ns[grid.measured == 0] = 0
    dark = dark_by(track(grid, made))
    assert np.flatnonzero(dark[0]).tolist() == [10, 11]
    assert (dark[0] == dark[1]).all(), "of the whole office"
    assert not dark[2:].any()
    lost = np.zeros((len(SITES), SLOTS), dtype=bool)
    lost[1, 21] = True
    assert np.flatnonzero(dark_by(track(grid, made, lost=lost))[2]).tolist() == [21]


@pytest.mark.parametrize("paths", [1, 2])
def test_who_is_silent_is_dark_until_it_comes_and_nobody_knows_beforehand_that_it_will(
    made: Bench, paths: int
) -> None:
    """A hole that is filled two days later and one that never is read alike in every slot, as of any time before it was filled.

    Also of a line that is not measured at all.
    """
    never, _ = filled(made)
    late, _ = filled(made)
    for grid in (never, late):
        grid.measured[0, paths:] = grid.received_ns[0, paths:] = 0
    hole = slice(8, 14)
    never.measured[0, :, hole], never.received_ns[0, :, hole] = 0, 0
    late.received_ns[0, :paths, hole] += 48 * HOUR_NS
    slots = made.t0 + (np.arange(SLOTS) + 1) * SLOT_NS
    for now_ns in (*slots.tolist(), *(slots + 61 * SECOND_NS).tolist()):
        two, now = np.arange(2), np.full(2, now_ns)
        shown = [
            look(track(grid, made), two, np.tile(np.arange(SLOTS), (2, 1)), now) for grid in (never, late)
        ]
        for name in ("known", "broke", "strain", "dark"):
            assert np.array_equal(getattr(shown[0], name), getattr(shown[1], name)), (name, now_ns)
        closed = np.flatnonzero(slots[hole] + 60 * SECOND_NS <= now_ns) + hole.start
        assert [np.flatnonzero(each).tolist() for each in shown[1].dark] == [closed.tolist()] * 2
        assert np.array_equal(*(dark_by(track(grid, made), now_ns) for grid in (never, late)))
    assert dark_by(track(never, made))[:2, hole].all()
    assert not dark_by(track(late, made)).any(), "once it has come it was there"


def test_one_line_that_comes_late_is_like_one_that_never_does_while_another_of_its_office_is_heard(
    made: Bench,
) -> None:
    """The office was not silent, so nobody waits for that line: also not beforehand for what is to come of it."""
    never, _ = filled(made)
    late, _ = filled(made)
    hole = slice(8, 14)
    never.measured[0, 1, hole], never.received_ns[0, 1, hole] = 0, 0
    late.received_ns[0, 1, hole] += 48 * HOUR_NS
    closes = made.t0 + (np.arange(SLOTS) + 1) * SLOT_NS + 61 * SECOND_NS
    for now_ns in closes.tolist():
        line, now, every = np.ones(1, dtype=np.int64), np.array([now_ns]), np.arange(SLOTS)[None]
        shown = [look(track(grid, made), line, every, now) for grid in (never, late)]
        for name in ("known", "broke", "strain", "dark"):
            assert np.array_equal(getattr(shown[0], name), getattr(shown[1], name)), (name, now_ns)
        assert np.array_equal(*(dark_by(track(grid, made), now_ns) for grid in (never, late)))
    assert look(track(late, made), line, every, now + 48 * HOUR_NS).known.sum() == SLOTS


def test_an_office_is_awaited_from_its_first_word_on(made: Bench) -> None:
    """What is sent in afterwards makes nobody awaited before it came."""
    grid, _ = filled(made)
    grid.received_ns[0, :, :5] = made.t0 + 9 * SLOT_NS
    grid.measured[0, :, 5:8] = grid.received_ns[0, :, 5:8] = 0
    lost = np.zeros((len(SITES), SLOTS), dtype=bool)
    assert np.flatnonzero(~awaited_slots(grid, lost)[0]).tolist() == [*range(8)]


def test_an_imported_source_is_awaited_as_far_as_it_reaches_and_a_probe_from_its_first_word_on(
    made: Bench,
) -> None:
    """A hole within it is silence while others are heard, what comes after its end is not known; a lost probe stays awaited."""
    grid, _ = filled(made)
    for hole in (slice(4, 6), slice(10, 15)):
        grid.measured[0, :, hole] = grid.received_ns[0, :, hole] = 0
    imported = np.zeros((len(SITES), SLOTS), dtype=bool)
    imported[0, :10] = True
    lost = np.zeros_like(imported)
    lost[0, 12] = True
    found = awaited_slots(grid, lost, imported=Imported.of_spans(imported))
    assert np.flatnonzero(~found[0]).tolist() == [10, 11, 13, 14]
    assert found[1:].all()
    nobody = np.zeros_like(imported)
    assert np.array_equal(
        awaited_slots(grid, lost, imported=Imported.of_spans(nobody)), awaited_slots(grid, lost)
    )


def test_the_time_between_two_samples_of_an_imported_source_is_no_silence(made: Bench) -> None:
    """Every ten minutes there is one: the slot between is not awaited, one that is missing is. Our own probe is awaited always."""
    grid, _ = filled(made)
    grid.measured[:2, :, 1::2] = grid.received_ns[:2, :, 1::2] = 0
    grid.measured[0, :, 12] = grid.received_ns[0, :, 12] = 0
    imported = np.zeros((len(SITES), SLOTS), dtype=bool)
    imported[0] = True
    lost = np.zeros_like(imported)
    due = due_slots(grid, Imported.of_spans(imported))
    assert np.flatnonzero(~due[0]).tolist() == [1, 3, 5, 7, 9, 11, 15, 17, 19, 21, 23]
    assert due[1:].all()
    assert np.array_equal(awaited_slots(grid, lost, imported=Imported.of_spans(imported)), due)


def test_grids_are_merged_and_joined(made: Bench) -> None:
    """Newer slots take the place of older, the oldest are let go; blocks of sites stand below each other."""
    grid, _ = filled(made)
    newer = empty_slots(grid.lines, len(grid.broken), grid.first_slot + 20, 8)
    newer.measured[...] = 7
    both = merged_slots(grid, newer, 10)
    assert (both.first_slot, both.end_slot) == (grid.first_slot + 18, grid.first_slot + 28)
    assert both.measured[0, 0].tolist() == [20, 20] + [7] * 8
    upper, _ = filled(made, SITES[:2])
    lower, _ = filled(made, SITES[2:])
    whole = joined_slots(grid.lines, [upper, lower])
    for name in ("measured", "broken", "strain", "received_ns"):
        assert np.array_equal(getattr(whole, name), getattr(grid, name), equal_nan=True), name


def test_what_lines_have_in_common(made: Bench) -> None:
    """Numbers by provider, region and end; an office without a provider has none."""

    def site(name: str, provider: str) -> Site:
        return Site(
            id=name, name_en=name, name_hi=name, region="west", lat=0, lon=0, status=SiteStatus.LINKED,
            provider=provider,
        )  # fmt: skip

    by_id = {"s00": site("s00", "one"), "s01": site("s01", "")}
    groups = groups_of(Lines(SITES, PATHS), by_id)
    assert groups["provider"].tolist() == [0, 0, -1, -1, -1, -1]
    assert groups["region"].tolist() == [0, 0, 0, 0, -1, -1]
    assert groups["end"].tolist() == [0, 1, 0, 1, 0, 1]
    assert made.t0


def test_works_are_planned_from_when_they_were_announced(made: Bench) -> None:
    """On the lines that they touch, in every slot that they touch, and not before anybody knew."""
    work = Work(
        who="end:state",
        sites=("s00", "s02"),
        end="state",
        kind=WorkKind.WORKS,
        from_ns=made.t0 + SLOT_NS + 1,
        until_ns=made.t0 + 3 * SLOT_NS,
        announced_ns=made.t0 - HOUR_NS,
    )
    lines, first = Lines(SITES, PATHS), made.t0 // SLOT_NS
    found = planned_slots([work], lines, first, SLOTS, known_ns=made.t0)
    assert np.argwhere(found).tolist() == [[0, 0, 1], [0, 0, 2], [2, 0, 1], [2, 0, 2]]
    assert not planned_slots([work], lines, first, SLOTS, known_ns=made.t0 - 2 * HOUR_NS).any()
    assert not planned_slots([work], lines, first, SLOTS, known_ns=None).any(), "announced an hour before"
    early = planned_slots(
        [work.__class__(**{f: getattr(work, f) for f in work.__struct_fields__} | {"announced_ns": 0})],
        lines, first, SLOTS, known_ns=None,
    )  # fmt: skip
    assert np.array_equal(early, found)


def test_what_came_true_follows_the_rule_of_the_outcome(made: Bench) -> None:
    """More than 5 % broken fails; dark fails; announced works excuse; too little measured is not known; late data is not seen before it came."""
    grid, _ = filled(made)
    line = SITES.index("s01") * len(PATHS)
    grid.broken[:, 1, 0, 3] = 12  # of the 240 windows of an hour: 5 %
    assert came_true(track(grid, made), ask(line, 0, 12, made)).held.all()
    grid.broken[:, 1, 0, 4] = 1
    assert not came_true(track(grid, made), ask(line, 0, 12, made)).held.any()
    half = came_true(track(grid, made), ask(line, 3, 0.5, made))
    assert (half.held[0], half.known[0]) == (False, True)
    grid.measured[0, :, 6:] = 0
    grid.received_ns[0, :, 6:] = 0
    found = track(grid, made)
    dark = came_true(found, ask(0, 6, 12, made))
    assert (dark.held[0], dark.known[0]) == (False, True)
    planned = np.ones((len(SITES), len(PATHS), SLOTS), dtype=bool)
    assert not came_true(track(grid, made, planned=planned), ask(0, 6, 12, made)).known[0]
    end_ns = made.t0 + 12 * SLOT_NS
    assert not came_true(found, ask(line, 0, 12, made), as_of_ns=end_ns - 1).known[0]
    assert came_true(found, ask(line, 0, 12, made), as_of_ns=end_ns + 61 * SECOND_NS).known[0]
    assert not came_true(found, ask(line, SLOTS, 12, made)).known[0], "beyond the track"


def test_of_a_line_that_is_measured_seldom_samples_must_prove_what_came_true(made: Bench) -> None:
    """An hour of twelve: without a bad one it held, three prove that it failed, one or two leave it open, as do fewer than six in all."""
    grid, _ = filled(made)
    line = SITES.index("s02") * len(PATHS)
    grid.measured[2] = 1
    for bad, expected in ((0, (True, True)), (1, (False, False)), (2, (False, False)), (3, (False, True))):
        grid.broken[:, 2, 0, :bad] = 1
        came = came_true(track(grid, made), ask(line, 0, 12, made))
        assert (came.held[0], came.known[0]) == expected, bad
    assert came_true(track(grid, made), ask(line, 12, 6, made)).known[0]
    assert not came_true(track(grid, made), ask(line, 12, 5, made)).known[0]
    grid.measured[2, :, 12:] = grid.received_ns[2, :, 12:] = 0
    dark = came_true(track(grid, made), ask(line, 12, 5, made))
    assert (dark.held[0], dark.known[0]) == (False, True), "silence needs no samples"
