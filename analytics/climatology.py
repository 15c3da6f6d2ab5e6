"""How often an hour of the week failed in the past weeks, shrunk to what is known of the line and its peers.

An hour failed when more than 5 % of its measured windows broke: the rule of a meeting's outcome. The chance
is a chain of Beta posteriors, each level the prior of the next: the fleet (prior mean `FIRST_FAILS`), the
line over all hours, the line at this hour of the day, the line at this hour of the week.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from analytics.history import WINDOWS_PER_HOUR
from analytics.hours import HOURS_PER_DAY, HOURS_PER_WEEK, hour_of_week

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from analytics.history import History

BROKEN_SHARE: Final = 0.05
"""A span fails when more than this share of its windows broke."""
FIRST_FAILS: Final = 0.08
FLEET_PRIOR_HOURS: Final = 50.0
LINE_PRIOR_HOURS: Final = 24.0
DAY_PRIOR_HOURS: Final = 6.0
WEEK_PRIOR_HOURS: Final = 4.0


@dataclass(frozen=True, slots=True)
class Climatology:
    """By hour of the week.

    `fails` (L, S, P, 168): the chance that the hour fails under each profile;
    `failed` (L, S, P, 168) and `known` (S, P, 168): hours that did, of hours that are known.
    """

    fails: NDArray[np.float64]
    failed: NDArray[np.float64]
    known: NDArray[np.float64]

    @property
    def line_hours(self) -> NDArray[np.float64]:
        """(S, P): all hours known of each line."""
        return np.asarray(self.known.sum(axis=-1), dtype=np.float64)


def climatology(history: History) -> Climatology:
    """Climatology of a history; what has no history gets the prior's mean."""
    return climatology_of([history])


def climatology_of(parts: Iterable[History]) -> Climatology:
    """Climatology of a history that comes in parts, of some offices each: the same, in the memory of a part."""
    counts = [_counts(part) for part in parts]
    failed = np.concatenate([each for each, _ in counts], axis=1)
    known = np.concatenate([each for _, each in counts])
    return Climatology(_chance(failed, known), failed, known)


def _counts(history: History) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(L, S, P, 168) hours that failed, (S, P, 168) that are known: whole numbers, so exact."""
    known_hours = history.measured * 2 >= WINDOWS_PER_HOUR
    failed_hours = known_hours[None] & (history.broken > BROKEN_SHARE * history.measured)
    week = np.zeros((len(history.hours), HOURS_PER_WEEK), dtype=np.float32)
    week[np.arange(len(week)), hour_of_week(history.hours)] = 1.0
    known = (known_hours.astype(np.float32) @ week).astype(np.float64)
    failed = (failed_hours.astype(np.float32) @ week).astype(np.float64)
    return failed, known


def _chance(failed: NDArray[np.float64], known: NDArray[np.float64]) -> NDArray[np.float64]:
    every = known.sum(axis=-1)
    fleet = _posterior(failed.sum(axis=(1, 2, 3)), every.sum(), FIRST_FAILS, FLEET_PRIOR_HOURS)
    line = _posterior(failed.sum(axis=-1), every, fleet[:, None, None], LINE_PRIOR_HOURS)
    daily_failed, daily_known = _by_day_hour(failed), _by_day_hour(known)
    daily = _posterior(daily_failed, daily_known, line[..., None], DAY_PRIOR_HOURS)
    spread = np.tile(daily, HOURS_PER_WEEK // HOURS_PER_DAY)
    return _posterior(failed, known, spread, WEEK_PRIOR_HOURS)


def _by_day_hour(by_week: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(by_week.reshape(*by_week.shape[:-1], -1, HOURS_PER_DAY).sum(axis=-2), dtype=np.float64)


def _posterior(
    failed: NDArray[np.float64], known: NDArray[np.float64], mean: NDArray[np.float64] | float, hours: float
) -> NDArray[np.float64]:
    return np.asarray((failed + mean * hours) / (known + hours))
