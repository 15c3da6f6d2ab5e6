"""Which rooms' devices and platform edges answer, of the offices whose meeting is near.

Read out of the reports every `LOOK_NS`, and only when there is a meeting so near that it matters: rooms are switched on shortly before.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from analytics.reach import Replies, reached
from telemetry.messages import Reach, ReachOutcome
from telemetry.store.protocol import Selection
from telemetry.windows import SECOND_NS, WINDOW_NS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from analytics.reach import Reached
    from config.meetings import Occurrence
    from tatpar.watching.offices import Offices
    from telemetry.store.protocol import StoredItem, StoreReader

LOOK_NS: Final = 5 * SECOND_NS
ROUNDS: Final = 3
"""Answers of so many rounds of asking are looked at."""
LEAST_FRESH_NS: Final = 180 * SECOND_NS
TARGETS: Final = ("room", "edge")
_SAY_NOTHING: Final = {
    ("room", ReachOutcome.OWN_TROUBLE),
    ("edge", ReachOutcome.OWN_TROUBLE),
    ("room", ReachOutcome.NAME_UNKNOWN),  # somebody wrote it wrong: nobody at the office can switch it on
}

Question = tuple[str, str, str, str, str]
"""Site, probe, target, method, address."""


@dataclass(slots=True)
class _Run:
    """One question: how often in a row there was no answer, and since when."""

    failures: int = 0
    since_ns: int = 0

    def take(self, at_ns: int, *, answered: bool) -> None:
        if answered:
            self.failures = self.since_ns = 0
        else:
            self.failures += 1
            self.since_ns = self.since_ns or at_ns


class Reachability:
    """What the newest answers say, of one configuration's offices."""

    def __init__(self, offices: Offices) -> None:
        settings = offices.config.settings.reach
        self._place = {site: row for row, site in enumerate(offices.sites)}
        self._lead_ns = round(settings.lead_min * 60 * SECOND_NS)
        self._fresh_ns = max(round(ROUNDS * settings.every_s * SECOND_NS) + 4 * WINDOW_NS, LEAST_FRESH_NS)
        self._next_ns = 0
        self._since: dict[tuple[str, int], int] = {}
        self.reached: Reached | None = None
        """None while no meeting is near enough, or nobody asks."""

    def look(self, reader: StoreReader, occurrences: Iterable[Occurrence], now_ns: int) -> None:
        """Bring it up to date, when it is time to.

        Raises:
            StoreError: the store cannot be read now.
        """
        if 0 <= self._next_ns - now_ns <= LOOK_NS:
            return
        self._next_ns = now_ns + LOOK_NS
        near = sorted(
            {
                site
                for each in occurrences
                if each.starts_ns - now_ns <= self._lead_ns and each.ends_ns > now_ns
                for site in each.meeting.invited
                if site in self._place
            }
        )
        items = []
        if near:
            span = Selection(now_ns - self._fresh_ns, now_ns, sites=tuple(near))
            items = reader.items("reach", span)
        self.reached = self._judged(runs_of(items)) if items else None
        if not items:
            self._since.clear()

    def _judged(self, runs: dict[Question, _Run]) -> Reached:
        room, edge = (self._replies(runs, target) for target in TARGETS)
        found = reached(room, edge, len(self._place), self._lead_ns)
        for target, off_ns in zip(TARGETS, (found.room_off_ns, found.edge_off_ns), strict=True):
            self._remember(target, off_ns)
        return found

    def _replies(self, runs: dict[Question, _Run], target: str) -> Replies:
        mine = [(self._place[key[0]], run) for key, run in runs.items() if key[2] == target]
        columns = [(row, run.failures, run.since_ns) for row, run in mine]
        table = np.array(columns, dtype=np.int64).reshape(len(columns), 3)
        return Replies(*table.T)

    def _remember(self, target: str, off_ns: NDArray[np.int64]) -> None:
        """Put in place of each time the one at which it was first noticed: only the newest answers are read."""
        away = {int(row) for row in np.flatnonzero(off_ns)}
        for key in [key for key in self._since if key[0] == target and key[1] not in away]:
            del self._since[key]
        for row in away:
            off_ns[row] = self._since.setdefault((target, row), int(off_ns[row]))


def runs_of(items: Sequence[StoredItem]) -> dict[Question, _Run]:
    """By question, its newest answers; `items` by site and start. What a probe could not ask says nothing, nor does a device's unknown name."""
    runs: dict[Question, _Run] = {}
    for each in items:
        item = each.item
        if isinstance(item, Reach) and (item.target, item.outcome) not in _SAY_NOTHING:
            key = (each.site, each.probe, item.target, item.method, item.address or "")
            runs.setdefault(key, _Run()).take(each.start_ns, answered=item.answered)
    return runs
