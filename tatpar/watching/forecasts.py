"""Forecasts for keeps: which are due, each once; and what happens when the calendar changes under them.

A forecast is issued at the first look at or after its horizon. When the watch was down at that time it is
issued late, stamped with the true time, as long as that is within `LATE` of the horizon: later it would be
another, easier forecast, so it is left out and counted as missed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from analytics.readiness import expect
from analytics.verdicts import verdicts
from telemetry.decisions import Forecast, Horizon
from telemetry.windows import HOUR_NS, SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from analytics.ground import Ground
    from config.meetings import Occurrence
    from telemetry.decisions import Verdict
    from telemetry.state.db import StateDb

_MINUTE_NS: Final = 60 * SECOND_NS
LEAD: Final = {
    Horizon.T24H: 24 * HOUR_NS,
    Horizon.T2H: 2 * HOUR_NS,
    Horizon.T30M: 30 * _MINUTE_NS,
    Horizon.T10M: 10 * _MINUTE_NS,
}
LATE: Final = {
    Horizon.T24H: 60 * _MINUTE_NS,
    Horizon.T2H: 10 * _MINUTE_NS,
    Horizon.T30M: 3 * _MINUTE_NS,
    Horizon.T10M: 2 * _MINUTE_NS,
}
_LONGEST_AHEAD_NS: Final = max(LEAD.values()) + HOUR_NS

Identity = tuple[str, int]
"""UID and RECURRENCE-ID."""
Due = tuple[str, int, int, Horizon]
"""An occurrence at its time, and a horizon."""


@dataclass(slots=True)
class ForecastBook:
    """Remembers which forecasts are done with."""

    _done: set[Due] = field(default_factory=set)
    issued: int = 0
    missed: int = 0

    def recall(self, state: StateDb, now_ns: int) -> None:
        """What an earlier run has issued."""
        for each in state.forecasts(now_ns, now_ns + _LONGEST_AHEAD_NS):
            verdict = each.verdict
            self._done.add((verdict.meeting, verdict.occurrence_ns, verdict.starts_ns, each.horizon))

    def due(self, occurrences: Iterable[Occurrence], now_ns: int) -> list[tuple[Occurrence, Horizon]]:
        """The forecasts to issue now; those that are too late are counted as missed, once."""
        found = []
        for occurrence in occurrences:
            for horizon, lead_ns in LEAD.items():
                key = _key(occurrence, horizon)
                late_ns = now_ns - (occurrence.starts_ns - lead_ns)
                if late_ns < 0 or key in self._done or occurrence.starts_ns <= now_ns:
                    continue
                if late_ns <= LATE[horizon]:
                    found.append((occurrence, horizon))
                else:
                    self._done.add(key)
                    self.missed += 1
        return found

    def issue_due(self, state: StateDb, ground: Ground, occurrences: Iterable[Occurrence]) -> int:
        """Issue what is due, of the linked offices that are invited; how many forecasts were."""
        place, before = ground.lines.site_index, self.issued
        for occurrence, horizon in self.due(occurrences, ground.now_ns):
            rows = [place[s] for s in occurrence.meeting.invited if s in place and ground.linked[place[s]]]
            self.issue(
                state, occurrence, horizon, verdicts(ground, occurrence, expect(ground, occurrence), rows)
            )
        return self.issued - before

    def issue(
        self, state: StateDb, occurrence: Occurrence, horizon: Horizon, said: Sequence[Verdict]
    ) -> None:
        """Put the verdicts of an occurrence on record as its forecasts."""
        forecasts = [Forecast(horizon=horizon, verdict=verdict) for verdict in said]
        self.issued += state.issue_forecasts(forecasts)
        self._done.add(_key(occurrence, horizon))

    def forget(self, now_ns: int) -> None:
        """Let go of what has begun."""
        self._done = {key for key in self._done if key[2] > now_ns}


def _key(occurrence: Occurrence, horizon: Horizon) -> Due:
    return occurrence.meeting.uid, occurrence.recurrence_ns, occurrence.starts_ns, horizon


def void_changed(state: StateDb, occurrences: Iterable[Occurrence], now_ns: int, until_ns: int) -> int:
    """Void what was said of occurrences that are no longer there, begin at another time, or lost an invitation.

    Looks at verdicts and forecasts of `(now, until)`; `occurrences` are those that the calendar has there now.
    Returns how many occurrences were touched.
    """
    there: dict[Identity, Occurrence] = {(o.meeting.uid, o.recurrence_ns): o for o in occurrences}
    said = [*state.verdicts(now_ns, until_ns), *(f.verdict for f in state.forecasts(now_ns, until_ns))]
    whole: set[Identity] = set()
    sites: dict[Identity, set[str]] = {}
    for verdict in said:
        key = (verdict.meeting, verdict.occurrence_ns)
        now = there.get(key)
        if now is None or now.starts_ns != verdict.starts_ns or now.ends_ns != verdict.ends_ns:
            whole.add(key)
        elif verdict.site not in now.meeting.invited:
            sites.setdefault(key, set()).add(verdict.site)
    for key in whole:
        state.void(*key, now_ns)
    for key, gone in sites.items():
        if key not in whole:
            state.void(*key, now_ns, sorted(gone))
    return len(whole | set(sites))
