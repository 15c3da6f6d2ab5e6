"""A deployment's `Track`: its slot grid under one limit set, with what was announced and what was lost of contact."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from analytics.forecast.imported import expected_slots
from analytics.forecast.in_time import closed_ns, heard_before, in_time
from analytics.forecast.track import Track
from analytics.hours import ahead_ns
from telemetry.line_slots import NEVER
from telemetry.windows import HOUR_NS, SLOT_NS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import tzinfo

    from numpy.typing import NDArray

    from analytics.forecast.imported import Imported
    from analytics.forecast.slots import SlotGrid
    from analytics.lines import Lines
    from config.sites import Site
    from config.works import Work

ANNOUNCED_BEFORE_NS: Final = 24 * HOUR_NS
"""When history is replayed, only what was announced so long beforehand counts as announced: the longest horizon."""


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
    closes_ns = closed_ns(grid)
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
    return np.asarray(in_time(grid).any(axis=0))


def awaited_slots(
    grid: SlotGrid,
    lost: NDArray[np.bool_],
    hearing: NDArray[np.bool_] | None = None,
    imported: Imported | None = None,
) -> NDArray[np.bool_]:
    """(S, T): were nothing of an office there it would be dark: it had been heard before, and either its contact was lost or others were heard.

    Args:
        grid: what is there, whenever it came.
        lost: (S, T) contact was lost.
        hearing: (T,) of `hearing_slots`, for a grid that has not all offices.
        imported: where nothing was imported, None.
    """
    hearing = hearing_slots(grid) if hearing is None else hearing
    heard = heard_before(grid, grid.measured > 0)
    if imported is None:
        return np.asarray(heard & (lost | hearing))
    return np.asarray(heard & (lost | (hearing & expected_slots(grid, imported))))


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


def planned_slots(
    works: Iterable[Work], lines: Lines, first_slot: int, slots: int, *, known_ns: int | None
) -> NDArray[np.bool_]:
    """(S, P, T): works or a holiday were announced for the slot.

    Args:
        works: what was announced.
        lines: the axes S and P.
        first_slot: of the axis T.
        slots: length of the axis T.
        known_ns: only what had been announced by then counts; None, for replaying history: what had been announced
            `ANNOUNCED_BEFORE_NS` before it began.
    """
    out = np.zeros((*lines.shape, slots), dtype=bool)
    for work in works:
        by_ns = work.from_ns - ANNOUNCED_BEFORE_NS if known_ns is None else known_ns
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
