"""A fleet that is larger than a block: what is said of it is, bit by bit, what one block says."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pytest
from msgspec import structs

from analytics.climatology import climatology
from analytics.condition import condition
from analytics.forecast.answers import Span
from analytics.forecast.slots import SlotGrid
from analytics.history import empty_history
from analytics.lines import Lines
from analytics.recent import Recent
from config.load import load_config
from config.works import Work, WorkKind
from tatpar.shipped.prior import shipped_prior
from tatpar.watching.foreseeing import ModelInForce, Outlook, Seen, prepare_tracks, with_works_of
from tatpar.watching.learning import teachers
from tatpar.watching.offices import prepare
from tatpar.watching.past import Past, Shape
from tatpar.watching.shelf import Shelf
from tatpar.watching.slot_blocks import SlotBlocks
from telemetry.rehearsing import OfficeProgress, OfficeState, RehearsalRecord, RehearsalRequest
from telemetry.state.db import StateDb
from telemetry.store.columns import WINDOW_VALUE_COLUMNS
from telemetry.store.errors import StoreError
from telemetry.windows import DAY_NS, HOUR_NS, SECOND_NS, SLOT_NS, WINDOW_NS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from conftest import Town
    from numpy.typing import NDArray

    from tatpar.watching.foreseeing import Prepared
    from tatpar.watching.offices import Offices

    Answering = Callable[[SlotBlocks], "Answers"]

OFFICES = 15
DAYS = 40
SIZES = (1, 7, OFFICES)


class Fleet(NamedTuple):
    """Offices with a past of forty days, as of now."""

    offices: Offices
    grid: SlotGrid
    now_ns: int

    def blocks(self, size: int, folder: Path | None = None) -> SlotBlocks:
        lines = self.grid.lines
        parts = [_some(self.grid, first, min(first + size, OFFICES)) for first in range(0, OFFICES, size)]
        return SlotBlocks.of(parts, lines, folder, size)

    def past(self, blocks: SlotBlocks) -> Past:
        shape = Shape(self.grid.lines, self.offices.sets, self.offices.zone, 8.0)
        history = empty_history(shape.lines, len(shape.sets.limits), 0, 0)
        return Past(shape, history, blocks, climatology(history), self.now_ns - 200 * SECOND_NS)


def _some(grid: SlotGrid, first: int, last: int) -> SlotGrid:
    here = slice(first, last)
    return SlotGrid(
        Lines(grid.lines.sites[here], grid.lines.paths),
        grid.first_slot,
        grid.measured[here],
        grid.broken[:, here],
        grid.strain[:, here],
        grid.received_ns[here],
    )


@pytest.fixture(scope="module", params=["Asia/Kolkata", "Europe/Berlin"])
def fleet(request: pytest.FixtureRequest) -> Fleet:
    """Trouble in all hours, holes, late slots, works and holidays behind and ahead; in Berlin the clocks were set back four weeks ago."""
    config = load_config(None)
    deployment = structs.replace(config.settings.deployment, timezone=request.param)
    config = structs.replace(config, settings=structs.replace(config.settings, deployment=deployment))
    now_ns = 1_795_392_000 * SECOND_NS + 1000 * SECOND_NS
    every = tuple(site.id for site in config.registry.sites[:OFFICES])
    works = tuple(
        Work(
            sites=every[at : at + 9],
            kind=WorkKind.HOLIDAY if hours > 12 else WorkKind.WORKS,
            from_ns=now_ns + lead * HOUR_NS,
            until_ns=now_ns + (lead + hours) * HOUR_NS,
            announced_ns=now_ns - 60 * DAY_NS,
            who="all",
        )
        for at, lead, hours in ((0, -36 * 24, 24), (4, 20, 26), (11, 2, 3))
    )
    offices = prepare(structs.replace(config, works=works), ())
    lines = Lines(every, offices.usual_paths)
    rng = np.random.default_rng(5)
    count = DAYS * 288
    shape = (*lines.shape, count)
    measured = np.where(rng.random(shape) < 0.03, 0, rng.integers(15, 21, shape)).astype(np.uint8)
    measured[3, :, -2000:-600] = 0
    measured[8] = 0
    broken = np.where(rng.random((3, *shape)) < 0.06, rng.integers(0, 21, (3, *shape)), 0).astype(np.uint8)
    first = now_ns // SLOT_NS - count
    ends_ns = (first + 1 + np.arange(count, dtype=np.int64)) * SLOT_NS
    late = np.where(rng.random(shape) < 0.01, rng.integers(0, 9 * HOUR_NS, shape), 4 * SECOND_NS)
    sets = len(offices.sets.limits)
    grid = SlotGrid(
        lines,
        first,
        measured,
        np.minimum(broken, measured)[np.arange(sets) % 3],
        np.where(measured > 0, rng.gamma(1.0, 0.3, (sets, *shape)), np.nan).astype(np.float32),
        np.where(measured > 0, ends_ns + late, 0),
    )
    return Fleet(offices, grid, now_ns)


def seen(fleet: Fleet) -> Seen:
    """The newest windows: one office broken, one silent, one dark."""
    lines = fleet.grid.lines
    rng = np.random.default_rng(6)
    values = {name: np.zeros((*lines.shape, 120), dtype=np.float32) for name in WINDOW_VALUE_COLUMNS}
    values["sent"][...] = 150
    values["up_lost"][...] = values["lost"][...] = rng.binomial(150, 0.001, values["sent"].shape)
    values["up_lost"][2, :, -9:] = values["lost"][2, :, -9:] = 20
    for column in values.values():
        column[4, 0, -30:] = column[6] = np.nan
    start_ns = (fleet.now_ns // WINDOW_NS - 120 + np.arange(120, dtype=np.int64)) * WINDOW_NS
    recent = Recent(lines, start_ns, values)
    return Seen(recent, condition(recent, fleet.offices.sets.limits), np.arange(OFFICES) == 6)


def rehearsal(fleet: Fleet) -> RehearsalRecord:
    """One office broke in it three hours ago."""
    office = OfficeProgress(
        site=fleet.grid.lines.sites[9],
        probe="p1",
        stage=1,
        state=OfficeState.BROKE,
        rung_up="a",
        rung_down="a",
    )
    return RehearsalRecord(
        request=RehearsalRequest(id="r", key="r", meeting="m", recurrence_ns=1, who="asha", asked_ns=1),
        path=fleet.grid.lines.paths[0],
        rungs=("a", "b"),
        rung_s=30.0,
        starts_ns=(fleet.now_ns - 3 * HOUR_NS,),
        offices=(office,),
    )


class Answers(NamedTuple):
    """What is said of a fleet at two moments, and under the works of another configuration."""

    said: list[NDArray[np.float64]]
    tails: list[NDArray[Any]]
    prepared: Prepared


@pytest.fixture
def answer(fleet: Fleet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Answering]:
    """Everything the model says, with the fleet in blocks of so many."""
    with closing(StateDb(tmp_path / "state.db")) as state:
        monkeypatch.setattr(state, "rehearsals", lambda _: [rehearsal(fleet)])

        def answered(blocks: SlotBlocks) -> Answers:
            return _answers(fleet, blocks, state)

        yield answered


def _answers(fleet: Fleet, blocks: SlotBlocks, state: StateDb) -> Answers:
    prepared = prepare_tracks(fleet.past(blocks), fleet.offices, state, fleet.now_ns)
    others = prepare(structs.replace(fleet.offices.config, works=fleet.offices.config.works[:2]), ())
    outlook, model, said = Outlook(), ModelInForce(shipped_prior(), "shipped"), []
    shape, paths = fleet.grid.lines.shape, np.arange(fleet.grid.lines.shape[1])
    ahead = [
        (fleet.now_ns + int(lead * HOUR_NS), fleet.now_ns + int((lead + 1) * HOUR_NS))
        for lead in (-0.5, 2.5, 22)
    ]
    for each in (prepared, with_works_of(prepared, others, fleet.now_ns)):
        foresight = outlook.foresee(each, model, seen(fleet), fleet.now_ns)
        sets = range(len(prepared.past.shape.sets.limits))
        spans = [Span(limit_set, tuple(paths), span) for limit_set in sets for span in ahead]
        foresight.foresee(shape, spans[:4])
        for span in spans:
            found = foresight.of_span(span.limit_set, shape, paths, span.span_ns)
            said += [found.holds, found.costs]
    day = slice(-288, None)
    tails = [
        of[:, : fleet.now_ns // SLOT_NS - track.first_slot + 1][:, day]
        for track in prepared.tracks
        for of in (track.broke, track.strain, track.measured, track.silent_until_ns, track.arrived_ns)
    ]
    return Answers(said, tails, prepared)


def test_the_same_bits_whatever_the_size_of_a_block(fleet: Fleet, answer: Answering, tmp_path: Path) -> None:
    """Blocks of one, of seven and of all: chances, what each term costs, and the last day that reasons are drawn from."""
    folders = (None, tmp_path, None)
    one, seven, whole = (
        answer(fleet.blocks(size, folder)) for size, folder in zip(SIZES, folders, strict=True)
    )
    assert whole.prepared.in_pieces is None
    assert one.prepared.in_pieces is not None
    at_home = fleet.offices.zone.key == "Asia/Kolkata"
    assert all((track.ahead is None) == at_home for track in whole.prepared.tracks)
    holds = np.concatenate([each.ravel() for each in whole.said[::2]])
    assert np.nanmax(holds) - np.nanmin(holds) > 0.5
    assert any((each[..., 7:].any()) for each in whole.said[1::2])
    for other in (one, seven):
        for expected, found in zip((*whole.said, *whole.tails), (*other.said, *other.tails), strict=True):
            assert found.tobytes() == np.ascontiguousarray(expected).tobytes()


def _verdicts(town: Town) -> list[Any]:
    """What is said before and after a fault on one line, of a past that is loaded and then refreshed."""
    town.remember(town.t0 - 2 * HOUR_NS, town.t0 - 15 * SECOND_NS, ("agra", "ballia"))
    town.play(1)
    town.watch.refresh_past(town.now_ns)
    town.play(30)
    town.break_line("agra", up=0.1)
    town.play(45)
    town.watch.refresh_past(town.now_ns)
    town.play(15)
    return sorted(
        town.state.verdicts(town.t0, town.t0 + 2 * DAY_NS), key=lambda each: (each.meeting, each.site)
    )


def test_a_watch_in_blocks_says_the_same(town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Five offices in blocks of two and of all: verdict by verdict the same."""
    whole = _verdicts(town)
    assert town.watch._hindsight.past is not None
    assert town.watch._hindsight.past.by_blocks.is_whole
    monkeypatch.setattr("tatpar.watching.slot_blocks.MOST_WHOLE", 2)
    monkeypatch.setattr("tatpar.watching.slot_blocks.OFFICES_PER_BLOCK", 2)
    (tmp_path / "again").mkdir()
    with closing(type(town)(tmp_path / "again")) as again:
        found = _verdicts(again)
        assert again.watch._hindsight.prepared is not None
        assert again.watch._hindsight.prepared.in_pieces is not None
    assert {verdict.state.value for verdict in whole} >= {"not_ready", "ready"}
    assert found == whole


