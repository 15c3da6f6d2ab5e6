"""A deployment's `Track`: its slot grid under one limit set, with what was announced and what was lost of contact."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from analytics.forecast.seen import closing_ns
from analytics.forecast.track import Track
from analytics.hours import ahead_ns
from analytics.rhythm import slots_due
from telemetry.line_slots import NEVER
from telemetry.windows import HOUR_NS, SLOT_NS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import tzinfo

    from numpy.typing import NDArray

    from analytics.forecast.slots import SlotGrid
    from analytics.lines import Lines
    from config.sites import Site
    from config.works import Work

ANNOUNCED_BEFORE_NS: Final = 24 * HOUR_NS
"""When history is replayed, only what was announced so long beforehand counts as announced: the longest horizon."""
OVER_NS: Final = 24 * HOUR_NS
"""An imported source that has been silent for so long may be over."""
_OVER_SLOTS: Final = OVER_NS // SLOT_NS


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a grid does not say itself.

    Attributes:
        groups: (N,) each.
        awaited: (S, T), of `awaited_slots`.
        over_ns: (S, T), of `over_by_ns`; None: no source of an office is ever over.
        planned: (S, P, T).
        most: (N,) of a grid that was cut: the most windows that the line had in a slot before.
        due: (S, T) of `due_slots`; None: all are.
        ahead: (T,) of `clock_ahead`.
    """

    groups: Mapping[str, NDArray[np.int32]]
    awaited: NDArray[np.bool_]
    planned: NDArray[np.bool_]
    over_ns: NDArray[np.int64] | None = None
    most: NDArray[np.uint8] | None = None
    due: NDArray[np.bool_] | None = None
    ahead: NDArray[np.int64] | None = None


def track_of(grid: SlotGrid, limit_set: int, around: Surroundings) -> Track:
    """The track of one limit set; see `tracks_of`."""
    return tracks_of(grid, around, (limit_set,))[0]


def tracks_of(
    grid: SlotGrid, around: Surroundings, limit_sets: Sequence[int] | None = None
) -> tuple[Track, ...]:
    """The tracks of all lines, N = S x P in the order site, path, one for each limit set; all but what broke they share.

    `measured` is relative to the most windows that the line had in a slot until then: an imported history may have one.
    A slot is known a minute after its end, as the store makes its roll-up; one that was mended later only when the last
    of its windows had come. A replay has what was there before put in its place beforehand (`reports.past.as_closed`).
    """
    sites, paths, slots = grid.measured.shape
    lines = sites * paths
    windows = grid.measured.reshape(lines, slots)
    closes_ns = _closed_ns(grid)
    arrived_ns = np.maximum(grid.received_ns, closes_ns).reshape(lines, slots)
    most = _most_until(windows, arrived_ns, closes_ns)
    if around.most is not None:
        most = np.maximum(most, around.most[:, None])
    measured = np.divide(windows, most, dtype=np.float32)
    silent_until_ns = np.repeat(_silent_until_ns(grid, around), paths, axis=0)
    due = None if around.due is None else np.repeat(around.due, paths, axis=0)
    return tuple(
        Track(
            first_slot=grid.first_slot,
            slot_ns=SLOT_NS,
            broke=_share(grid.broken[index].reshape(lines, slots), windows),
            measured=measured,
            silent_until_ns=silent_until_ns,
            strain=grid.strain[index].reshape(lines, slots),
            arrived_ns=arrived_ns,
            planned=around.planned.reshape(lines, slots),
            rehearsed=np.broadcast_to(np.float32(np.nan), (lines, slots)),
            groups=around.groups,
            windows=windows,
            due=due,
            ahead=around.ahead,
        )
        for index in (range(len(grid.broken)) if limit_sets is None else limit_sets)
    )


def _silent_until_ns(grid: SlotGrid, around: Surroundings) -> NDArray[np.int64]:
    """(S, T): until then nothing of an office was there that was awaited; a line that comes after another of its office was not silent but late."""
    first_ns = np.where(grid.measured > 0, grid.received_ns, NEVER).min(axis=1)
    if around.over_ns is not None:
        first_ns = np.minimum(first_ns, around.over_ns)
    return np.where(around.awaited, first_ns, 0)


