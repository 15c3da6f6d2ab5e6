"""Outcomes of meetings that are over: interim as soon as they end, final 24 h later with all that came late.

An interim one says *failed* only where nothing that is still missing can turn it, on whichever of an office's lines, and *held* only where
nothing can on one of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from analytics.causes import Cause
from analytics.floor import with_floor
from analytics.judge import POOL_WINDOWS, Judgement, judge
from analytics.least_broken import least_broken
from analytics.limits import limit_sets
from analytics.most_broken import most_broken
from analytics.outcome import FINAL_AFTER_NS, holds_anyhow, may_hold, settle
from analytics.own_trouble import TROUBLE_COLUMNS, without_own_trouble
from config.sites import SiteStatus
from reports.past.floors import floors_at
from tatpar.watching.better_lines import may_hold_yet
from tatpar.watching.lost_contact import lost_in
from tatpar.watching.meeting_windows import meeting_windows
from telemetry.attendance import attendance
from telemetry.decisions import Outcome, OutcomeState
from telemetry.store.columns import WINDOW_VALUE_COLUMNS
from telemetry.windows import DAY_NS, SECOND_NS, WINDOW_NS, window_start

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from analytics.lines import Lines
    from analytics.losses import Values
    from config.config import Config
    from config.meetings import Occurrence
    from telemetry.state.db import StateDb
    from telemetry.store.protocol import StoreReader

LOOK_BACK_NS: Final = 8 * DAY_NS
"""Occurrences that ended within so long are settled, also when the watch was not there."""
FIRST_AFTER_NS: Final = 60 * SECOND_NS
AGAIN_NS: Final = 1800 * SECOND_NS
"""An interim outcome is looked at again so often: late data may have come."""
OCCURRENCES_PER_ROUND: Final = 4


@dataclass(slots=True)
class Settler:
    """Settles a few occurrences a round. Works on its own thread: it reads the store."""

    reader: StoreReader
    state: StateDb
    settled: int = 0
    _next_ns: dict[tuple[str, int], int] = field(default_factory=dict)
    _final: set[tuple[str, int]] | None = None

    def round(self, config: Config, now_ns: int) -> int:
        """Settle what is due, oldest first; returns how many occurrences were."""
        ended = [
            each
            for each in config.calendar.occurrences(now_ns - LOOK_BACK_NS, now_ns)
            if each.ends_ns + FIRST_AFTER_NS <= now_ns
        ]
        if self._final is None:
            self._final = self._known_final(now_ns)
        due = [each for each in ended if self._is_due(each, now_ns)][:OCCURRENCES_PER_ROUND]
        for occurrence in due:
            self._settle(config, occurrence, now_ns)
        keys = {_identity(each) for each in ended}
        self._final &= keys
        self._next_ns = {key: at for key, at in self._next_ns.items() if key in keys}
        return len(due)

    def _known_final(self, now_ns: int) -> set[tuple[str, int]]:
        known: dict[tuple[str, int], bool] = {}
        for each in self.state.outcomes(now_ns - LOOK_BACK_NS - DAY_NS, now_ns):
            key = (each.meeting, each.occurrence_ns)
            known[key] = known.get(key, True) and each.final
        return {key for key, final in known.items() if final}

    def _is_due(self, occurrence: Occurrence, now_ns: int) -> bool:
        key = _identity(occurrence)
        if self._final is not None and key in self._final:
            return False
        return now_ns >= self._next_ns.get(key, 0)

    def _settle(self, config: Config, occurrence: Occurrence, now_ns: int) -> None:
        final = now_ns >= occurrence.ends_ns + FINAL_AFTER_NS
        outcomes = settle_occurrence(self.reader, self.state, config, occurrence, now_ns)
        if outcomes:
            self.state.put_outcomes(outcomes)
        if final and self._final is not None:
            self._final.add(_identity(occurrence))
        self._next_ns[_identity(occurrence)] = min(now_ns + AGAIN_NS, occurrence.ends_ns + FINAL_AFTER_NS)
        self.settled += 1


def _identity(occurrence: Occurrence) -> tuple[str, int]:
    return occurrence.meeting.uid, occurrence.recurrence_ns


def settle_occurrence(
    reader: StoreReader, state: StateDb, config: Config, occurrence: Occurrence, now_ns: int
) -> list[Outcome]:
    """Outcomes of the offices that were in it, as far as the store knows now: those that were linked when it was first settled."""
    meeting, sites = occurrence.meeting, _attendance(state, config, occurrence)
    if not sites or meeting.profile not in config.profiles:
        return []
    starts = np.arange(window_start(occurrence.starts_ns), occurrence.ends_ns, WINDOW_NS, dtype=np.int64)
    lines, reported = meeting_windows(reader, sites, starts)
    judged = _judged(reader, lines, reported, config, occurrence)
    measured, broke, lost = _best_line(judged)
    contact_lost = lost_in(state, sites, starts)
    final = now_ns >= occurrence.ends_ns + FINAL_AFTER_NS
    excused = _excused(config, meeting.end, sites, starts) | judged.explained.any(axis=1)
    settled = settle(measured, broke, contact_lost, excused, final=final, lost=lost)
    states = settled.state
    if not final and OutcomeState.HELD in states:
        holds = holds_anyhow(judged.most, settled.windows)
        states = _not_yet(OutcomeState.HELD, states, np.asarray(~holds.any(axis=1)))
    if not final and OutcomeState.FAILED in states:
        open_lines = may_hold(judged.least, settled.windows)
        may_hold_it = may_hold_yet(reader, lines, meeting.end, open_lines, int(starts[0]))
        states = _not_yet(OutcomeState.FAILED, states, may_hold_it)
    return [
        Outcome(
            site=site,
            meeting=meeting.uid,
            occurrence_ns=occurrence.recurrence_ns,
            state=states[row],
            windows=settled.windows,
            broken=int(settled.broken[row]),
            missing=int(settled.missing[row]),
            settled_ns=now_ns,
            final=final,
            lost=int(settled.lost[row]),
            unheard=int(settled.unheard[row]),
        )
        for row, site in enumerate(sites)
    ]


def _not_yet(
    state: OutcomeState, states: Sequence[OutcomeState], may_turn: NDArray[np.bool_]
) -> tuple[OutcomeState, ...]:
    """The states of S offices, but that one is not said where it may turn, (S,)."""
    return tuple(
        OutcomeState.UNSETTLED if each is state and may_turn[row] else each for row, each in enumerate(states)
    )


def _attendance(state: StateDb, config: Config, occurrence: Occurrence) -> tuple[str, ...]:
    """Ids; whoever was linked, or taken out of the list, since its outcomes were first on record changes nothing of it."""
    by_id, one = config.registry.by_id, _identity(occurrence)
    linked = (s for s in occurrence.meeting.invited if s in by_id and by_id[s].status is SiteStatus.LINKED)
    span = occurrence.starts_ns, occurrence.starts_ns + 1
    outcomes = {each.site for each in state.outcomes(*span) if (each.meeting, each.occurrence_ns) == one}
    verdicts = (each.verdict for each in state.forecasts(*span))
    forecasts = {each.site for each in verdicts if (each.meeting, each.occurrence_ns) == one}
    return tuple(attendance(linked, outcomes, forecasts))


@dataclass(frozen=True, slots=True)
class _Judged:
    """The windows of S offices on the K paths to the meeting's end, (S, K, W) each.

    Attributes:
        counts: measured, and not explained.
        broke: past a limit of the meeting's profile.
        explained: those that only the probe's own trouble breaks.
        lost: those that lost every packet.
        least: how many of each line break whatever comes of those that are missing, (S, K).
        most: how many of each line are missing, or may break when those come, (S, K).
    """

    counts: NDArray[np.bool_]
    broke: NDArray[np.bool_]
    explained: NDArray[np.bool_]
    lost: NDArray[np.bool_]
    least: NDArray[np.int64]
    most: NDArray[np.int64]


def _judged(
    reader: StoreReader,
    lines: Lines,
    reported: Mapping[str, NDArray[np.float32]],
    config: Config,
    occurrence: Occurrence,
) -> _Judged:
    """`reported`: what `meeting_windows` read of all paths, (S, P, W) each."""
    paths = lines.to_end(occurrence.meeting.end)
    sets = limit_sets(config.profiles)
    limits = sets.limits[sets.of_profile[occurrence.meeting.profile]]
    floor_ms = floors_at(reader, lines, (limits,), occurrence.starts_ns)
    values = {name: reported[name][:, paths] for name in WINDOW_VALUE_COLUMNS}
    trouble = {name: reported[name][:, paths] for name in TROUBLE_COLUMNS if name in reported}
    trouble = dict.fromkeys(TROUBLE_COLUMNS, np.zeros_like(values["sent"])) | trouble

    def known(what: Values) -> Values:
        return what if floor_ms is None else with_floor(what, floor_ms[:, paths])

    def judged(what: Values) -> Judgement:
        return judge(known(what), limits, pool_windows=POOL_WINDOWS)

    cleared = without_own_trouble(values, trouble)
    found = judged(cleared)
    explained = judged(values).breaks & ~found.breaks
    all_cleared = without_own_trouble(values, trouble, room=values["sent"].shape[-1])
    return _Judged(
        counts=found.present & ~explained,
        broke=found.breaks,
        explained=explained,
        lost=found.causes == Cause.OUTAGE,
        least=least_broken(known(values), known(all_cleared), limits),
        most=most_broken(known(values), known(all_cleared), limits),
    )


def _excused(config: Config, end: str, sites: Sequence[str], starts: NDArray[np.int64]) -> NDArray[np.bool_]:
    """(S, W): works or a holiday that were announced before they began explain what is missing."""
    out = np.zeros((len(sites), len(starts)), dtype=bool)
    for work in config.works:
        if work.end in ("", end):
            during = (starts < work.until_ns) & (starts + WINDOW_NS > work.from_ns)
            out[np.isin(sites, work.sites)] |= during
    return out


def _best_line(judged: _Judged) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]]:
    """The line of each office that served it best: (S, W) measured, (S, W) broke, (S, W) lost every packet."""
    offices, paths, windows = judged.counts.shape
    if not paths:
        nothing = np.zeros((offices, windows), dtype=bool)
        return nothing, nothing, nothing
    cost = (judged.broke | ~judged.counts).sum(axis=-1)
    rows, best = np.arange(offices), cost.argmin(axis=-1)
    return judged.counts[rows, best], judged.broke[rows, best], judged.lost[rows, best]
