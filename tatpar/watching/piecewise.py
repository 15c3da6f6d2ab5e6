"""The tracks of a fleet that is larger than a block: made block by block, of each only what the newest windows touch is held.

What was worked out of a block (when it was awaited, its habits) is put on the shelf; its slots lie on that of the past. To be asked
a block is laid out again, as far back as the forecast looks.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from analytics.forecast.deployment import (
    Surroundings,
    awaited_slots,
    clock_ahead,
    groups_of,
    planned_slots,
    tracks_of,
)
from analytics.forecast.features import Digest, digests_until
from analytics.forecast.habits import Habits
from analytics.forecast.hourly import Hourly
from analytics.forecast.imported import over_by_ns
from analytics.forecast.margins import Margin
from analytics.forecast.pieces import InPieces, Piece
from analytics.forecast.seen import Past as Sums
from analytics.forecast.slots import SlotGrid, empty_slots, merged_slots
from analytics.forecast.track import Track
from tatpar.watching.imported_spans import imported_slots
from tatpar.watching.lost_contact import lost_in
from tatpar.watching.rehearsed import rehearsed_slots
from tatpar.watching.shelf import Shelf
from telemetry.windows import DAY_NS, HOUR_NS, SLOT_NS, SLOTS_PER_DAY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from analytics.lines import Lines
    from config.works import Work
    from tatpar.watching.offices import Offices
    from tatpar.watching.past import Past
    from tatpar.watching.shelf import Ticket
    from telemetry.rehearsing import RehearsalRecord
    from telemetry.state.db import StateDb

LOOKED_BACK_NS: Final = 32 * DAY_NS
"""28 days before a meeting is the farthest that is looked back to slot by slot; what is announced is looked back to whole."""
TAIL_BACK: Final = SLOTS_PER_DAY + SLOTS_PER_DAY // 8
"""The reasons look at the last day; the newest windows reach half an hour back."""
TAIL_AHEAD: Final = SLOTS_PER_DAY // 4
"""So long a past may be out of date before new windows find no place."""


@dataclass(frozen=True, slots=True)
class Frame:
    """The axis T of tracks: slots `first` to before `last`, as of `now_ns`."""

    first: int
    last: int
    now_ns: int

    @property
    def slots(self) -> int:
        """How many."""
        return self.last - self.first


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What is known of a fleet beside its slots."""

    offices: Offices
    works: tuple[Work, ...]
    known_ns: int
    """Works that had been announced by then."""
    rehearsals: tuple[RehearsalRecord, ...]

    def planned(self, lines: Lines, frame: Frame) -> NDArray[np.bool_]:
        """(S, P, T)."""
        return planned_slots(self.works, lines, frame.first, frame.slots, known_ns=self.known_ns)

    def ahead(self, frame: Frame) -> NDArray[np.int64] | None:
        """(T,) of `clock_ahead`."""
        return clock_ahead(frame.first, frame.slots, self.offices.zone)


def laid_in(grid: SlotGrid, frame: Frame, first: int | None = None) -> SlotGrid:
    """A grid in the place of a frame, or of its part from `first` on."""
    first = frame.first if first is None else first
    room = empty_slots(grid.lines, len(grid.broken), first, frame.last - first)
    return merged_slots(room, grid, frame.last - first)


