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
    shape = said.breaks.shape[:2] + said.breaks.shape[3:]
    needed = np.array([HOLD[cause][0] for cause in CAUSES])
    span = np.array([HOLD[cause][1] for cause in CAUSES])
    in_span = np.arange(LOOKBACK)[:, None, None, None] < span
    broke = np.zeros((LOOKBACK, *shape), dtype=bool)  # newest first, present windows only
    at = np.full((LOOKBACK, *shape), -1, dtype=np.int64)
    active, severe = np.zeros(shape, dtype=bool), np.zeros(shape, dtype=bool)
    first, last, calm = np.full(shape, -1), np.full(shape, -1), np.zeros(shape, dtype=np.int64)
    is_outage = np.array(CAUSES) == Cause.OUTAGE
    was_down = np.zeros((*shape[:2], 1), dtype=bool)
    for window in range(present.shape[-1]):
        here = present[:, :, window, None]
        if not here.any():
            continue
        now = said.breaks[:, :, window]
        is_down, goes_on = now[..., is_outage], False
        if was_down.any():
            is_back = here & was_down & ~is_down & ~is_outage
            goes_on = is_back & active & now
            active, severe, broke = active & ~is_back, severe & ~is_back, broke & ~is_back
        was_down = np.where(here, is_down, was_down)
        broke = np.where(here, np.concatenate((now[None], broke[:-1])), broke)
        at = np.where(here, np.concatenate((np.full((1, *shape), window), at[:-1])), at)
        counted = broke & in_span
        raised = goes_on | here & now & (said.severe[:, :, window] | (counted.sum(axis=0) >= needed))
        onset = np.where(counted, at, window).min(axis=0)
        first = np.where(raised & ~active, onset, first)
        active |= raised
        last = np.where(here & now & active, window, last)
        severe = np.where(active, severe | (here & said.severe[:, :, window]), False)
        calm = np.where(here, np.where(said.calm[:, :, window], calm + 1, 0), calm)
        cleared = active & (calm >= CALM_WINDOWS)
        active &= ~cleared
        severe &= ~cleared
        broke &= ~cleared  # a new spell starts from nothing
    return Spells(active, np.where(active, first, -1), np.where(active, last, -1), severe)
