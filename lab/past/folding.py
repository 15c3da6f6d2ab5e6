"""Twenty windows into one five-minute roll-up, by the store's own rules (`telemetry.store.rollup`).

Sums of counts, the worst of bursts and runs, means of jitter, extremes of extremes; a test holds the two against each
other. Percentiles are the windows' mean here, where the store has merged histograms: of one law, they are the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from telemetry.store.columns import COUNT_COLUMNS, FLOAT_COLUMNS
from telemetry.windows import WINDOWS_PER_SLOT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Columns = dict[str, NDArray[Any]]

_WORST: Final = ("worst_200ms", "up_worst_200ms", "down_worst_200ms")
_MAXIMA: Final = (
    "longest_loss_run", "up_longest_loss_run", "down_longest_loss_run",
    "emulated", "stateful", "clock_state", "stamps",  # the last four are the same in every drawn window
)  # fmt: skip
_NEVER: Final = (
    "straddled", "reflector_restarts", "late_sends", "rx_drops",
    "up_duplicated", "up_reordered", "down_duplicated", "down_reordered",
)  # fmt: skip
"""Nothing of these is drawn."""
_GREATEST: Final = ("rtt_max_ms", "up_jitter_max_ms", "down_jitter_max_ms", "clock_error_ms")
_ONES: Final = np.ones(WINDOWS_PER_SLOT)
_DECIMALS: Final = 6


class Folder:
    """Folds columns (rows, 20) over the windows that are there."""

    def __init__(self, here: NDArray[np.bool_]) -> None:
        self._here = here
        self._all = bool(here.all())
        self.windows: NDArray[np.int64] = here.sum(axis=1).astype(np.int64)
        """(rows,) how many windows are there."""

    def only(self, values: NDArray[Any]) -> NDArray[Any]:
        """The values, 0 where there is no window."""
        return values if self._all else np.where(self._here, values, 0)

    def values(self, values: NDArray[Any]) -> NDArray[np.float32]:
        """The values of the windows themselves, NaN where there is none."""
        out = values.astype(np.float32)
        return out if self._all else np.where(self._here, out, np.float32(np.nan))

    def counts(self, columns: Mapping[str, NDArray[Any]]) -> Columns:
        """Every count column, (rows,)."""
        out: Columns = {}
        for name in COUNT_COLUMNS:
            if name in _NEVER:
                out[name] = np.zeros(len(self._here), dtype=np.int64)
            elif name in _MAXIMA:
                out[name] = _extreme(np.maximum, self.only(columns[name]))
            else:
                out[name] = _sum(self.only(columns[name])).astype(np.int64)  # exact below 2^53
        for burst in _WORST:
            out |= self._worst(burst, columns)
        return out

    def _worst(self, burst: str, columns: Mapping[str, NDArray[Any]]) -> Columns:
        """The window with the worst 200 ms: by ratio, then by count (both make one rising key); of equals the last."""
        lost, sent = (self.only(columns[f"{burst}_{what}"]) for what in ("lost", "sent"))
        key = lost / np.maximum(sent, 1) * 1e6 + lost
        known = key if self._all else np.where(self._here, key, -1.0)
        at = known.shape[1] - 1 - np.argmax(known[:, ::-1], axis=1)
        row = np.arange(len(at))
        return {f"{burst}_lost": lost[row, at], f"{burst}_sent": sent[row, at]}

    def floats(self, columns: Mapping[str, NDArray[Any]]) -> Columns:
        """Every float column, (rows,); NaN where no window has the figure."""
        replies = self.only(columns["received"])
        there = self._here & (replies > 0)
        always = self._here
        out: Columns = {}
        for name in FLOAT_COLUMNS:
            known = always if name in ("rate_pps", "clock_error_ms") or "bitrate" in name else there
            known = (
                known
                if name != "rtt_mean_ms" and "jitter" not in name
                else ~np.isnan(columns[name]) & self._here
            )
            out[name] = np.round(_folded(name, columns[name], known, replies), _DECIMALS)
        return out

    @staticmethod
    def weighted(values: NDArray[Any], weight: NDArray[Any]) -> NDArray[np.float64]:
        """Mean of each row by weight; 0 where there is no weight."""
        total, summed = _sum(weight), _sum(values * weight)
        return np.divide(summed, total, out=np.zeros_like(summed), where=total > 0)


def _folded(
    name: str, values: NDArray[Any], known: NDArray[np.bool_], replies: NDArray[Any]
) -> NDArray[np.float64]:
    if name in _GREATEST:
        found = _extreme(np.maximum, np.where(known, values, -np.inf))
        return np.where(np.isinf(found), np.nan, found)
    if name == "rtt_min_ms":
        found = _extreme(np.minimum, np.where(known, values, np.inf))
        return np.where(np.isinf(found), np.nan, found)
    weight = np.where(known, replies, 0) if name == "rtt_mean_ms" else known.astype(np.float64)
    mean = Folder.weighted(np.where(known, values, 0.0), weight)
    return np.where(_sum(weight) > 0, mean, np.nan)


def _sum(values: NDArray[Any]) -> NDArray[np.float64]:
    """Sum of each row; as a product with ones, far faster than a reduction over so short an axis."""
    return np.asarray(values.astype(np.float64, copy=False) @ _ONES)


def _extreme(how: np.ufunc, values: NDArray[Any]) -> NDArray[Any]:
    """Least or greatest of each row, window by window for the same reason."""
    out = values[:, 0].copy()
    for column in values.T[1:]:
        how(out, column, out=out)
    return out