def test_a_large_fleet_learns_from_some_offices(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lesson is read again whole, of linked offices by lot."""
    monkeypatch.setattr("tatpar.watching.slot_blocks.MOST_WHOLE", 2)
    monkeypatch.setattr("tatpar.watching.slot_blocks.OFFICES_PER_BLOCK", 2)
    town.remember(town.t0 - 4 * HOUR_NS, town.t0 - HOUR_NS, ("agra", "meerut"))
    town.play(20)
    town.watch.refresh_past(town.now_ns)
    hindsight = town.watch._hindsight
    assert hindsight.prepared is not None
    monkeypatch.setattr("tatpar.watching.learning.MOST_OFFICES", 3)
    lesson = hindsight._lesson(hindsight.prepared, town.now_ns)
    assert lesson.in_pieces is None
    assert lesson.past.shape.lines.sites == teachers(lesson.offices)
    assert len(lesson.past.shape.lines.sites) == 3
    linked = dict(zip(lesson.offices.sites, lesson.offices.linked, strict=True))
    assert all(linked[site] for site in lesson.past.shape.lines.sites)
    assert lesson.tracks[0].broke.shape[0] == 6


@pytest.mark.parametrize("on_disk", [False, True])
def test_what_is_put_on_the_shelf_comes_back(tmp_path: Path, *, on_disk: bool) -> None:
    """Arrays of every kind, also without any cell, to be written into; the file has no name."""
    shelf = Shelf(tmp_path if on_disk else None)
    arrays = [
        np.arange(12, dtype=np.int64).reshape(3, 4),
        np.array([[True], [False]]),
        np.zeros((2, 0), np.float32),
    ]
    tickets = [shelf.put(each) for each in (*arrays, arrays[0].T)]
    for ticket, expected in zip(tickets, (*arrays, arrays[0].T), strict=True):
        found = shelf.get(ticket)
        np.testing.assert_array_equal(found, expected)
        assert found.dtype == expected.dtype
        found[...] = 0
    np.testing.assert_array_equal(shelf.get(tickets[0]), arrays[0])
    assert list(tmp_path.iterdir()) == []


def test_a_shelf_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    """The watch goes on and tries again, as with every trouble of files."""
    with pytest.raises(StoreError, match="cannot put its past away"):
        Shelf(tmp_path / "nowhere").put(np.zeros(3))
