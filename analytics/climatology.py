"""How often an hour of the week failed in the past weeks, shrunk to what is known of the line and its peers.

An hour failed when more than 5 % of its measured windows broke: the rule of a meeting's outcome. A line that is measured
seldom shows samples of its hours: there an hour failed when they prove it, and counts for nothing when they lie above the
5 % and do not (decision 192). The chance is a chain of Beta posteriors, each level the prior of the next: the fleet (prior mean `FIRST_FAILS`), the
line over all hours, the line at this hour of the day, the line at this hour of the week.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from analytics.hours import HOURS_PER_DAY, HOURS_PER_WEEK, hour_of_week
from analytics.proof import proves_above
from analytics.rhythm import windows_expected
from telemetry.windows import WINDOWS_PER_HOUR

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from analytics.history import History

BROKEN_SHARE: Final = 0.05
"""A span fails when more than this share of its windows broke."""
LEAST_SAMPLES: Final = 6
"""An hour of fewer samples says too little: of one that was bad for a quarter, six show no bad one in 18 of 100 cases."""
FIRST_FAILS: Final = 0.08
FLEET_PRIOR_HOURS: Final = 50.0
LINE_PRIOR_HOURS: Final = 24.0
DAY_PRIOR_HOURS: Final = 6.0
WEEK_PRIOR_HOURS: Final = 4.0


@dataclass(frozen=True, slots=True)
class Climatology:
    """By hour of the week.

    `fails` (L, S, P, 168): the chance that the hour fails under each profile;
    `failed` (L, S, P, 168) and `known` (S, P, 168): hours that did, of hours that are known; `open` (L, S, P, 168): how
    many of these count for nothing under the profile, because their samples prove neither.
    """

    fails: NDArray[np.float64]
    failed: NDArray[np.float64]
    known: NDArray[np.float64]
    open: NDArray[np.float64]

    def judged(self, limit_set: int) -> NDArray[np.float64]:
        """(S, P, 168): hours that failed or held under one limit set."""
        return np.asarray(self.known - self.open[limit_set])

    def hours_known(self, site: int, path: int) -> float:
        """All hours known of one line."""
        return float(self.known[site, path].sum())


def climatology(history: History) -> Climatology:
    """Climatology of a history; what has no history gets the prior's mean."""
    return climatology_of([history])


def climatology_of(parts: Iterable[History]) -> Climatology:
    """Climatology of a history that comes in parts, of some offices each: the same, in the memory of a part."""
    counts = [_counts(part) for part in parts]
    failed = np.concatenate([each.failed for each in counts], axis=1)
    known = np.concatenate([each.known for each in counts])
    unproven = np.concatenate([each.open for each in counts], axis=1)
    return Climatology(_chance(failed, known - unproven), failed, known, unproven)


class _Counts(NamedTuple):
    """Hours by hour of the week, of the shapes of `Climatology`: whole numbers, so exact."""

    failed: NDArray[np.float64]
    known: NDArray[np.float64]
    open: NDArray[np.float64]


def _counts(history: History) -> _Counts:
    measured, above = history.measured, history.broken > BROKEN_SHARE * history.measured
    whole = measured * 2 >= WINDOWS_PER_HOUR
    sampled = ~whole & (measured >= LEAST_SAMPLES)
    sampled &= measured * 2 >= windows_expected(measured, history.fullest)
    unproven = _unproven(history, above & sampled)
    week = np.zeros((len(history.hours), HOURS_PER_WEEK), dtype=np.float32)
    week[np.arange(len(week)), hour_of_week(history.hours)] = 1.0
    known = whole | sampled
    return _Counts(_by_week(above & known & ~unproven, week), _by_week(known, week), _by_week(unproven, week))


def _unproven(history: History, above: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(L, S, P, T): of the hours more than 5 % of whose samples broke, those whose samples do not prove it of the hour."""
    out, at = above.copy(), np.nonzero(above)
    if len(at[0]):
        broken, measured = (each.astype(np.int64) for each in (history.broken[at], history.measured[at[1:]]))
        out[at] = ~proves_above(broken, measured, BROKEN_SHARE)
    return out


def _by_week(hours: NDArray[np.bool_], week: NDArray[np.float32]) -> NDArray[np.float64]:
    """Hours (…, T) summed by hour of the week (T, 168)."""
    if not hours.any():
        return np.zeros((*hours.shape[:-1], HOURS_PER_WEEK))
    return (hours.astype(np.float32) @ week).astype(np.float64)


def _chance(failed: NDArray[np.float64], known: NDArray[np.float64]) -> NDArray[np.float64]:
    every = known.sum(axis=-1)
    fleet = _posterior(failed.sum(axis=(1, 2, 3)), every.sum(axis=(1, 2)), FIRST_FAILS, FLEET_PRIOR_HOURS)
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
