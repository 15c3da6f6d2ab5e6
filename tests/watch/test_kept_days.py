"""Days that are kept as they were judged: the same bits as judging them again, and never what the store no longer says."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

import telemetry.store.derived
from analytics.forecast.slots import history_of
from analytics.history import METRICS
from analytics.hours import HourSpan, local_hour
from analytics.limits import LimitSets, limit_sets
from analytics.lines import Lines
from config.profiles import Limits, ladder_of
from reports.past import kept_days
from reports.past.judged import JudgedSpan, read_judged
from reports.past.judging_code import files_that_judge
from tatpar.watching.hindsight import DAY_CLOSES_NS
from tatpar.watching.past import BlockOfPast, PastReader, Shape, read_block
from telemetry.store.derived import Deriving
from telemetry.store.protocol import Selection
from telemetry.store.sqlite import SqliteReader
from telemetry.windows import DAY_NS, HOUR_NS, SECOND_NS, SLOT_NS, WINDOW_NS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import Town
    from numpy.typing import NDArray

    from analytics.forecast.slots import SlotGrid
    from telemetry.store.tables import RollupTable

SITES = ("agra", "meerut")
LINES = Lines(SITES, ("main.state", "main.national"))
DAYS = (3, 2, 1)
"""So many days before the town begins two offices had half an hour's reports, and on its own day as well."""
Judged = tuple["SlotGrid", "NDArray[np.float32] | None"]


class Plain:
    """A store that keeps nothing: the slow way."""

    def __init__(self, reader: SqliteReader) -> None:
        self._reader = reader

    def rollups(self, selection: Selection, **more: Any) -> RollupTable:
        return self._reader.rollups(selection, **more)


class Counted(SqliteReader):
    """Says which roll-ups it was asked for."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.asked: list[tuple[str, int, int]] = []

    def rollups(self, selection: Selection, **more: Any) -> RollupTable:
        days = range(selection.start_ns // DAY_NS, -(-selection.end_ns // DAY_NS))
        self.asked += [
            (site, day * DAY_NS, selection.end_ns - selection.start_ns)
            for site in selection.sites
            for day in days
        ]
        return super().rollups(selection, **more)


@pytest.fixture
def past(town: Town) -> Town:
    """Faulty and sound quarters of an hour of two offices on four days."""
    for number, days in enumerate((*DAYS, 0)):
        start = town.t0 - days * DAY_NS - 2 * HOUR_NS
        town.break_line(SITES[number % 2], up=0.04, jitter_ms=35.0)
        town.remember(start, start + HOUR_NS // 4, SITES)
        town.heal(SITES[number % 2])
        town.remember(start + HOUR_NS // 4, start + HOUR_NS // 2, SITES)
    return town


@pytest.fixture
def reader(past: Town) -> Iterator[Counted]:
    opened = Counted(past.folder / "reports.db")
    yield opened
    opened.close()


def sets(town: Town, rung: str = "video-720p") -> LimitSets:
    every = town.live.current.profiles
    return limit_sets({each.id: each for each in ladder_of(every, rung)})


def span_of(town: Town, **changes: Any) -> JudgedSpan:
    """From the middle of the first day's reports to the town's beginning, which is in the middle of a day."""
    first, last = (town.t0 - 3 * DAY_NS - 105 * 60 * SECOND_NS) // SLOT_NS, town.t0 // SLOT_NS
    return replace(JudgedSpan(LINES, sets(town).limits, first, last, town.t0), **changes)


def same(one: Judged, other: Judged) -> None:
    for name in ("measured", "broken", "strain", "received_ns"):
        np.testing.assert_array_equal(getattr(one[0], name), getattr(other[0], name), err_msg=name)
    np.testing.assert_array_equal(one[1], other[1])  # type: ignore[arg-type]


def slowly(reader: SqliteReader, span: JudgedSpan) -> Judged:
    plain = Plain(reader)
    assert not isinstance(plain, Deriving)
    return read_judged(plain, span, with_figures=True)  # type: ignore[arg-type]


def days_asked(reader: Counted) -> list[tuple[str, int]]:
    """Which days of roll-ups were read since this was asked last."""
    found = [(site, day) for site, day, _ in reader.asked]
    reader.asked.clear()
    return found


def day_of(town: Town, days: int) -> int:
    return town.t0 // DAY_NS * DAY_NS - days * DAY_NS


def test_a_kept_day_is_the_same_to_the_bit(past: Town, reader: Counted) -> None:
    """Judged, kept and found: slots and figures are those of a reader that keeps nothing; only today is read again."""
    span = span_of(past)
    expected = slowly(reader, span)
    assert expected[0].broken.any()
    assert (expected[0].measured > 0).sum() == 2 * 2 * (3 + 3 * 6)
    reader.asked.clear()
    same(read_judged(reader, span, with_figures=True), expected)
    assert set(days_asked(reader)) == {(site, day_of(past, days)) for site in SITES for days in (*DAYS, 0)}
    same(read_judged(reader, span, with_figures=True), expected)
    assert days_asked(reader) == [(site, day_of(past, 0)) for site in SITES]
    another = Counted(past.folder / "reports.db")
    same(read_judged(another, span, with_figures=True), expected)
    assert another.derived.counts.found == 2 * 2 * 3
    assert days_asked(another) == [(site, day_of(past, 0)) for site in SITES]
    without, none = read_judged(another, span, with_figures=False)
    assert none is None
    same((without, expected[1]), expected)
    later = span_of(past, first=span.first + 400, last=span.last - 100)
    same(read_judged(another, later, with_figures=True), slowly(reader, later))
    another.close()


def test_the_hours_are_those_of_the_roll_ups(past: Town, reader: Counted) -> None:
    """The watch's history out of kept slots equals the sums of the roll-ups themselves, where hours begin at half past."""
    zone, limits = ZoneInfo("Asia/Kolkata"), sets(past)
    end = local_hour(past.t0, zone) + 1
    span = HourSpan(end - 100, 100, zone)
    job = BlockOfPast(Shape(LINES, limits, zone, 1.0), SITES, span, past.t0)
    table = reader.rollups(Selection(past.t0 - 4 * DAY_NS, past.t0, sites=SITES), columns=METRICS[3:])
    expected = history_of(table, LINES, limits.limits, span)
    assert expected.broken.any()
    for _ in range(2):
        history, _ = read_block(reader, job)
        np.testing.assert_array_equal(history.measured, expected.measured)
        np.testing.assert_array_equal(history.broken, expected.broken)
        for name in METRICS:
            np.testing.assert_array_equal(history.figures[name], expected.figures[name], err_msg=name)


