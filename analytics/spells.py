"""Spells of degradation: hold times and hysteresis over the recent windows, for every line and cause at once.

Stateless: a spell is recomputed from the windows alone, so a restart loses nothing. Windows that are absent
neither raise nor clear.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from analytics.causes import BURST_CAUSES, CAUSES, DELAY_CAUSES, RATIO_CAUSES, Cause, limit_of
from analytics.delays import delay_of
from analytics.judge import POOL_WINDOWS, judge, loss_causes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analytics.recent import Recent
    from config.profiles import Limits

LOOKBACK: Final = 5
HOLD: Final = {cause: (3, 5) if cause & BURST_CAUSES else (2, 3) for cause in CAUSES}
"""Raised by so many broken windows of the last so many, unless one is severe. A burst takes three of five:
at 50 packets/s and 0.1 % random loss every 150th window holds two losses within 200 ms."""
MOST_NEEDED: Final = max(needed for needed, _ in HOLD.values())
SEVERE_TIMES: Final = 2.0
"""A window that breaks with twice the limit or more raises alone; loss must be proved harder for that: at
`ALONE_LEVEL` by the line itself, or at the usual level by all lines of the uplink together."""
ALONE_LEVEL: Final = 0.99
CALM_WINDOWS: Final = 2
"""So many windows in a row within the limit clear."""


@dataclass(frozen=True, slots=True)
class Spells:
    """What is degraded at the last window, (S, P, C) each, C in the order of `CAUSES`.

    `first` and `last` are indices of the first and last window that broke in the spell, -1 without one;
    `severe` says whether any of its windows was.
    """

    active: NDArray[np.bool_]
    first: NDArray[np.int64]
    last: NDArray[np.int64]
    severe: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Marks:
    """What each window says of each cause, (S, P, W, C): breaks; breaks severely; within its limit."""

    breaks: NDArray[np.bool_]
    severe: NDArray[np.bool_]
    calm: NDArray[np.bool_]


def marks(recent: Recent, limits: Limits, outage: NDArray[np.bool_] | None = None) -> Marks:
    """Judge the recent windows cause by cause, a line's losses pooled with its uplink's other lines too.

    A window in which an outage lay says nothing else: neither its own loss nor what is pooled with it is a loss. `outage`: these
    windows, as a longer past shows them, where `recent` is without them already.
    """
    if outage is None:
        outage = recent.outages.down
        recent = recent.without(outage)
    bits = judge(recent.values, limits, pool_windows=POOL_WINDOWS).causes
    alone = np.full(bits.shape, 0xFFFF, dtype=np.uint16)  # what one window may raise by itself
    if limits.loss_ratio is not None:
        hard = loss_causes(recent.counts, recent.over_uplink(1), limits.loss_ratio, ALONE_LEVEL)
        bits = bits | hard
        alone = hard | np.uint16(0xFFFF & ~int(RATIO_CAUSES))
    bits = np.where(outage, Cause.OUTAGE, bits).astype(np.uint16)
    breaks, may_alone = _split(bits), _split(alone)
    excess = np.stack([_excess(recent, cause, limits) for cause in CAUSES], axis=-1)
    excess[outage, CAUSES.index(Cause.OUTAGE)] = np.inf
    with np.errstate(invalid="ignore"):
        severe = breaks & may_alone & (excess >= SEVERE_TIMES)
        calm = ~breaks & (excess <= 1.0)
    calm &= ~outage[..., None] | (np.array(CAUSES) == Cause.OUTAGE)
    return Marks(breaks, severe, calm)


def _split(bits: NDArray[np.uint16]) -> NDArray[np.bool_]:
    """Bits as an axis (…, C) in the order of `CAUSES`."""
    return np.asarray((bits[..., None] & np.array([int(c) for c in CAUSES], dtype=np.uint16)) != 0)


def _excess(recent: Recent, cause: Cause, limits: Limits) -> NDArray[np.floating]:
    """Value over limit of each window, (S, P, W); bursts never count as severe, an outage always."""
    limit, counts = limit_of(cause, limits), recent.counts
    if cause is Cause.OUTAGE:
        return np.where((counts.lost == counts.sent) & recent.present, np.inf, 0.0)
    if limit is None or cause & BURST_CAUSES:
        return np.zeros(recent.present.shape)
    return _value(recent, cause) / limit


def _value(recent: Recent, cause: Cause) -> NDArray[np.floating]:
    if cause & DELAY_CAUSES:
        return np.asarray(np.nan_to_num(delay_of(recent.values, cause), nan=0.0))
    lost, sent = recent.counts.directions()[(Cause.LOSS_UP, Cause.LOSS_DOWN, Cause.LOSS).index(cause)]
    return lost / np.maximum(sent, 1)


def spells(present: NDArray[np.bool_], said: Marks) -> Spells:
    """Walk the windows once, oldest first; (S, P, W) and (S, P, W, C) in, (S, P, C) out.

    After an outage every other spell begins anew: at once where its cause is still there, else not.
    """
    walk = _Walk(said.breaks.shape[:2])
    for window in range(present.shape[-1]):
        here = present[:, :, window, None]
        if here.any():
            breaks, severe, calm = (
                each[:, :, window] & here for each in (said.breaks, said.severe, said.calm)
            )
            walk.step(window, here, breaks, severe, calm)
    return walk.spells()


class _Walk:
    """What the windows so far say, of (S, P) lines: arrays of (S, P, C), and of the newest `LOOKBACK` windows of each line that were measured."""

    _NEEDED: Final = np.array([HOLD[cause][0] for cause in CAUSES])
    _IN_SPAN: Final = np.arange(LOOKBACK)[:, None, None, None] < np.array(
        [HOLD[cause][1] for cause in CAUSES]
    )
    _IS_OUTAGE: Final = np.array(CAUSES) == Cause.OUTAGE

    def __init__(self, lines: tuple[int, ...]) -> None:
        shape = (*lines, len(CAUSES))
        self._active, self._severe = np.zeros((2, *shape), dtype=bool)
        self._first, self._last = np.full((2, *shape), -1, dtype=np.int64)
        self._calm = np.zeros(shape, dtype=np.int64)
        self._was_down = np.zeros((*lines, 1), dtype=bool)
        self._broke = np.zeros((LOOKBACK, *shape), dtype=bool)
        """(LOOKBACK, S, P, C), newest first."""
        self._at = np.full((LOOKBACK, *shape), -1, dtype=np.int64)
        """Which windows those are."""

    def step(
        self,
        window: int,
        here: NDArray[np.bool_],
        breaks: NDArray[np.bool_],
        severe: NDArray[np.bool_],
        calm: NDArray[np.bool_],
    ) -> None:
        """Take the next window in; where it was measured, `here` (S, P, 1), it says these three (S, P, C)."""
        goes_on = self._after_an_outage(here, breaks)
        self._broke = np.where(here, np.concatenate((breaks[None], self._broke[:-1])), self._broke)
        at = np.full((1, *breaks.shape), window)
        self._at = np.where(here, np.concatenate((at, self._at[:-1])), self._at)
        counted = self._broke & self._IN_SPAN
        raised = goes_on | breaks & (severe | (counted.sum(axis=0) >= self._NEEDED))
        onset = np.where(counted, self._at, window).min(axis=0)
        self._first = np.where(raised & ~self._active, onset, self._first)
        self._active |= raised
        self._last = np.where(breaks & self._active, window, self._last)
        self._severe = np.where(self._active, self._severe | severe, False)
        self._calm = np.where(here, np.where(calm, self._calm + 1, 0), self._calm)
        self._begin_anew(self._active & (self._calm >= CALM_WINDOWS))

    def spells(self) -> Spells:
        """As they stand after the last window."""
        first, last = (np.where(self._active, each, -1) for each in (self._first, self._last))
        return Spells(self._active, first, last, self._severe)

    def _after_an_outage(self, here: NDArray[np.bool_], breaks: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """(S, P, C): spells that go on at once, of lines that are back from an outage; all others of theirs are over."""
        is_down = breaks[..., self._IS_OUTAGE]
        is_back = here & self._was_down & ~is_down & ~self._IS_OUTAGE
        goes_on = is_back & self._active & breaks
        self._begin_anew(is_back)
        self._was_down = np.where(here, is_down, self._was_down)
        return np.asarray(goes_on)

    def _begin_anew(self, which: NDArray[np.bool_]) -> None:
        """The spells of (S, P, C) are over, and nothing that broke before counts for the next."""
        self._active &= ~which
        self._severe &= ~which
        self._broke &= ~which