def _most_until(
    windows: NDArray[np.uint8], arrived_ns: NDArray[np.int64], closes_ns: NDArray[np.int64]
) -> NDArray[np.uint8]:
    """(N, T): the most windows of any slot of the line, up to each slot, that had arrived by the time at which this one did; 1 at least."""
    late = arrived_ns > closes_ns
    most = np.maximum(np.maximum.accumulate(np.where(late, 0, windows), axis=1), 1)
    more = late & (windows > most)
    lines = np.flatnonzero(more.any(axis=1))
    for count in np.unique(windows[more]):  # 20 at most
        first_ns = np.where(more[lines] & (windows[lines] == count), arrived_ns[lines], NEVER)
        had = np.minimum.accumulate(first_ns, axis=1) <= arrived_ns[lines]
        most[lines] = np.where(had, np.maximum(most[lines], count), most[lines])
    return most


def _share(broken: NDArray[np.uint8], windows: NDArray[np.uint8]) -> NDArray[np.float32]:
    """NaN where nothing was measured."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.divide(broken, windows, dtype=np.float32)


def hearing_slots(grid: SlotGrid) -> NDArray[np.bool_]:
    """(T,): anybody was heard in time."""
    return np.asarray(_in_time(grid).any(axis=0))


def awaited_slots(
    grid: SlotGrid,
    lost: NDArray[np.bool_],
    hearing: NDArray[np.bool_] | None = None,
    imported: NDArray[np.bool_] | None = None,
    rows: NDArray[np.bool_] | None = None,
) -> NDArray[np.bool_]:
    """(S, T): were nothing of an office there it would be dark: it had been heard before, and either its contact was lost or others were heard.

    Args:
        grid: what is there, whenever it came.
        lost: (S, T) contact was lost.
        hearing: (T,) of `hearing_slots`, for a grid that has not all offices.
        imported: (S, T) an imported source covers the slot, or may; none where nothing was imported.
        rows: (S, P, T) which cells are imported; None: all of the slots that a source covers.
    """
    hearing = hearing_slots(grid) if hearing is None else hearing
    heard = _heard_before(grid, grid.measured > 0)
    if imported is None:
        return np.asarray(heard & (lost | hearing))
    return np.asarray(heard & (lost | (hearing & expected_slots(grid, imported, rows))))


def covered_slots(grid: SlotGrid, rows: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(S, T): an imported source may go on: a row of it that came in time lies at most `OVER_NS` before. Nothing that comes later tells of it.

    Args:
        grid: what is there, whenever it came.
        rows: (S, P, T) which cells are imported.
    """
    slot = np.arange(rows.shape[-1])
    last = np.maximum.accumulate(np.where(_in_time(grid, rows), slot, -len(slot) - _OVER_SLOTS), axis=1)
    return np.asarray(slot - last <= _OVER_SLOTS)


def expected_slots(
    grid: SlotGrid, imported: NDArray[np.bool_], rows: NDArray[np.bool_] | None = None
) -> NDArray[np.bool_]:
    """(S, T): whether an office was to report at that time: a probe of it had been heard before, or an imported source covers it.

    Such a source has an end, after which nobody can tell the office's silence from a file that is over; and a rhythm of its own.
    """
    rows = _rows_of(imported, rows)
    return due_slots(grid, imported, rows) & (imported | _by_probes(grid, rows))


def due_slots(
    grid: SlotGrid, imported: NDArray[np.bool_], rows: NDArray[np.bool_] | None = None
) -> NDArray[np.bool_]:
    """(S, T): a slot without anything is silence, not only the time between two samples of an `imported` source (S, T).

    Its rhythm is told by those of its `rows` (S, P, T) that came in time: what comes late must not be told of beforehand.
    """
    rows = _rows_of(imported, rows)
    sampled = slots_due(_in_time(grid, rows))
    return np.asarray(sampled | ~imported | _by_probes(grid, rows))


def over_by_ns(
    grid: SlotGrid,
    lost: NDArray[np.bool_],
    imported: NDArray[np.bool_],
    rows: NDArray[np.bool_] | None = None,
) -> NDArray[np.int64]:
    """(S, T): when the silence of an imported source has lasted for so long that the source may be over; `NEVER` of what was no such silence.

    While a file has a hole nobody knows whether rows follow, so a hole and an end are told alike: as silence for `OVER_NS`, then not
    at all. A source none of whose rows comes in time is never silent.

    Args:
        grid: what is there, whenever it came.
        lost: (S, T) contact was lost: that is known of itself.
        imported: (S, T) an imported source covers the slot, or may.
        rows: (S, P, T) which cells are imported; None: all of the slots that a source covers.
    """
    rows = _rows_of(imported, rows)
    closes_ns = _closed_ns(grid)
    there = _in_time(grid, rows)
    last_ns = np.maximum.accumulate(np.where(there, closes_ns, 0), axis=1)
    next_ns = np.minimum.accumulate(np.where(there, closes_ns, NEVER)[:, ::-1], axis=1)[:, ::-1]
    over_ns = np.where(last_ns > 0, last_ns + OVER_NS, 0)
    ends = imported & ~lost & ~_by_probes(grid, rows) & (next_ns > over_ns)
    return np.where(ends, over_ns, NEVER)


