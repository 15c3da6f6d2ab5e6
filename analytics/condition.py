"""How likely each line is broken now: a two-state Bayesian filter over the recent windows, per cause.

A line is sound or broken for a cause; from one window to the next a sound line breaks with probability
`BREAKS` and a broken one mends with `MENDS`. A window speaks through a log-likelihood ratio:

* loss: binomial, `2 L` against `L / 3` (L the limit), which is neutral at 0.94 L; pooled over the uplink's
  other paths when the line's own window is not clean;
* jitter and round trip: `SLOPE * ln(value / limit)`, neutral at the limit;
* burst and outage: said or not said.

Each is bounded, since losses come in bursts and one window must not settle everything. It never falls when
a window gets worse, so more loss never raises a forecast. Where no window came, or one that says nothing of a
cause, the filter waits: silence is judged apart, in `readiness`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from analytics.bursts import burst_of
from analytics.causes import BURST_CAUSES, CAUSES, RATIO_CAUSES, Cause, limit_of
from analytics.delays import delay_of
from analytics.judge import LEAST_BURST_LOST, LEAST_BURST_SENT, is_outage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from analytics.losses import Losses
    from analytics.recent import Recent
    from config.profiles import Limits

BREAKS: Final = 0.01
MENDS: Final = 0.05
FIRST: Final = 0.01
"""That a line is broken before any window was seen."""
SLOPE: Final = 6.0
LEAST_LLR: Final = -5.0
MOST_LLR: Final = 8.0
BURST_LLR: Final = (-1.5, 2.5)
NOT_CLEAN_LLR: Final = -1.0
SUSPECT: Final = 0.5
"""From here on a line counts as broken now."""
_LEAST_MS: Final = 1e-6
FILTER_WINDOWS: Final = 24


@dataclass(frozen=True, slots=True)
class Condition:
    """State of every line now, under each profile's limits.

    `suspicion` (L, S, P): probability that the line is broken; `by_cause` (L, S, P, C), C in the order of
    `CAUSES`; `since` (L, S, P): index of the window since which it has been suspect, -1 where it is not.
    """

    suspicion: NDArray[np.float32]
    by_cause: NDArray[np.float32]
    since: NDArray[np.int64]


def condition(recent: Recent, limits: Sequence[Limits]) -> Condition:
    """Condition of every line under each of L limits, from the last `FILTER_WINDOWS` windows."""
    seen = recent.last(FILTER_WINDOWS)
    ratios = np.exp(np.stack([_evidence(seen, each) for each in limits]))  # (L, S, P, W, C)
    broken = np.full(ratios.shape[:3] + ratios.shape[4:], FIRST, dtype=np.float32)
    since = np.full(ratios.shape[:3], -1, dtype=np.int64)
    windows = ratios.shape[3]
    for window in range(windows):
        said = np.isfinite(ratios[:, :, :, window])
        prior = BREAKS + (1.0 - BREAKS - MENDS) * broken
        odds = prior / (1.0 - prior) * ratios[:, :, :, window]
        broken = np.where(said, odds / (1.0 + odds), broken)
        suspect = broken.max(axis=-1) >= SUSPECT
        since = np.where(suspect, np.where(since < 0, window, since), -1)
    offset = len(recent.start_ns) - windows
    return Condition(broken.max(axis=-1), broken, np.where(since < 0, -1, since + offset))


def _evidence(seen: Recent, limits: Limits) -> NDArray[np.float32]:
    """Log-likelihood ratios (S, P, W, C) of one profile's limits; NaN where a window says nothing of a cause."""
    out = np.zeros((*seen.present.shape, len(CAUSES)), dtype=np.float32)
    for index, cause in enumerate(CAUSES):
        limit = limit_of(cause, limits)
        if cause is Cause.OUTAGE:
            out[..., index] = np.where(is_outage(seen.counts), MOST_LLR, LEAST_LLR)
        elif limit is None:
            out[..., index] = LEAST_LLR
        elif cause & BURST_CAUSES:
            out[..., index] = _burst(seen, cause, limit)
        elif not cause & RATIO_CAUSES:
            out[..., index] = _delay(seen, cause, limit)
    if limits.loss_ratio is not None:
        _put_loss(out, seen, limits.loss_ratio)
    out[~seen.present] = np.nan
    return out


def _put_loss(out: NDArray[np.float32], seen: Recent, limit: float) -> None:
    own, uplink = _loss(seen.counts, limit), _loss(seen.over_uplink(1), limit)
    for cause, alone, pooled in zip((Cause.LOSS_UP, Cause.LOSS_DOWN, Cause.LOSS), own, uplink, strict=True):
        together = np.where(alone > NOT_CLEAN_LLR, np.maximum(alone, pooled), alone)
        if cause is Cause.LOSS:
            together = np.where(seen.counts.unattributed > 0, together, LEAST_LLR)
        out[..., CAUSES.index(cause)] = np.clip(together, LEAST_LLR, MOST_LLR)


def _loss(counts: Losses, limit: float) -> list[NDArray[np.floating]]:
    sound, broken = limit / 3.0, min(2.0 * limit, 0.99)
    per_lost, per_kept = np.log(broken / sound), np.log((1.0 - broken) / (1.0 - sound))
    return [lost * per_lost + (sent - lost) * per_kept for lost, sent in counts.directions()]


def _burst(seen: Recent, cause: Cause, limit: float) -> NDArray[np.floating]:
    lost, sent = burst_of(seen.values, cause)
    with np.errstate(invalid="ignore"):
        burst = (lost >= LEAST_BURST_LOST) & (lost > limit * sent)
        judged = (sent >= LEAST_BURST_SENT) | (seen.counts.lost == 0)  # nothing lost is no burst at any rate
    if cause is Cause.BURST:
        burst &= seen.counts.unattributed > 0
    return np.where(judged, np.where(burst, BURST_LLR[1], BURST_LLR[0]), np.nan)


def _delay(seen: Recent, cause: Cause, limit: float) -> NDArray[np.floating]:
    value = delay_of(seen.values, cause)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = SLOPE * np.log(np.maximum(value, _LEAST_MS) / limit)
    return np.asarray(np.clip(ratio, LEAST_LLR, MOST_LLR))
