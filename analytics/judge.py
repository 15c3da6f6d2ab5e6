"""Judging windows against a call profile's limits: holds, breaks or undetermined, and why.

One function for all shapes: a grid (S, P, W), flat rows (n,), a roll-up's window values (n, 20). Loss breaks
a window when its own count proves a ratio above the limit, or when it lies above the limit itself and the
count pooled with the windows before it proves so (decision 050). Bitrate limits are not judged here: a test
stream of 10 packets/s does not measure capacity.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Final

import numpy as np

from analytics.bursts import burst_of
from analytics.causes import Cause, limit_of
from analytics.delays import DELAY_COLUMN, delay_of
from analytics.losses import losses
from analytics.proof import LEVEL, proves_above, proves_within

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analytics.losses import Losses, Values
    from config.profiles import Limits

POOL_WINDOWS: Final = 4
"""A minute."""
LEAST_OUTAGE_SENT: Final = 10
LEAST_BURST_SENT: Final = 9
"""Packets in 200 ms from which a burst is judged: 50 a second, less one at the edge."""
LEAST_BURST_LOST: Final = 2


class WindowVerdict(IntEnum):
    """What a window says of its line."""

    ABSENT = 0
    HOLDS = 1
    UNDETERMINED = 2
    BREAKS = 3


@dataclass(frozen=True, slots=True)
class Judgement:
    """Of one shape: `verdict` holds `WindowVerdict` (uint8), `causes` the bits of `Cause` (uint16)."""

    verdict: NDArray[np.uint8]
    causes: NDArray[np.uint16]

    @property
    def present(self) -> NDArray[np.bool_]:
        """Which windows were measured; of the shape of the values, as `breaks`."""
        return np.not_equal(self.verdict, WindowVerdict.ABSENT)

    @property
    def breaks(self) -> NDArray[np.bool_]:
        """Which windows break a limit."""
        return np.equal(self.verdict, WindowVerdict.BREAKS)


def judge(values: Values, limits: Limits, *, pool_windows: int = 1) -> Judgement:
    """Judge windows.

    Args:
        values: arrays of one shape by the names of `WINDOW_VALUE_COLUMNS`, NaN where absent; with `floor.ABOVE` where
            a limit is about the line's own floor, which is not judged without.
        limits: what breaks a window (a profile's `alarm`).
        pool_windows: so many windows along the last axis, which must then be time on the grid, are pooled
            for loss; 1 for rows that have nothing to do with each other.
    """
    counts = losses(values)
    pooled = counts.trailing(pool_windows)
    causes = causes_of(values, counts, pooled, limits)
    present = counts.sent > 0
    holds = present.copy()
    if limits.loss_ratio is not None:
        holds &= _loss_holds(pooled, limits.loss_ratio)
    for cause, limit in _delay_limits(limits):
        with np.errstate(invalid="ignore"):
            holds &= delay_of(values, cause) <= limit
    verdict = np.where(holds, WindowVerdict.HOLDS, WindowVerdict.UNDETERMINED)
    verdict = np.where(causes != 0, WindowVerdict.BREAKS, verdict)
    return Judgement(np.where(present, verdict, WindowVerdict.ABSENT).astype(np.uint8), causes)


def causes_of(values: Values, counts: Losses, pooled: Losses, limits: Limits) -> NDArray[np.uint16]:
    """The bits of `Cause` of each window, of the shape of the values: it breaks where there is any. `counts` are the values' own, `pooled` along time."""
    causes = np.zeros(counts.sent.shape, dtype=np.uint16)
    if limits.loss_ratio is not None:
        causes |= loss_causes(counts, pooled, limits.loss_ratio)
    if limits.burst_loss_ratio is not None:
        causes |= _burst_causes(values, counts, limits.burst_loss_ratio)
    for cause, limit in _delay_limits(limits):
        with np.errstate(invalid="ignore"):
            causes |= np.where(delay_of(values, cause) > limit, cause, 0).astype(np.uint16)
    causes[counts.sent == 0] = 0
    causes[is_outage(counts)] = Cause.OUTAGE
    return causes


def is_outage(counts: Losses) -> NDArray[np.bool_]:
    """Total loss, of enough packets to mean something; of the shape of the counts."""
    return np.asarray((counts.lost == counts.sent) & (counts.sent >= LEAST_OUTAGE_SENT))


def loss_causes(own: Losses, pooled: Losses, limit: float, own_level: float = LEVEL) -> NDArray[np.uint16]:
    """Bits LOSS_UP, LOSS_DOWN, LOSS of each window; all of one shape. `limit` is a ratio 0..1, `own_level` a confidence.

    A window breaks when it proves so itself at `own_level`, or lies above the limit and `pooled` proves so.
    """
    bits = np.zeros(own.sent.shape, dtype=np.uint16)
    pairs = zip(own.directions(), pooled.directions(), strict=True)
    for cause, ((lost, sent), (pool_lost, pool_sent)) in zip(
        (Cause.LOSS_UP, Cause.LOSS_DOWN, Cause.LOSS), pairs, strict=True
    ):
        proved = proves_above(lost, sent, limit, own_level)
        proved |= (lost > limit * sent) & proves_above(pool_lost, pool_sent, limit)
        if cause is Cause.LOSS:
            proved &= (own.unattributed > 0) & (bits == 0)
        bits |= np.where(proved, cause, 0).astype(np.uint16)
    return bits


def _loss_holds(pooled: Losses, limit: float) -> NDArray[np.bool_]:
    up = proves_within(np.minimum(pooled.up_lost + pooled.unattributed, pooled.sent), pooled.sent, limit)
    down_lost = np.minimum(pooled.down_lost + pooled.unattributed, pooled.down_sent)
    return np.asarray(up & proves_within(down_lost, pooled.down_sent, limit))


def _burst_causes(values: Values, counts: Losses, limit: float) -> NDArray[np.uint16]:
    bits = np.zeros(counts.sent.shape, dtype=np.uint16)
    for cause in (Cause.BURST_UP, Cause.BURST_DOWN, Cause.BURST):
        lost, sent = burst_of(values, cause)
        with np.errstate(invalid="ignore"):
            burst = (sent >= LEAST_BURST_SENT) & (lost >= LEAST_BURST_LOST) & (lost > limit * sent)
        if cause is Cause.BURST:
            burst &= (counts.unattributed > 0) & (bits == 0)
        bits |= np.where(burst, cause, 0).astype(np.uint16)
    return bits


def _delay_limits(limits: Limits) -> list[tuple[Cause, float]]:
    named = ((cause, limit_of(cause, limits)) for cause in DELAY_COLUMN)
    return [(cause, limit) for cause, limit in named if limit is not None]
