"""What is usual on a line at an hour of the week, and how much history says so.

Median over the past weeks of the hour's median: half of the weeks may be outages without bending it. Where
few weeks are known it leans on the line's own same hour of other days, then on all its hours, then on what
is usual at its peers (all sites, same path); the weights are the numbers of hours behind each.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from analytics.hours import HOURS_PER_DAY, hour_of_week

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analytics.history import History

LEAN: Final = 2.0
"""A level above counts like so many hours of the level below."""


@dataclass(frozen=True, slots=True)
class Usual:
    """`value` (S, P), NaN where nobody knows; `hours` (S, P): hours of this very cell behind it."""

    value: NDArray[np.float64]
    hours: NDArray[np.int64]


class UsualNow:
    """What is usual at one local hour, each metric worked out when it is first asked for."""

    def __init__(self, history: History, at_hour: int) -> None:
        self._history = history
        self._at_hour = at_hour
        self._known: dict[str, Usual] = {}

    def lines(self, metric: str) -> NDArray[np.float64]:
        """The usual figures of all lines, (S, P); NaN where nobody knows."""
        if metric not in self._known:
            self._known[metric] = usual(self._history, metric, self._at_hour)
        return self._known[metric].value

    def figure(self, metric: str, site: int, path: int) -> float | None:
        """The usual figure of one line; None where nobody knows."""
        value = float(self.lines(metric)[site, path])
        return round(value, 5) if np.isfinite(value) else None


def usual(history: History, metric: str, at_hour: int) -> Usual:
    """What is usual for `metric` (one of `METRICS`) at the hour of the week of the local hour `at_hour`.

    Only hours before `at_hour` count, so that the present does not excuse itself.
    """
    before = history.hours < at_hour
    figures = history.figures[metric][..., before].astype(np.float64)
    hours = history.hours[before]
    same_day_hour = hours % HOURS_PER_DAY == at_hour % HOURS_PER_DAY
    same_cell = hour_of_week(hours) == hour_of_week(np.array([at_hour]))[0]
    own, own_hours = _median(figures)
    value = _lean(_peers(own), own, own_hours)
    daily, daily_hours = _median(figures[..., same_day_hour])
    value = _lean(value, daily, daily_hours)
    cell, cell_hours = _median(figures[..., same_cell])
    return Usual(_lean(value, cell, cell_hours), cell_hours)


def _median(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    known = np.isfinite(values).sum(axis=-1)
    if not values.shape[-1]:
        return np.full(values.shape[:-1], np.nan), known
    ordered = np.sort(values, axis=-1)
    low = np.take_along_axis(ordered, np.maximum(known - 1, 0)[..., None] // 2, axis=-1)[..., 0]
    high_at = np.minimum(known // 2, values.shape[-1] - 1)
    high = np.take_along_axis(ordered, high_at[..., None], axis=-1)[..., 0]
    return np.where(known > 0, (low + high) / 2.0, np.nan), known


def _peers(own: NDArray[np.float64]) -> NDArray[np.float64]:
    """(1, P): the median of all sites' own medians."""
    middle, _ = _median(own.T)
    return middle[None, :]


def _lean(
    above: NDArray[np.float64], value: NDArray[np.float64], hours: NDArray[np.int64]
) -> NDArray[np.float64]:
    blend = (hours * np.nan_to_num(value) + LEAN * np.nan_to_num(above)) / (hours + LEAN)
    blend = np.where(np.isfinite(above), blend, value)
    return np.where(hours > 0, blend, np.broadcast_to(above, value.shape))