def test_what_came_late_is_seen(past: Town, reader: Counted) -> None:
    """Reports of a day long judged: that day of that office is judged again with them, and says when they came; the others stay."""
    span = span_of(past)
    before = read_judged(reader, span, with_figures=True)
    days_asked(reader)
    start = past.t0 - 2 * DAY_NS - HOUR_NS
    late_ns = past.t0 + HOUR_NS
    for at in range(start, start + HOUR_NS // 4, WINDOW_NS):
        past.store.append(past.received(at, late_ns, ("agra",)))
    while past.store.maintain(late_ns):
        pass
    after = read_judged(reader, span, with_figures=True)
    assert sorted(days_asked(reader)) == [
        ("agra", day_of(past, 2)),
        ("agra", day_of(past, 0)),
        ("meerut", day_of(past, 0)),
    ]
    same(after, slowly(reader, span))
    new = after[0].measured.astype(int) - before[0].measured
    assert new[0].sum() == 2 * 60
    assert new[1].sum() == 0
    assert (after[0].received_ns[new > 0] == late_ns).all(), "a forecast of the past leaves them out by this"
    assert reader.derived.counts.stale == 1


def test_other_limits_and_other_code_find_nothing(
    past: Town, reader: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A changed profile, another line, or a release that judges otherwise: everything is judged again."""
    span = span_of(past)
    read_judged(reader, span, with_figures=True)
    for changed in (
        span_of(past, limits=(replace_limit(span.limits[0], jitter_ms=1.0), *span.limits[1:])),
        span_of(past, limits=span.limits[:1]),
        span_of(past, lines=Lines(SITES, ("main.state", "backup.state"))),
    ):
        days_asked(reader)
        found = read_judged(reader, changed, with_figures=True)
        assert len(days_asked(reader)) == 2 * 4
        same(found, slowly(reader, changed))
    days_asked(reader)
    read_judged(reader, span, with_figures=True)
    assert len(days_asked(reader)) == 2, "those of before are there still"
    monkeypatch.setattr(kept_days, "_code", lambda: "another release")
    same(read_judged(reader, span, with_figures=True), slowly(reader, span))
    assert len({day for _, day in days_asked(reader)}) == 4


def test_a_change_of_any_module_that_judges_is_another_release(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a fresh interpreter loads of these rooms to read judged days is what their names depend on."""
    loads = (
        "import sys, reports.past.judged\n"
        "rooms = ('analytics.', 'reports.past.')\n"
        "print(*(m.__file__ for n, m in sys.modules.items() if n.startswith(rooms) and not hasattr(m, '__path__')))"
    )
    loaded = subprocess.run([sys.executable, "-c", loads], capture_output=True, text=True, check=True)
    files = files_that_judge()
    assert set(loaded.stdout.split()) == {str(file) for file in files}
    assert {"bursts.py", "judge.py", "own_trouble.py", "judged.py"} <= {file.name for file in files}
    of_file = Path.read_bytes
    digests = {kept_days._code.__wrapped__()}
    for changed in files:
        monkeypatch.setattr(
            Path, "read_bytes", lambda file, at=changed: of_file(file) + b"\n#" * (file == at)
        )
        digests.add(kept_days._code.__wrapped__())
    assert len(digests) == len(files) + 1


def replace_limit(limits: Limits, **changes: float) -> Limits:
    from msgspec.structs import replace as changed

    return changed(limits, **changes)


def test_a_limit_above_the_floor_keeps_nothing(past: Town, reader: Counted) -> None:
    """Such a day depends on the week before it, which may be mended by itself."""
    span = span_of(past, limits=(Limits(rtt_above_floor_ms=15.0),))
    for _ in range(2):
        same(read_judged(reader, span, with_figures=True), slowly(reader, span))
    assert not (past.folder / "derived.db").exists()


def test_a_damaged_row_is_judged_again_and_counted(past: Town, reader: Counted) -> None:
    """One flipped bit in one row: the day is worked out again, the damage is counted, and next time the row is whole."""
    span = span_of(past)
    expected = read_judged(reader, span, with_figures=True)
    with sqlite3.connect(past.folder / "derived.db") as file:
        (rows,) = file.execute("SELECT count(*) FROM derived WHERE kind LIKE 'slots.%'").fetchone()
        assert rows == 2 * 3
        id_, data = file.execute(
            "SELECT id, data FROM derived WHERE kind LIKE 'slots.%' AND site = 'agra' ORDER BY day_ns LIMIT 1"
        ).fetchone()
        flipped = bytearray(data)
        flipped[len(data) // 2] ^= 0x10
        file.execute("UPDATE derived SET data = ? WHERE id = ?", (bytes(flipped), id_))
    file.close()
    days_asked(reader)
    same(read_judged(reader, span, with_figures=True), expected)
    assert reader.derived.counts.damaged == 1
    assert ("agra", day_of(past, 3)) in days_asked(reader)
    same(read_judged(reader, span, with_figures=True), expected)
    assert reader.derived.counts.damaged == 1
    assert len(days_asked(reader)) == 2


def test_a_file_that_is_no_file_is_made_anew(past: Town, reader: Counted) -> None:
    """Rubbish in its place costs one pass, and never an answer."""
    (past.folder / "derived.db").write_bytes(b"rubbish " * 4096)
    span = span_of(past)
    for _ in range(3):
        same(read_judged(reader, span, with_figures=True), slowly(reader, span))
    assert reader.derived.counts.damaged == 1
    assert reader.derived.counts.found > 0


def test_nothing_is_kept_on_a_full_disk(past: Town, reader: Counted, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reports need the room; the answer is the same."""
    monkeypatch.setattr(telemetry.store.derived, "LEAST_FREE_BYTES", 1 << 62)
    span = span_of(past)
    same(read_judged(reader, span, with_figures=True), slowly(reader, span))
    assert reader.derived.counts.not_kept == 2 * 2 * 3
    assert not (past.folder / "derived.db").exists()


def test_what_is_past_its_retention_goes(past: Town, reader: Counted) -> None:
    """A day whose roll-ups were dropped is not answered from what was kept, and leaves the file with the next day that is kept."""
    span = span_of(past)
    read_judged(reader, span, with_figures=True)
    past.store._rollup_ns = 3 * DAY_NS
    past.store.prune(past.t0 + DAY_NS)
    found = read_judged(reader, span, with_figures=True)
    same(found, slowly(reader, span))
    assert not found[0].measured[..., :200].any()
    tomorrow = span_of(past, until_ns=past.t0 + DAY_NS)
    read_judged(reader, tomorrow, with_figures=True)
    with sqlite3.connect(past.folder / "derived.db") as file:
        days = {day for (day,) in file.execute("SELECT DISTINCT day_ns FROM derived")}
    file.close()
    assert days == {day_of(past, number) for number in (2, 1, 0)}


def test_a_day_is_kept_soon_after_it_has_passed(past: Town, reader: Counted) -> None:
    """The running watch judges a day a quarter of an hour after its end, so that the next start judges none that has passed."""
    past.watch.step(past.now_ns)
    midnight = day_of(past, -1)
    closed = midnight + DAY_CLOSES_NS
    past.watch.refresh_past(midnight - SECOND_NS)
    current, hindsight = past.watch._current, past.watch._hindsight
    assert current is not None
    assert not hindsight._is_stale(closed - SECOND_NS)
    assert hindsight._is_stale(closed)
    past.watch.refresh_past(closed)
    assert not hindsight._is_stale(closed + SECOND_NS)
    starting = PastReader(reader, lambda sites, span: np.zeros((len(sites), span.count), dtype=np.int64))
    loaded = starting.load(current.shape(), closed)
    assert loaded.history.measured.sum() == 2 * 2 * len((*DAYS, 0)) * 120
    assert days_asked(reader) == []