def lost_slots(state: StateDb, lines: Lines, frame: Frame) -> NDArray[np.bool_]:
    """(S, T): contact was lost, up to now."""
    out = np.zeros((len(lines.sites), frame.slots), dtype=bool)
    known = np.arange(frame.now_ns // SLOT_NS - frame.first, dtype=np.int64)
    out[:, : len(known)] = lost_in(state, lines.sites, (frame.first + known) * SLOT_NS, SLOT_NS)
    return out


def laid_hearing(past: Past, frame: Frame) -> NDArray[np.bool_]:
    """(T,): anybody of all offices was heard."""
    out = np.zeros(frame.slots, dtype=bool)
    at = past.by_blocks.first_slot - frame.first
    out[at : at + past.by_blocks.slots] = past.by_blocks.hearing
    return out


def in_pieces(past: Past, about: Circumstances, state: StateDb, frame: Frame) -> InPieces:
    """The tracks of a past that is more than a block."""
    pieces = PiecesOfPast(past, about, frame)
    hearing, ahead = laid_hearing(past, frame), about.ahead(frame)
    tails = [_empty_tail(past, about, frame) for _ in past.shape.sets.limits]
    _share(tails)
    sums: list[list[Sums]] = [[] for _ in tails]
    paths = len(past.shape.lines.paths)
    for number, (first, last) in enumerate(pieces.bounds()):
        grid = laid_in(past.by_blocks.grid(number), frame)
        planned = about.planned(grid.lines, frame)
        imported = imported_slots(state, grid.lines.sites, frame.first, frame.slots)
        lost = lost_slots(state, grid.lines, frame)
        awaited = awaited_slots(grid, lost, hearing, imported)
        over_ns = None if imported is None else over_by_ns(grid, lost, imported)
        around = Surroundings({}, awaited, planned, over_ns, ahead=ahead)
        tracks = tracks_of(grid, around)
        digests = digests_until(tracks, frame.now_ns)
        for tail, track in zip(tails, tracks, strict=True):
            _cut(tail, track, slice(first * paths, last * paths))
        for said, each in zip(sums, digests, strict=True):
            said.append(each.past)
        pieces.keep(grid, around, digests)
    return InPieces(tuple(tails), tuple(_joined(each) for each in sums), pieces)


def with_works(fleet: InPieces, about: Circumstances) -> InPieces:
    """The same with the works that another configuration announces; rehearsals stay."""
    assert isinstance(fleet.pieces, PiecesOfPast)
    about = replace(about, rehearsals=fleet.pieces.about.rehearsals)
    pieces = fleet.pieces.under(about)
    planned = about.planned(pieces.past.shape.lines, _of_tail(pieces.frame))
    flat = planned.reshape(fleet.tails[0].planned.shape)
    return InPieces(tuple(replace(each, planned=flat) for each in fleet.tails), fleet.sums, pieces)


@dataclass(frozen=True, slots=True)
class _Put:
    """What of a block lies on the shelf; of habits for each limit set, from the hour `first_hour` on."""

    awaited: Ticket
    over_ns: Ticket | None
    most: Ticket
    first_hour: int
    ahead: NDArray[np.int64] | None
    habits: tuple[tuple[Ticket, ...], ...]
    rehearsed: Ticket | None


class PiecesOfPast:
    """Blocks of a past, laid out one at a time."""

    def __init__(self, past: Past, about: Circumstances, frame: Frame) -> None:
        self.past, self.frame, self.about = past, frame, about
        self._shelf = Shelf(past.by_blocks.folder)
        self._put: list[_Put] = []
        self._ahead = about.ahead(frame)
        self._cut = max(frame.first, (frame.now_ns - LOOKED_BACK_NS) // SLOT_NS)

    def under(self, about: Circumstances) -> PiecesOfPast:
        """The same blocks under other circumstances."""
        other = PiecesOfPast(self.past, about, self.frame)
        other._shelf, other._put = self._shelf, self._put
        return other

    def bounds(self) -> Sequence[tuple[int, int]]:
        """(first, last) office of each piece."""
        return self.past.by_blocks.bounds()

    def keep(self, grid: SlotGrid, around: Surroundings, digests: Sequence[Digest]) -> None:
        """Put away what was worked out of the next block."""
        before = self._cut - self.frame.first
        windows = grid.measured.reshape(-1, self.frame.slots)
        hours = digests[0].habits.hours
        since = max(self._cut * SLOT_NS // HOUR_NS - hours.first_hour, 0)
        rehearsed = rehearsed_slots(
            self.about.rehearsals, grid.lines, self.frame.first, self.frame.slots
        )  # hardly ever any
        self._put.append(
            _Put(
                self._shelf.put(around.awaited),
                None if around.over_ns is None else self._shelf.put(around.over_ns),
                self._shelf.put(windows[:, :before].max(axis=1, initial=0)),
                hours.first_hour + since,
                None if hours.ahead is None else hours.ahead[since:],
                tuple(
                    tuple(self._shelf.put(each[:, since:]) for each in _arrays(of.habits)) for of in digests
                ),
                None if rehearsed is None else self._shelf.put(rehearsed),
            )
        )

    def lay_out(self, number: int) -> Piece:
        """One piece as the past left it, without the newest windows."""
        put, get = self._put[number], self._shelf.get
        grid = self.past.by_blocks.grid(number)
        planned = self.about.planned(grid.lines, self.frame)
        cut = self._cut - self.frame.first
        whole = bool(planned[..., :cut].any())  # what the line did in earlier announced days is looked at
        if whole:
            cut = 0
        most = None if whole else get(put.most)
        ahead = None if self._ahead is None else self._ahead[cut:]
        over_ns = None if put.over_ns is None else get(put.over_ns)[:, cut:]
        around = Surroundings({}, get(put.awaited)[:, cut:], planned[..., cut:], over_ns, most, ahead=ahead)
        tracks = tracks_of(laid_in(grid, self.frame, self.frame.first + cut), around)
        if put.rehearsed is not None:
            rehearsed = get(put.rehearsed)[:, cut:]
            tracks = tuple(replace(each, rehearsed=rehearsed) for each in tracks)
        return Piece(tracks, tuple(self._digest(put, tickets) for tickets in put.habits))

    def _digest(self, put: _Put, tickets: tuple[Ticket, ...]) -> Digest:
        failed, had, clock, plain, level, *rest = (self._shelf.get(each) for each in tickets)
        hours = Hourly(put.first_hour, failed, had, put.ahead)
        nothing = np.zeros((len(had), 1), dtype=np.int64)
        margins = tuple(Margin(*rest[at : at + 3]) for at in range(0, len(rest), 3))
        return Digest(
            Sums(nothing, nothing.astype(np.float64), nothing), Habits(hours, clock, plain, level, margins)
        )


def _arrays(of: Habits) -> tuple[NDArray[np.generic], ...]:
    """By the hour all, so that they can be cut at one; those of `level` and the margins' rates begin before the first."""
    margins = (array for each in of.margins for array in (each.failed, each.ten, each.day))
    return of.hours.failed, of.hours.had, of.clock, of.plain, of.level, *margins


def _of_tail(frame: Frame) -> Frame:
    return Frame(max(frame.first, frame.now_ns // SLOT_NS - TAIL_BACK), frame.last, frame.now_ns)


def _empty_tail(past: Past, about: Circumstances, frame: Frame) -> Track:
    """The last day of all lines, of one limit set; works reach to the frame's end."""
    lines, tail = past.shape.lines, _of_tail(frame)
    width = min(frame.now_ns // SLOT_NS + TAIL_AHEAD, frame.last) - tail.first
    shape = (len(lines.sites) * len(lines.paths), width)
    ahead = about.ahead(tail)
    return Track(
        first_slot=tail.first,
        slot_ns=SLOT_NS,
        broke=np.empty(shape, dtype=np.float32),
        measured=np.empty(shape, dtype=np.float32),
        silent_until_ns=np.empty(shape, dtype=np.int64),
        strain=np.empty(shape, dtype=np.float32),
        arrived_ns=np.empty(shape, dtype=np.int64),
        planned=about.planned(lines, tail).reshape(len(lines.sites) * len(lines.paths), -1),
        rehearsed=np.broadcast_to(np.float32(np.nan), shape),
        groups=groups_of(lines, about.offices.config.registry.by_id),
        ahead=None if ahead is None else ahead[:width],
    )


def _share(tails: list[Track]) -> None:
    """The tracks of all limit sets share what does not depend on limits."""
    one = tails[0]
    for at, each in enumerate(tails):
        tails[at] = replace(
            each,
            measured=one.measured,
            silent_until_ns=one.silent_until_ns,
            arrived_ns=one.arrived_ns,
            planned=one.planned,
        )


def _cut(tail: Track, track: Track, lines: slice) -> None:
    """Fill some lines of the tail out of their whole track."""
    first = tail.first_slot - track.first_slot
    here = slice(first, first + tail.broke.shape[1])
    for name in ("broke", "measured", "silent_until_ns", "strain", "arrived_ns"):
        getattr(tail, name)[lines] = getattr(track, name)[:, here]


def _joined(parts: Sequence[Sums]) -> Sums:
    return Sums(
        np.concatenate([part.known_ns for part in parts]),
        np.concatenate([part.broke for part in parts]),
        np.concatenate([part.count for part in parts]),
    )
