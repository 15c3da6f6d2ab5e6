"""Lines of an office that come late, each at a time of its own: nothing is told of who will still come, with what, or whether at all."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC
from typing import TYPE_CHECKING, Final

import numpy as np
import pytest

from analytics.forecast.deployment import (
    Surroundings,
    awaited_slots,
    tracks_of,
)
from analytics.forecast.features import facts
from analytics.forecast.held import came_true
from analytics.forecast.hourly import hourly
from analytics.forecast.imported import OVER_NS, Imported, due_slots, over_by_ns
from analytics.forecast.rails import rails
from analytics.forecast.seen import closing_ns, dark_by, look
from analytics.forecast.slots import empty_slots
from analytics.forecast.track import Asks
from analytics.lines import Lines
from telemetry.windows import DAY_NS, HOUR_NS, MINUTE_NS, SECOND_NS, SLOT_NS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analytics.forecast.slots import SlotGrid
    from analytics.forecast.track import Track

LINES = Lines(("s00", "s01", "s02"), ("main.state", "main.national"))
FIRST = 5_985_216
DAYS = 10
SLOTS = DAYS * DAY_NS // SLOT_NS
CUT_NS = (FIRST + 8 * 288 + 100) * SLOT_NS + 77 * SECOND_NS
ENDS_NS = (FIRST + 1 + np.arange(SLOTS, dtype=np.int64)) * SLOT_NS
CLOSES_NS = closing_ns(FIRST, SLOTS, SLOT_NS)


def in_time() -> SlotGrid:
    """All lines sound and heard of four seconds after each slot."""
    grid = empty_slots(LINES, 1, FIRST, SLOTS)
    grid.measured[...], grid.strain[...] = 20, 0.3
    grid.received_ns[...] = ENDS_NS + 4 * SECOND_NS
    return grid


def silenced(grid: SlotGrid, which: NDArray[np.bool_]) -> None:
    grid.measured[which], grid.received_ns[which] = 0, 0
    grid.broken[:, which], grid.strain[:, which] = 0, np.nan


def by_lot(seed: int) -> SlotGrid:
    """Ten days until `CUT_NS` that are the same whatever the seed, with cells that are late or missing: of offices, and of single lines."""
    grid, lot = in_time(), np.random.default_rng(5)
    shape = grid.measured.shape
    late_ns = lot.integers(0, 2 * DAY_NS, shape)
    late_ns *= (lot.random((shape[0], 1, shape[2])) < 0.05) | (lot.random(shape) < 0.05)
    grid.received_ns[...] += late_ns
    fault = np.repeat(lot.random((*shape[:2], SLOTS // 24)) < 0.15, 24, axis=2)
    grid.broken[0] = np.where(fault, lot.integers(8, 21, shape), 0)
    grid.strain[0] = np.where(fault, 3.0, 0.3)
    dark = np.repeat(lot.random((shape[0], 1, SLOTS // 12)) < 0.05, 12, axis=2)
    silenced(grid, np.broadcast_to(dark, shape) | (lot.random(shape) < 0.02))
    later = np.random.default_rng(seed)
    open_ = (grid.received_ns > CUT_NS) | (ENDS_NS > CUT_NS)
    open_ |= (grid.measured == 0) & (later.random(shape) < 0.5)  # comes after all
    came_ns = np.maximum(CUT_NS, ENDS_NS) + later.integers(1, DAY_NS, shape)
    grid.measured[open_] = later.integers(1, 21, shape)[open_]
    grid.received_ns[open_] = came_ns[open_]
    grid.broken[0][open_] = np.minimum(later.integers(0, 21, shape), grid.measured)[open_]
    grid.strain[0][open_] = later.exponential(2.0, shape)[open_]
    silenced(grid, open_ & (later.random(shape) < 0.4))
    return grid


def track_of(
    grid: SlotGrid, imported: NDArray[np.bool_] | None = None, rows: NDArray[np.bool_] | None = None
) -> Track:
    """As a back-test makes it of imported `rows`; as of a source that is known by its span where none are told."""
    told = None if rows is None else Imported.of_rows(grid, rows)
    spans = None if imported is None else Imported.of_spans(imported)
    source = spans if told is None else told
    lost = np.zeros((len(LINES.sites), SLOTS), dtype=bool)
    works = np.zeros(grid.measured.shape, dtype=bool)
    works[:, :, [*range(288, 576), *range(7 * 288, 9 * 288)]] = True
    around = Surroundings(
        groups={"provider": np.array([0, 0, 0, 0, 1, 1], dtype=np.int32)},
        awaited=awaited_slots(grid, lost, imported=source),
        planned=works,
        over_ns=None if source is None else over_by_ns(grid, lost, source),
        due=None if source is None else due_slots(grid, source),
    )
    return tracks_of(grid, around)[0]


def asks_before() -> Asks:
    """Asks of all lines in the hours before the cut; the last at it."""
    now_ns = np.repeat(CUT_NS - np.arange(0, 30 * HOUR_NS, 25 * MINUTE_NS), 6)
    start_ns = now_ns + np.resize([10 * MINUTE_NS, 2 * HOUR_NS, 24 * HOUR_NS], len(now_ns))
    return Asks(np.resize(np.arange(6), len(now_ns)), now_ns, start_ns, start_ns + HOUR_NS)


def sampled_by_another_tool(grid: SlotGrid, resumes: bool) -> NDArray[np.bool_]:
    """(S, T) where two imported sources count, as a back-test takes it: one sample every ten minutes; of the first nothing from an hour before the cut on, for three hours or for good."""
    silent = np.zeros(grid.measured.shape, dtype=bool)
    silent[:2, :, 1::2] = True
    last_ns = CUT_NS - HOUR_NS
    silent[0] |= (last_ns < ENDS_NS) & ((ENDS_NS < CUT_NS + 2 * HOUR_NS) | (not resumes))
    silenced(grid, silent)
    imported = np.zeros((len(LINES.sites), SLOTS), dtype=bool)
    imported[:2] = True
    imported[0] &= resumes | (last_ns + OVER_NS >= ENDS_NS)
    return imported


def beside_a_probe(grid: SlotGrid, resumes: bool) -> NDArray[np.bool_]:
    """(S, P, T) which cells are imported: as `sampled_by_another_tool`, but of the first nothing from 60 hours before the cut on, in which an own probe measured for ten hours and died."""
    own = (CUT_NS - 40 * HOUR_NS < ENDS_NS) & (ENDS_NS <= CUT_NS - 30 * HOUR_NS)
    probed = by_lot(1)
    sampled_by_another_tool(grid, resumes)
    hole = np.zeros(grid.measured.shape, dtype=bool)
    hole[0] = (CUT_NS - 60 * HOUR_NS < ENDS_NS) & (ENDS_NS <= CUT_NS)
    silenced(grid, hole)
    for name in ("measured", "received_ns", "broken", "strain"):
        getattr(grid, name)[..., 0, :, own] = getattr(probed, name)[..., 0, :, own]
    rows = grid.measured > 0
    rows[2] = rows[0, :, own] = False
    return rows


def by_row(grid: SlotGrid, resumes: bool) -> NDArray[np.bool_]:
    """(S, P, T) which cells are imported, as `sampled_by_another_tool`."""
    sampled_by_another_tool(grid, resumes)
    rows = grid.measured > 0
    rows[2] = False
    return rows


FUTURES: Final = {
    "nothing imported": lambda grid, _: track_of(grid),
    "by span": lambda grid, resumes: track_of(grid, sampled_by_another_tool(grid, resumes)),
    "by row": lambda grid, resumes: track_of(grid, rows=by_row(grid, resumes)),
    "beside a probe": lambda grid, resumes: track_of(grid, rows=beside_a_probe(grid, resumes)),
}


@pytest.mark.parametrize("source", FUTURES)
def test_what_comes_later_or_never_changes_no_bit(source: str) -> None:
    """Cells of single lines and of whole offices that are late by lot: two futures, one of which they never come in, are told alike before."""
    one, other = (FUTURES[source](by_lot(seed), seed == 1) for seed in (1, 2))
    asks = asks_before()
    ours, theirs = facts(one, asks), facts(other, asks)
    for name, mine, yours in zip(ours.names, ours.figures.T, theirs.figures.T, strict=True):
        assert mine.tobytes() == yours.tobytes(), name
    assert np.array_equal(ours.ground, theirs.ground)
    for name in ("lasting", "hidden", "hour", "rehearsed", "heard"):
        mine, yours = (getattr(rails(track, asks, UTC, 8.0), name) for track in (one, other))
        assert np.array_equal(mine, yours), name
    told = (CUT_NS // HOUR_NS) - one.start_ns // HOUR_NS
    assert np.array_equal(hourly(one).failed[:, :told], hourly(other).failed[:, :told])
    assert np.array_equal(hourly(one).had[:, :told], hourly(other).had[:, :told])
    past = replace(asks, start_ns=asks.now_ns - DAY_NS, end_ns=asks.now_ns - DAY_NS + HOUR_NS)
    mine, yours = (came_true(track, past, as_of_ns=CUT_NS) for track in (one, other))
    assert np.array_equal(mine.held, yours.held)
    assert np.array_equal(mine.known, yours.known)
    assert not np.array_equal(came_true(one, past).held, came_true(other, past).held), "they did come"
    assert dark_by(one, CUT_NS).sum() > 50


def test_an_office_is_silent_until_its_first_line_comes_and_then_the_other_is_late() -> None:
    """Until its own figures come the other reads as one that is not measured, as it would if they never came."""
    grid = in_time()
    hole = slice(1000, 1006)
    first_ns, second_ns = (CLOSES_NS[1005] + hours * HOUR_NS for hours in (3, 9))
    grid.received_ns[0, 0, hole], grid.received_ns[0, 1, hole] = first_ns, second_ns
    never = in_time()
    never.received_ns[0, 0, hole] = first_ns
    silent = np.zeros(grid.measured.shape, dtype=bool)
    silent[0, 1, hole] = True
    silenced(never, silent)
    slots = np.tile(np.arange(1000, 1006), (2, 1))
    for now_ns, dark, known in (
        (CLOSES_NS[1005], [6, 6], [0, 0]),
        (first_ns - 1, [6, 6], [0, 0]),
        (first_ns, [0, 0], [6, 0]),
        (second_ns - 1, [0, 0], [6, 0]),
        (second_ns, [0, 0], [6, 6]),
    ):
        seen = look(track_of(grid), np.arange(2), slots, np.full(2, now_ns))
        assert seen.dark.sum(axis=1).tolist() == dark
        assert seen.known.sum(axis=1).tolist() == known
        assert dark_by(track_of(grid), int(now_ns))[:2, hole].sum(axis=1).tolist() == dark
        if now_ns < second_ns:
            other = look(track_of(never), np.arange(2), slots, np.full(2, now_ns))
            assert np.array_equal(seen.dark, other.dark)
            assert np.array_equal(seen.known, other.known)
    assert not dark_by(track_of(never)).any(), "its office was heard in the end"


def test_a_hole_and_an_end_of_a_source_are_told_alike() -> None:
    """As silence for a day, then not at all; afterwards a hole of less than a day was silence, and nothing is known after an end."""
    imported = np.zeros((len(LINES.sites), SLOTS), dtype=bool)
    imported[:2] = True
    grid = in_time()
    gone = np.zeros(grid.measured.shape, dtype=bool)
    gone[0, :, 1000:1100], gone[1, :, 1000:] = True, True
    silenced(grid, gone)
    track = track_of(grid, imported)
    for later_ns in (0, HOUR_NS, OVER_NS - SLOT_NS - 1):
        dark = dark_by(track, int(CLOSES_NS[1000]) + later_ns)
        assert dark[0, 1000]
        assert dark[2, 1000]
    assert np.array_equal(dark_by(track, int(CLOSES_NS[1099]))[0], dark_by(track, int(CLOSES_NS[1099]))[2])
    assert not dark_by(track, int(CLOSES_NS[999]) + OVER_NS)[2].any()
    assert dark_by(track)[0].sum() == 100
    assert not dark_by(track)[2].any()
    gone[0, :, 1000:1400] = True
    silenced(grid, gone)
    assert not dark_by(track_of(grid, imported))[0].any(), "longer than a day: nobody knows"


def test_a_sources_rhythm_is_told_by_what_came_in_time() -> None:
    """Rows that come a day late say nothing of when the next were due; a source of which all are late is never silent."""
    imported = np.zeros((len(LINES.sites), SLOTS), dtype=bool)
    imported[0] = True
    grid = in_time()
    gone = np.zeros(grid.measured.shape, dtype=bool)
    gone[0, :, 1::2] = True
    silenced(grid, gone)
    due = due_slots(grid, Imported.of_spans(imported))[0]
    assert due[100:200].tolist() == [True, False] * 50
    late = in_time()
    late.received_ns[0, :, 1::2] += DAY_NS
    assert np.array_equal(due_slots(late, Imported.of_spans(imported))[0], due)
    late.received_ns[0, :, ::2] += DAY_NS
    assert not dark_by(track_of(late, imported), int(CLOSES_NS[-1])).any()


def test_what_a_line_gives_in_a_slot_is_told_by_what_had_arrived() -> None:
    """A fuller slot that comes late makes none thinner that was known before it came."""
    grid = in_time()
    grid.measured[0, 0] = 10
    grid.measured[0, 0, 100], grid.received_ns[0, 0, 100] = 20, CLOSES_NS[200]
    measured = track_of(grid).measured[0]
    assert (measured[:200] == 1.0).all()
    assert (measured[200:] == 0.5).all()


def test_a_probe_that_dies_in_the_hole_of_a_file_stays_awaited() -> None:
    """Its figures are its own though a file goes on around them, and whatever the file has later: silence is not the file's end."""
    grid, rows = in_time(), np.zeros((len(LINES.sites), len(LINES.paths), SLOTS), dtype=bool)
    rows[0, :, :900] = rows[0, :, 2300:] = True
    probe = np.zeros_like(rows)
    probe[0, :, 1300:1444] = True
    gone = np.zeros_like(rows)
    gone[0] = True
    silenced(grid, gone & ~rows & ~probe)
    dark = dark_by(track_of(grid, rows=rows))
    assert not dark[0, 900:1300].any(), "a hole of more than a day"
    assert dark[:2, 1444:2300].all()
    assert not dark[:, 2300:].any()


def test_where_no_probe_measured_rows_tell_of_a_source_what_its_span_does() -> None:
    """Of holes of all lengths and of an end, as of any time and in the end."""
    grid = by_lot(1)
    imported = sampled_by_another_tool(grid, resumes=False)
    hole = np.zeros(grid.measured.shape, dtype=bool)
    hole[1, :, 1000:1250] = hole[1, :, 1500:1900] = True
    silenced(grid, hole)
    rows = grid.measured > 0
    rows[2] = False
    by_span, by_rows = track_of(grid, imported), track_of(grid, rows=rows)
    for as_of_ns in (*CLOSES_NS[900::37].tolist(), None):
        assert np.array_equal(dark_by(by_span, as_of_ns), dark_by(by_rows, as_of_ns)), as_of_ns
    assert dark_by(by_rows)[2, 1000:1250].sum() > 100, "every other slot lies between two samples"
    assert not dark_by(by_rows)[2, 1500:1900].any()
    asks = asks_before()
    ours, theirs = (rails(track, asks, UTC, 8.0) for track in (by_rows, by_span))
    assert np.array_equal(ours.hidden, theirs.hidden)
