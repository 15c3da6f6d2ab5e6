"""What is usual on a line at an hour of the week, how far it strays, and how much history says so.

Median over the past weeks of the hour's median: half of the weeks may be outages without bending it. Where
few weeks are known it leans on the line's own same hour of other days, then on all its hours, then on what
is usual at its peers (all sites, same path); the weights are the numbers of hours behind each. Once a line's
level moved and lasted (`levels`), the time before counts no more: decision 103.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from analytics.hours import HOURS_PER_DAY, HOURS_PER_WEEK, hour_of_week
from analytics.levels import hours_of_level
from analytics.ranks import medians, tails

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analytics.history import History

LEAN: Final = 2.0
"""A level above counts like so many hours of the level below."""
SITES_AT_ONCE: Final = 512
BAND_TAIL: Final = 0.1
BAND_HOURS: Final = 24
"""The least known hours of this hour of the day, over all days, that a band stands on."""
BAND_CELL_HOURS: Final = 3
"""The least known hours of this very cell that a band is laid around: its own usual must be known."""


@dataclass(frozen=True, slots=True)
class Usual:
    """Figures of one metric at one hour of the week, (S, P) each, and what is behind them.

    `value` is NaN where nobody knows. `low` to `high`: p10 to p90, `value` and the strays of this hour of all days
    from the other weeks' median of the same day; NaN where too few hours are known.
    `hours`: known hours of this very cell; `weeks`: weeks with any known hour, counted back from now; `since_hour`: the
    local hour from which the line's past counts, later than its first where its level has moved.
    """

    value: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    hours: NDArray[np.int64]
    weeks: NDArray[np.int64]
    since_hour: NDArray[np.int64]


class UsualNow:
    """What is usual at one local hour, each metric worked out when it is first asked for."""

    def __init__(self, history: History, at_hour: int) -> None:
        self._history = history
        self._at_hour = at_hour
        self._known: dict[str, Usual] = {}

    @cached_property
    def next_hour(self) -> UsualNow:
        """The same of the hour after."""
        return UsualNow(self._history, self._at_hour + 1)

    def lines(self, metric: str) -> NDArray[np.float64]:
        """The usual figures of all lines, (S, P); NaN where nobody knows."""
        return self.of(metric).value

    def of(self, metric: str) -> Usual:
        """The usual figures of all lines with their bands and what is behind them."""
        if metric not in self._known:
            self._known[metric] = usual(self._history, metric, self._at_hour)
        return self._known[metric]

    def figure(self, metric: str, site: int, path: int) -> float | None:
        """The usual figure of one line; None where nobody knows."""
        value = float(self.lines(metric)[site, path])
        return round(value, 5) if np.isfinite(value) else None


def usual(history: History, metric: str, at_hour: int) -> Usual:
    """What is usual for `metric` (one of `METRICS`) at the hour of the week of the local hour `at_hour`.

    Only hours before `at_hour` count, so that the present does not excuse itself.
    """
    every = history.figures[metric]
    parts = [
        _of_lines(history, every[first : first + SITES_AT_ONCE], metric, at_hour)
        for first in range(0, max(len(every), 1), SITES_AT_ONCE)
    ]
    own, daily, cell, strays = (
        tuple(np.concatenate(each) for each in zip(*(getattr(part, name) for part in parts), strict=True))
        for name in ("own", "daily", "cell", "strays")
    )
    value = _lean(_peers(own[0]), *own)
    value = _lean(value, *daily)
    value = _lean(value, *cell)
    banded = (daily[1] >= BAND_HOURS) & (cell[1] >= BAND_CELL_HOURS)
    return Usual(
        value,
        np.where(banded, np.maximum(value + strays[0], 0.0), np.nan),
        np.where(banded, value + strays[1], np.nan),
        cell[1],
        np.concatenate([part.weeks for part in parts]),
        np.concatenate([part.since_hour for part in parts]),
    )


class _OfLines(NamedTuple):
    """Of some sites: medians and the hours behind them, over all hours, this hour of the day, this cell; and how far hours stray."""

    own: tuple[NDArray[np.float64], NDArray[np.int64]]
    daily: tuple[NDArray[np.float64], NDArray[np.int64]]
    cell: tuple[NDArray[np.float64], NDArray[np.int64]]
    strays: tuple[NDArray[np.float64], NDArray[np.float64]]
    weeks: NDArray[np.int64]
    since_hour: NDArray[np.int64]


def _of_lines(history: History, some: NDArray[np.float32], metric: str, at_hour: int) -> _OfLines:
    """What each line says for itself."""
    before = history.hours < at_hour
    figures = some[..., before].astype(np.float64)
    hours = history.hours[before]
    of_level = hours_of_level(figures, metric)
    since_hour = history.first_hour + len(hours) - of_level
    figures[hours < since_hour[..., None]] = np.nan
    same_day_hour = hours % HOURS_PER_DAY == at_hour % HOURS_PER_DAY
    same_cell = hour_of_week(hours) == hour_of_week(np.array([at_hour]))[0]
    return _OfLines(
        medians(figures),
        medians(figures[..., same_day_hour]),
        medians(figures[..., same_cell]),
        _strays(figures[..., same_day_hour], hour_of_week(hours[same_day_hour])),
        _weeks(figures),
        since_hour,
    )


def _strays(
    daily: NDArray[np.float64], cell: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How far, at most 0 and at least 0, hours of one hour of the day stray from what their day of the week had led to expect."""
    if not len(cell):
        nothing = np.zeros(daily.shape[:-1])
        return nothing, nothing
    stray = np.concatenate([_from_others(daily[..., cell == each]) for each in np.unique(cell)], axis=-1)
    low, high = tails(stray, BAND_TAIL)
    return np.minimum(low, 0.0), np.maximum(high, 0.0)


def _from_others(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Each of (..., T) values less the median of the others, by rising value; NaN where there are no others.

    From a median that they took part in themselves, few values would stray too little.
    """
    ordered = np.sort(values, axis=-1)
    others = np.isfinite(values).sum(axis=-1)[..., None] - 1
    rank = np.arange(values.shape[-1])
    middle = np.zeros_like(ordered)
    for at in (np.maximum(others - 1, 0) // 2, np.maximum(others, 0) // 2):
        at_with_it = np.minimum(at + (at >= rank), values.shape[-1] - 1)
        middle += np.take_along_axis(ordered, at_with_it, axis=-1) / 2.0
    return np.where(others > 0, ordered - middle, np.nan)


def _weeks(figures: NDArray[np.float64]) -> NDArray[np.int64]:
    """Weeks, counted back from the end, in which anything is known."""
    count = -(-figures.shape[-1] // HOURS_PER_WEEK)
    known = np.zeros((*figures.shape[:-1], count * HOURS_PER_WEEK), dtype=bool)
    known[..., known.shape[-1] - figures.shape[-1] :] = np.isfinite(figures)
    return np.asarray(known.reshape(*figures.shape[:-1], count, HOURS_PER_WEEK).any(axis=-1).sum(axis=-1))


def _peers(own: NDArray[np.float64]) -> NDArray[np.float64]:
    """(1, P): the median of all sites' own medians."""
    middle, _ = medians(own.T)
    return middle[None, :]


def _lean(
    above: NDArray[np.float64], value: NDArray[np.float64], hours: NDArray[np.int64]
) -> NDArray[np.float64]:
    blend = (hours * np.nan_to_num(value) + LEAN * np.nan_to_num(above)) / (hours + LEAN)
    blend = np.where(np.isfinite(above), blend, value)
    return np.where(hours > 0, blend, np.broadcast_to(above, value.shape))
