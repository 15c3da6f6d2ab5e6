"""The forecast at work in the watch: tracks made of each past that is loaded, brought up to the newest windows at each look."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from analytics.condition import SUSPECT
from analytics.forecast.deployment import Surroundings, awaited_slots, groups_of, tracks_of
from analytics.forecast.features import digests_until
from analytics.forecast.foresight import Foresight
from analytics.forecast.imported import over_by_ns
from analytics.forecast.laid_over import LaidOver
from analytics.forecast.newest import Now, asked_ns, put_newest
from tatpar.watching.imported_spans import imported_slots
from tatpar.watching.piecewise import Circumstances, Frame, in_pieces, laid_in, lost_slots, with_works
from tatpar.watching.rehearsed import RECALLED, rehearsed_slots
from telemetry.store.rollup import CLOSED_AFTER_NS
from telemetry.windows import DAY_NS, HOUR_NS, SLOT_NS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from analytics.condition import Condition
    from analytics.forecast.features import Digest
    from analytics.forecast.model import Model
    from analytics.forecast.pieces import InPieces
    from analytics.forecast.track import Track
    from analytics.recent import Recent
    from tatpar.watching.offices import Offices
    from tatpar.watching.past import Past
    from telemetry.rehearsing import RehearsalRecord
    from telemetry.state.db import StateDb

AHEAD_NS: Final = 2 * DAY_NS
"""Tracks reach so far beyond the last meeting that is forecast: announced works are read ahead."""
LEAST_BACK_NS: Final = HOUR_NS


@dataclass(frozen=True, slots=True)
class ModelInForce:
    """A model and what verdicts call it."""

    model: Model
    name: str


@dataclass(frozen=True, slots=True)
class Seen:
    """The newest windows, what the filter says of them, and (S,) who is dark."""

    recent: Recent
    condition: Condition
    dark: NDArray[np.bool_]
    with_late: Recent | None = None
    """The same with the windows that came late; None: none did."""
    lost: NDArray[np.bool_] | None = None
    """(S, W): contact is known to have been lost; None: of nobody."""

    @property
    def listened(self) -> NDArray[np.bool_]:
        """(S, W): what is missing was missed: others were heard at that time, or contact with the office was lost."""
        present = self.recent.present.any(axis=1)
        hearing = np.broadcast_to(present.any(axis=0), present.shape)
        return hearing if self.lost is None else hearing | self.lost


@dataclass(frozen=True, slots=True)
class Prepared:
    """Tracks of a past, by limit set: whole, or of a fleet in pieces their last day; `digests` of whole ones."""

    past: Past
    offices: Offices
    tracks: tuple[Track, ...]
    digests: tuple[Digest, ...]
    covered: int
    """The first slot that the past did not have."""
    in_pieces: InPieces | None = None
    """A fleet that is larger than a block."""
    laid_over: LaidOver = field(default_factory=LaidOver)
    """What the newest windows were laid over in the tracks."""


def prepare_tracks(
    past: Past, offices: Offices, state: StateDb, now_ns: int, *, until_ns: int = 0
) -> Prepared:
    """The tracks of a past, reaching as far ahead as meetings are forecast, and to `until_ns`.

    The slow part: some tenths of a second for a hundred offices and eight weeks.
    """
    days = offices.config.settings.watch.forecast_days
    last = (max(now_ns + round(days * DAY_NS), until_ns) + AHEAD_NS) // SLOT_NS
    slots = past.by_blocks
    frame = Frame(min(slots.first_slot, (now_ns - LEAST_BACK_NS) // SLOT_NS), last, now_ns)
    about = _circumstances(offices, state.rehearsals(RECALLED), now_ns)
    covered = (past.until_ns - CLOSED_AFTER_NS) // SLOT_NS
    if not slots.is_whole:
        fleet = in_pieces(past, about, state, frame)
        return Prepared(past, offices, fleet.tails, (), covered, fleet)
    grid, lines = laid_in(slots.grid(0), frame), slots.lines
    lost = lost_slots(state, lines, frame)
    imported = imported_slots(state, lines.sites, frame.first, frame.slots)
    around = Surroundings(
        groups_of(lines, offices.config.registry.by_id),
        awaited_slots(grid, lost, imported=imported),
        about.planned(lines, frame),
        None if imported is None else over_by_ns(grid, lost, imported),
        ahead=about.ahead(frame),
    )
    tracks = tracks_of(grid, around)
    rehearsed = rehearsed_slots(about.rehearsals, lines, frame.first, frame.slots)
    if rehearsed is not None:
        tracks = tuple(replace(each, rehearsed=rehearsed) for each in tracks)
    return Prepared(past, offices, tracks, digests_until(tracks, now_ns), covered)


def with_works_of(prepared: Prepared, offices: Offices, now_ns: int) -> Prepared:
    """The same with the works that another configuration of the same lines announces."""
    if prepared.in_pieces is not None:
        fleet = with_works(prepared.in_pieces, _circumstances(offices, (), now_ns))
        return replace(prepared, offices=offices, tracks=fleet.tails, in_pieces=fleet)
    track = prepared.tracks[0]
    frame = Frame(track.first_slot, track.first_slot + track.broke.shape[1], now_ns)
    planned = _circumstances(offices, (), now_ns).planned(prepared.past.shape.lines, frame)
    flat = planned.reshape(track.planned.shape)
    return replace(
        prepared, offices=offices, tracks=tuple(replace(each, planned=flat) for each in prepared.tracks)
    )


def _circumstances(offices: Offices, rehearsals: Iterable[RehearsalRecord], now_ns: int) -> Circumstances:
    return Circumstances(offices, tuple(offices.config.works), now_ns, tuple(rehearsals))


class Outlook:
    """Asks the model of now, and anew only when something changed that it stands on; what it said meanwhile is kept.

    It stands on the past with what is announced, the model, the slot that runs, who is dark, and the newest windows as far
    as they change a bit of the tracks. So its answers are those of asking each time.
    """

    def __init__(self) -> None:
        self._last: tuple[Seen, Foresight] | None = None

    def foresee(self, prepared: Prepared, in_force: ModelInForce, seen: Seen, now_ns: int) -> Foresight:
        """What the model is asked of now, after the newest windows were written into the tracks."""
        made = Foresight(
            *(in_force.model, in_force.name, prepared.tracks, prepared.digests, asked_ns(now_ns)),
            in_pieces=prepared.in_pieces,
        )
        last = self._last
        stands = last is not None and _stands_on_the_same(made, last[1])
        back = None if last is None else last[1].just_back
        if not (stands and last is not None and _saw_the_same(seen, last[0])):
            limits = prepared.past.shape.sets.limits
            sound = seen.condition.suspicion < SUSPECT
            present = Now(now_ns, seen.dark, sound, prepared.covered, seen.listened)
            windows = seen.with_late or seen.recent
            laid = put_newest(prepared.tracks, windows, limits, present, prepared.laid_over)
            stands, back = stands and not laid.changed, laid.just_back
        foresight = last[1] if stands and last is not None else made
        if not _equal(foresight.just_back, back):
            foresight = replace(foresight, just_back=back)
        self._last = seen, foresight
        return foresight


def _stands_on_the_same(one: Foresight, other: Foresight) -> bool:
    same_past = one.tracks is other.tracks and one.digests is other.digests
    same_model = one.model is other.model and one.name == other.name
    return same_past and same_model and one.now_ns == other.now_ns


def _saw_the_same(one: Seen, other: Seen) -> bool:
    same_windows = one.recent is other.recent and one.condition is other.condition
    return same_windows and _equal(one.lost, other.lost) and np.array_equal(one.dark, other.dark)


def _equal(one: NDArray[np.bool_] | None, other: NDArray[np.bool_] | None) -> bool:
    return one is other or (one is not None and other is not None and np.array_equal(one, other))
