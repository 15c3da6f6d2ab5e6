"""What is usual on a line at an hour of the week, how far it strays, and how much history says so.

Median over the past weeks of the hour's median: fewer than half of the weeks may be bad without bending it, and an hour
that an outage filled at least half of is no loss, so it counts for none. Where few weeks are known it leans on the line's
own same hour of other days, then on all its hours, then on what is usual at its peers (all sites, same path); the weights are
the numbers of hours behind each. That is what a comparison has to go by; it is called the line's own only after a week of its
own (`UsualNow.own`). Once a line's level moved and lasted (`levels`), the time before counts no more: decision 103.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from analytics.hours import HOURS_PER_DAY, HOURS_PER_WEEK, hour_of_week
from analytics.levels import LASTS_DAYS, hours_of_level
from analytics.outage_hours import LOSSES, NOTHING_CAME
from analytics.ranks import medians, tails

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analytics.history import History

LEAN: Final = 2.0
"""A level above counts like so many hours of the level below."""
SITES_AT_ONCE: Final = 512
OWN_DAYS: Final = LASTS_DAYS
"""The least known days of this hour for a line's usual to be its own: as long as a moved level takes to be adopted."""
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
    `hours`: known hours of this very cell; `days`: known hours of this hour of all days; `weeks`: weeks with any known hour, counted back from now; `since_hour`: the
    local hour from which the line's past counts, later than its first where its level has moved.
    """

    value: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    hours: NDArray[np.int64]
    days: NDArray[np.int64]
    weeks: NDArray[np.int64]
    since_hour: NDArray[np.int64]

    @property
    def own(self) -> NDArray[np.float64]:
        """`value` where the line itself has shown it on `OWN_DAYS` days, (S, P); NaN where it rests on less, or on its peers."""
        return np.where(self.days >= OWN_DAYS, self.value, np.nan)


class UsualNow:
    """What is usual at one local hour, each metric worked out when it is first asked for."""

    def __init__(self, history: History, at_hour: int) -> None:
        self._history = history
        self._at_hour = at_hour
        self._known: dict[tuple[str, bool], Usual] = {}

    @cached_property
    def next_hour(self) -> UsualNow:
        """The same of the hour after."""
        return UsualNow(self._history, self._at_hour + 1)

    def lines(self, metric: str) -> NDArray[np.float64]:
        """The best guess at what is usual on all lines, (S, P), be it of their peers; NaN where nobody knows."""
        return self.of(metric).value

    def own(self, metric: str, *, outages: bool = False) -> NDArray[np.float64]:
        """What is usual on all lines by their own past, (S, P); NaN where that is too short. `outages` as for `usual`."""
        return self.of(metric, outages=outages).own

    def of(self, metric: str, *, outages: bool = False) -> Usual:
        """The usual figures of all lines with their bands and what is behind them."""
        key = metric, outages and metric in LOSSES  # of a delay they change nothing
        if key not in self._known:
            self._known[key] = usual(self._history, metric, self._at_hour, outages=outages)
        return self._known[key]

    def figure(self, metric: str, site: int, path: int) -> float | None:
        """The usual figure of one line by its own past; None where that is too short."""
        value = float(self.own(metric)[site, path])
        return round(value, 5) if np.isfinite(value) else None


def usual(history: History, metric: str, at_hour: int, *, outages: bool = False) -> Usual:
    """What is usual for `metric` (one of `METRICS`) at the hour of the week of the local hour `at_hour`.

    Only hours before `at_hour` count, so that the present does not excuse itself. With `outages`, hours of outage count as loss
    of everything.
    """
    parts = [
        _of_lines(
            history,
            _figures(history, slice(first, first + SITES_AT_ONCE), metric, outages=outages),
            metric,
            at_hour,
        )
        for first in range(0, max(len(history.figures[metric]), 1), SITES_AT_ONCE)
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
        daily[1],
        np.concatenate([part.weeks for part in parts]),
        np.concatenate([part.since_hour for part in parts]),
    )


def _figures(history: History, some: slice, metric: str, *, outages: bool) -> NDArray[np.float32]:
    """(s, P, T) of some sites; hours of outage are no hours of loss."""
    figures = history.figures[metric][some]
    if outages or metric not in LOSSES:
        return figures
    return np.where(history.figures["loss_ratio"][some] >= NOTHING_CAME, np.float32(np.nan), figures)


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
