"""The recent windows of all lines as one grid: what the state now is judged by."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from analytics.losses import Losses, losses
from analytics.outages import LONGEST_RUN, Outages, outages

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from analytics.lines import Lines


@dataclass(frozen=True)
class Recent:
    """Windows that came in time. `values`: each (S, P, W), oldest first, NaN where absent; `start_ns` (W,)."""

    lines: Lines
    start_ns: NDArray[np.int64]
    values: Mapping[str, NDArray[np.float32]]

    @cached_property
    def counts(self) -> Losses:
        """Losses of each window, (S, P, W)."""
        return losses(self.values)

    @cached_property
    def present(self) -> NDArray[np.bool_]:
        """(S, P, W)."""
        return self.counts.sent > 0

    @cached_property
    def outages(self) -> Outages:
        """When nothing came through, (S, P, W)."""
        return outages(self.start_ns, self.counts, self.values.get(LONGEST_RUN))

    @cached_property
    def newest(self) -> NDArray[np.int64]:
        """(S, P): index of the newest window of each line; -1 where there is none."""
        windows = self.present.shape[-1]
        last = windows - 1 - np.argmax(self.present[..., ::-1], axis=-1)
        return np.where(self.present.any(axis=-1), last, -1)

    def last(self, windows: int) -> Recent:
        """The newest so many windows of the grid."""
        return Recent(
            self.lines,
            self.start_ns[-windows:],
            {name: value[..., -windows:] for name, value in self.values.items()},
        )

    def without(self, windows: NDArray[np.bool_]) -> Recent:
        """As if some windows (S, P, W) had not been measured; the same object without any."""
        if not windows.any():
            return self
        blank = np.float32(np.nan)
        values = {name: np.where(windows, blank, value) for name, value in self.values.items()}
        return Recent(self.lines, self.start_ns, values)

    def over_uplink(self, windows: int) -> Losses:
        """Counts of each line pooled with its uplink's other lines and with `windows` windows of time.

        A fault of the office's own line hits every path that leaves by it, so together they prove it sooner.
        """
        own, shares = self.counts.trailing(windows), self.lines.shares_uplink

        def pooled(counts: NDArray[np.int64]) -> NDArray[np.int64]:
            return np.asarray(np.einsum("spw,pq->sqw", counts, shares))

        return Losses(
            sent=pooled(own.sent),
            lost=pooled(own.lost),
            up_lost=pooled(own.up_lost),
            down_lost=pooled(own.down_lost),
            unattributed=pooled(own.unattributed),
        )
