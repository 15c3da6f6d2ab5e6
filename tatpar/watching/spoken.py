"""Which verdicts are news: what was last written of every occurrence, as arrays, and what differs from it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from analytics.condition import SUSPECT
from analytics.flapping import COMES_AND_GOES
from analytics.ground import Standing, Terms
from analytics.newcomers import YOUNG_NS
from analytics.works import touches
from telemetry.windows import HOUR_NS, SECOND_NS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analytics.ground import Expectation, Ground
    from config.meetings import Occurrence

NEWS: Final = 0.01
"""A change of probability that is worth a line in the database."""
REFRESH_NS: Final = 30 * SECOND_NS
"""The figures of an office that is not ready are brought up to date so often."""

Key = tuple[str, int, int]


@dataclass(slots=True)
class _Said:
    probability: NDArray[np.float64]
    standing: NDArray[np.int8]
    path: NDArray[np.int64]
    best: NDArray[np.int64]
    cause: NDArray[np.int8]
    """(S, K), of `_cause`."""
    young: NDArray[np.bool_]
    """Of whom it was said that they have been known for less than a day."""
    refreshed_ns: int


@dataclass(slots=True)
class Spoken:
    """What has been said, by occurrence (UID, RECURRENCE-ID, start)."""

    _said: dict[Key, _Said] = field(default_factory=dict)

    def news(self, ground: Ground, occurrence: Occurrence, expectation: Expectation) -> NDArray[np.int64]:
        """Indices of the invited sites whose verdict is to be written; they then count as said."""
        place = ground.lines.site_index
        invited = np.array([place[s] for s in occurrence.meeting.invited if s in place], dtype=np.int64)
        key = (occurrence.meeting.uid, occurrence.recurrence_ns, occurrence.starts_ns)
        cause, young = _cause(ground, occurrence, expectation), _young(ground, expectation)
        said = self._said.get(key)
        if said is None or len(said.standing) != len(expectation.standing):
            self._said[key] = _Said(
                expectation.probability.copy(),
                expectation.standing.copy(),
                expectation.path.copy(),
                expectation.best.copy(),
                cause,
                young,
                ground.now_ns,
            )
            return invited
        changed = _differs(said, expectation, cause, young)
        if ground.now_ns - said.refreshed_ns >= REFRESH_NS:
            changed |= np.isin(expectation.standing, (Standing.NOT_READY, Standing.AT_RISK))
            said.refreshed_ns = ground.now_ns
        rows: NDArray[np.int64] = invited[changed[invited]]
        for name in ("probability", "standing", "path", "best"):
            getattr(said, name)[rows] = getattr(expectation, name)[rows]
        said.cause[rows], said.young[rows] = cause[rows], young[rows]
        return rows

    def forget_all(self) -> None:
        """Say everything anew (another configuration, another run)."""
        self._said.clear()

    def keep(self, occurrences: set[Key]) -> None:
        """Let go of all other occurrences."""
        self._said = {key: said for key, said in self._said.items() if key in occurrences}


def _differs(
    said: _Said, now: Expectation, cause: NDArray[np.int8], young: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    numbers = np.isnan(said.probability) != np.isnan(now.probability)
    with np.errstate(invalid="ignore"):
        numbers |= np.abs(said.probability - now.probability) >= NEWS
    words = (said.standing != now.standing) | (said.path != now.path) | (said.best != now.best)
    told = (said.cause != cause).any(axis=-1) | (said.young != young)
    return np.asarray(numbers | words | told)


def _young(ground: Ground, expectation: Expectation) -> NDArray[np.bool_]:
    """(S,): whose line has been known for less than a day, as far as its past has been read: until then every line is young."""
    sites = np.arange(len(expectation.standing))
    hours = ground.climate.known[sites, np.maximum(expectation.path, 0)].sum(axis=-1)
    return np.asarray(hours * HOUR_NS < YOUNG_NS)


def _cause(ground: Ground, occurrence: Occurrence, expectation: Expectation) -> NDArray[np.int8]:
    """What a reason would name, (S, K): the term that costs most, the cause that is suspected most, and what else is told in other words; when ready -1, but for works that are announced."""
    terms = expectation.terms
    costs = np.nan_to_num(np.stack([getattr(terms, name) for name in Terms.__slots__]), nan=-1.0)
    sites, path = np.arange(len(expectation.standing)), np.maximum(expectation.path, 0)
    by_cause = ground.condition.by_cause[ground.sets.of_profile[occurrence.meeting.profile], sites, path]
    nothing = np.zeros(len(sites), dtype=bool)
    reached = ground.reached
    named = (
        costs.argmax(axis=0),
        by_cause.argmax(axis=-1),
        by_cause.max(axis=-1) >= SUSPECT,  # what was lasting and is over is told in other words
        ground.dark,
        ground.silent[sites, path],
        ground.recent.outages.lasting[sites, path],
        ground.flapping.count[sites, path] >= COMES_AND_GOES,
        terms.rising > 0.0,
        nothing if reached is None else reached.room_off_ns > 0,
        nothing if reached is None else reached.edge_off_ns > 0,
    )
    is_ready = (expectation.standing == Standing.READY)[:, None]
    told = np.where(is_ready, np.int8(-1), np.stack(named, axis=-1).astype(np.int8))
    return np.column_stack([told, touches(ground, occurrence, expectation.path)])
