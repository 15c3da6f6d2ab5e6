"""How many windows of each roll-up break, under many limits at once: a coarse look first, then the judge.

A window can break for loss only if it lost more than the limit's share, whatever is pooled with it, so a row
whose worst window does not is passed over unjudged; most rows of a sound line are. The work goes in chunks
that fit a processor's cache.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from analytics.floor import ABOVE
from analytics.judge import LEAST_BURST_LOST, LEAST_BURST_SENT, POOL_WINDOWS, causes_of
from analytics.losses import losses

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from analytics.losses import Values
    from config.profiles import Limits

CHUNK_ROWS: Final = 2048


def broken_windows(values: Values, limits: Sequence[Limits]) -> NDArray[np.int64]:
    """Broken windows (L, n) of n roll-ups; `values` each (n, 20), time along the last axis."""
    rows = len(values["sent"])
    out = np.zeros((len(limits), rows), dtype=np.int64)
    if not limits:
        return out
    for first in range(0, rows, CHUNK_ROWS):
        chunk = {name: column[first : first + CHUNK_ROWS] for name, column in values.items()}
        worst = _worst(chunk)
        suspect = np.stack([worst.may_break(each) for each in limits])
        closer = np.flatnonzero(suspect.any(axis=0))
        if not len(closer):
            continue
        picked = {name: column[closer] for name, column in chunk.items()}
        counts = losses(picked)
        pooled = counts.trailing(POOL_WINDOWS)
        for index in np.flatnonzero(suspect.any(axis=1)).tolist():
            causes = causes_of(picked, counts, pooled, limits[index])
            out[index, first + closer] = np.count_nonzero(causes, axis=-1)
    return out


@dataclass(frozen=True, slots=True)
class _Worst:
    """The worst window of each row, (n,); NaN where no window has the figure."""

    lost_ratio: NDArray[np.floating]
    burst: NDArray[np.bool_]
    jitter_ms: NDArray[np.floating]
    rtt_ms: NDArray[np.floating]
    above_floor_ms: NDArray[np.floating]

    def may_break(self, limits: Limits) -> NDArray[np.bool_]:
        """(R,): rows that need a closer look; an outage counts also where there is no limit of loss."""
        with np.errstate(invalid="ignore"):
            found = self.lost_ratio > min(limits.loss_ratio or 0.5, 0.99)
            if limits.burst_loss_ratio is not None:
                found |= self.burst
            if limits.jitter_ms is not None:
                found |= self.jitter_ms > limits.jitter_ms
            if limits.rtt_ms is not None:
                found |= self.rtt_ms > limits.rtt_ms
            if limits.rtt_above_floor_ms is not None:
                found |= self.above_floor_ms > limits.rtt_above_floor_ms
        return np.asarray(found)


def _worst(values: Values) -> _Worst:
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = values["lost"] / values["sent"]
        burst = np.zeros(len(ratio), dtype=bool)
        for prefix in ("", "up_", "down_"):
            sent, lost = (values[f"{prefix}worst_200ms_{what}"] for what in ("sent", "lost"))
            burst |= ((sent >= LEAST_BURST_SENT) & (lost >= LEAST_BURST_LOST)).any(axis=-1)
    jitter = np.fmax(values["up_jitter_ms"], values["down_jitter_ms"])
    return _Worst(
        lost_ratio=_greatest(ratio),
        burst=burst,
        jitter_ms=_greatest(jitter),
        rtt_ms=_greatest(values["rtt_p95_ms"]),
        above_floor_ms=_greatest(values[ABOVE]) if ABOVE in values else np.full(len(ratio), np.nan),
    )


def _greatest(values: NDArray[np.floating]) -> NDArray[np.floating]:
    """Greatest of each row, NaN where it has none; window by window, four times as fast as a reduction over so short an axis."""
    out = values[..., 0].copy()
    for column in range(1, values.shape[-1]):
        np.fmax(out, values[..., column], out=out)
    return out