def _rows_of(imported: NDArray[np.bool_], rows: NDArray[np.bool_] | None) -> NDArray[np.bool_]:
    """(S, P or 1, T): where nobody says which cells are imported, all are in the slots that a source covers."""
    return imported[:, None] if rows is None else rows


def _in_time(grid: SlotGrid, rows: NDArray[np.bool_] | None = None) -> NDArray[np.bool_]:
    """(S, T): something of an office, or of some `rows` (S, P, T) of it, was there by the time at which the slot closed."""
    in_time = (grid.received_ns > 0) & (grid.received_ns <= _closed_ns(grid))
    return np.asarray((in_time if rows is None else in_time & rows).any(axis=1))


def _by_probes(grid: SlotGrid, rows: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(S, T): a probe of the office had been heard before: what is not among the imported `rows`."""
    return _heard_before(grid, (grid.measured > 0) & ~rows)


def _heard_before(grid: SlotGrid, there: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(S, T): something of an office that is `there`, (S, P, T), had come by the time at which the slot closed."""
    first_ns = np.where(there, grid.received_ns, NEVER).min(axis=(1, 2), initial=NEVER)
    return np.asarray(first_ns[:, None] <= _closed_ns(grid))


def _closed_ns(grid: SlotGrid) -> NDArray[np.int64]:
    return closing_ns(grid.first_slot, grid.measured.shape[-1], SLOT_NS)


def clock_ahead(first_slot: int, slots: int, zone: tzinfo) -> NDArray[np.int64] | None:
    """(T,) slots by which the clock of `zone` is ahead of UTC; None where nobody sets it back or forward in that time."""
    starts_ns = (first_slot + np.arange(slots, dtype=np.int64)) * SLOT_NS
    ahead = ahead_ns(starts_ns, zone) // SLOT_NS
    return ahead if (ahead != ahead[:1]).any() else None


def groups_of(lines: Lines, by_id: Mapping[str, Site]) -> dict[str, NDArray[np.int32]]:
    """What lines have in common, (N,) each: provider, region, end; -1 where nobody wrote it down."""
    sites = [by_id.get(site) for site in lines.sites]
    paths = len(lines.paths)
    ends = _numbered(path.partition(".")[2] for path in lines.paths)
    return {
        "provider": np.repeat(_numbered(site.provider if site else "" for site in sites), paths),
        "region": np.repeat(_numbered(site.region if site else "" for site in sites), paths),
        "end": np.tile(ends, len(sites)),
    }


def planned_slots(  # noqa: PLR0913 - what, of whom, of when, as of when
    works: Iterable[Work],
    lines: Lines,
    first_slot: int,
    slots: int,
    *,
    known_ns: int | None,
    longest_ns: int = 0,
) -> NDArray[np.bool_]:
    """(S, P, T): works or a holiday were announced for the slot.

    Args:
        works: what was announced.
        lines: the axes S and P.
        first_slot: of the axis T.
        slots: length of the axis T.
        known_ns: only what had been announced by then counts; None, for replaying history: what had been announced
            `ANNOUNCED_BEFORE_NS` before anything that is asked about could touch it.
        longest_ns: of replayed history, the longest span that is asked about: one that begins so long before works do
            touches them still, and the first to ask about it does so `ANNOUNCED_BEFORE_NS` earlier.
    """
    out = np.zeros((*lines.shape, slots), dtype=bool)
    for work in works:
        by_ns = work.from_ns - ANNOUNCED_BEFORE_NS - longest_ns if known_ns is None else known_ns
        if work.announced_ns > by_ns:
            continue
        first = min(max(work.from_ns // SLOT_NS - first_slot, 0), slots)
        last = min(max(-(-work.until_ns // SLOT_NS) - first_slot, 0), slots)
        rows = np.array(
            [lines.site_index[site] for site in work.sites if site in lines.site_index], dtype=int
        )
        columns = lines.to_end(work.end) if work.end else np.arange(len(lines.paths))
        if len(rows) and len(columns) and last > first:
            out[np.ix_(rows, columns, np.arange(first, last))] = True
    return out


def _numbered(names: Iterable[str]) -> NDArray[np.int32]:
    known: dict[str, int] = {}
    return np.array([known.setdefault(name, len(known)) if name else -1 for name in names], dtype=np.int32)
