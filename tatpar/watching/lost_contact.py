"""Loss of contact as windows: what the state database knows as spans of time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analytics.hours import local_hours, utc_bounds_ns
from telemetry.windows import WINDOW_NS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from analytics.hours import HourSpan
    from telemetry.state.db import StateDb


def lost_windows(state: StateDb, sites: Sequence[str], span: HourSpan) -> NDArray[np.int64]:
    """Windows of every local hour in which each site had lost contact, (S, T)."""
    out = np.zeros((len(sites), span.count), dtype=np.int64)
    for row, site in enumerate(sites):
        starts = _starts(state, site, *utc_bounds_ns(span))
        hour = local_hours(starts, span.zone) - span.first
        hour = hour[(hour >= 0) & (hour < span.count)]
        out[row] = np.bincount(hour, minlength=span.count)
    return out


def lost_in(
    state: StateDb, sites: Sequence[str], starts_ns: NDArray[np.int64], step_ns: int = WINDOW_NS
) -> NDArray[np.bool_]:
    """Whether each site had lost contact in each cell of a grid, (S, W); `starts_ns` (W,) rising by `step_ns`.

    In cells longer than a window contact was lost when it was for most of the cell.
    """
    out = np.zeros((len(sites), len(starts_ns)), dtype=bool)
    if len(starts_ns):
        end_ns = int(starts_ns[-1]) + step_ns
        for row, site in enumerate(sites):
            lost = _starts(state, site, int(starts_ns[0]), end_ns)
            cell = (lost - starts_ns[0]) // step_ns
            cell = cell[(cell >= 0) & (cell < len(starts_ns))]
            out[row] = np.bincount(cell, minlength=len(starts_ns)) * 2 * WINDOW_NS > step_ns
    return out


def _starts(state: StateDb, site: str, from_ns: int, until_ns: int) -> NDArray[np.int64]:
    """Starts of the windows that a loss of contact touches, each once."""
    parts = [
        np.arange(
            max(span.from_ns, from_ns) // WINDOW_NS, -(-min(span.until_ns or until_ns, until_ns) // WINDOW_NS)
        )
        for span in state.presence_spans(site, from_ns, until_ns)
    ]
    windows = np.unique(np.concatenate(parts)) if parts else np.zeros(0, dtype=np.int64)
    return windows.astype(np.int64) * WINDOW_NS
