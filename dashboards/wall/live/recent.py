"""The last two hours of every line, 15 s a step, in a ring: what the sparklines are drawn from.

A window is put where its start says, so that it does not matter if it comes twice or late.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from telemetry.windows import SLOT_NS, WINDOW_NS, WINDOWS_PER_SLOT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from telemetry.store.tables import RollupTable, StreamTable

SLOTS: Final = 24
WINDOWS: Final = SLOTS * WINDOWS_PER_SLOT
SPAN_NS: Final = SLOTS * SLOT_NS
DRAWN: Final = ("sent", "lost", "rtt_p95_ms")
"""The columns that are read of a window."""
_GROWTH: Final = 64
Line = tuple[str, str]
"""Site and path."""


class Recent:
    """Loss ratio and 95th percentile of the round trip (ms) per line and window; NaN where there is none."""

    def __init__(self) -> None:
        self._rows: dict[Line, int] = {}
        self._values = np.full((2, 0, WINDOWS), np.nan, dtype=np.float32)
        self._end_slot = 0
        self._newest: dict[str, int] = {}
        self._paths: dict[str, list[str]] = {}

    def advance(self, now_ns: int) -> None:
        """Let the ring end with the slot that `now_ns` lies in; what falls out of it is forgotten."""
        slot = now_ns // SLOT_NS
        steps = min(max(slot - self._end_slot, 0), SLOTS)
        for cleared in range(slot - steps + 1, slot + 1):
            at = cleared % SLOTS * WINDOWS_PER_SLOT
            self._values[:, :, at : at + WINDOWS_PER_SLOT] = np.nan
        self._end_slot = max(slot, self._end_slot)

    def take_windows(self, table: StreamTable) -> set[str]:
        """Put in stream windows; the sites that they belong to."""
        columns = table.columns
        sent = np.asarray(columns["sent"], dtype=np.float64)
        loss = np.divide(columns["lost"], sent, out=np.full(len(sent), np.nan), where=sent > 0)
        starts = np.asarray(columns["start_ns"], dtype=np.int64)
        lines = self._lines(table, columns["site"], columns["path"])
        self._put(lines, starts, loss, np.asarray(columns["rtt_p95_ms"], dtype=np.float64))
        return self._note_newest(table, starts)

    def take_rollups(self, table: RollupTable) -> None:
        """Put in the windows that roll-ups keep."""
        columns, values = table.columns, table.window_values
        sent = np.asarray(values["sent"], dtype=np.float64)
        loss = np.divide(values["lost"], sent, out=np.full(sent.shape, np.nan), where=sent > 0)
        slots = np.asarray(columns["slot_ns"], dtype=np.int64)
        starts = slots[:, None] + np.arange(WINDOWS_PER_SLOT) * WINDOW_NS
        lines = np.repeat(self._lines(table, columns["site"], columns["path"]), WINDOWS_PER_SLOT)
        self._put(
            lines, starts.ravel(), loss.ravel(), np.asarray(values["rtt_p95_ms"], dtype=np.float64).ravel()
        )

    def newest_ns(self, site: str) -> int | None:
        """End of the newest window of a site."""
        return self._newest.get(site)

    def paths(self, site: str) -> Sequence[str]:
        """The site's paths that have been seen."""
        return self._paths.get(site, ())

    def sparkline(self, site: str, path: str) -> NDArray[np.float64] | None:
        """Mean loss ratio and mean RTT p95 (ms) by slot, shape (2, 24), oldest first; None for an unknown line."""
        row = self._rows.get((site, path))
        if row is None:
            return None
        turned = np.roll(self._values[:, row], -(self._end_slot + 1) % SLOTS * WINDOWS_PER_SLOT, axis=1)
        slots = turned.reshape(2, SLOTS, WINDOWS_PER_SLOT)
        present = np.isfinite(slots)
        total = np.where(present, slots, 0.0).sum(axis=2, dtype=np.float64)
        mean: NDArray[np.float64] = np.divide(
            total, present.sum(axis=2), out=np.full((2, SLOTS), np.nan), where=present.any(axis=2)
        )
        return mean

    def _lines(
        self, table: StreamTable | RollupTable, sites: NDArray[np.generic], paths: NDArray[np.generic]
    ) -> NDArray[np.int64]:
        pairs, inverse = np.unique(
            np.stack((np.asarray(sites, dtype=np.int64), np.asarray(paths, dtype=np.int64)), axis=1),
            axis=0,
            return_inverse=True,
        )
        rows = [self._row((table.sites[site], table.paths[path])) for site, path in pairs.tolist()]
        return np.asarray(rows, dtype=np.int64)[inverse.ravel()] if rows else np.empty(0, dtype=np.int64)

    def _row(self, line: Line) -> int:
        row = self._rows.setdefault(line, len(self._rows))
        if row >= self._values.shape[1]:
            more = np.full((2, _GROWTH, WINDOWS), np.nan, dtype=np.float32)
            self._values = np.concatenate((self._values, more), axis=1)
        known = self._paths.setdefault(line[0], [])
        if line[1] not in known:
            known.append(line[1])
            known.sort()
        return row

    def _put(
        self,
        lines: NDArray[np.int64],
        starts: NDArray[np.int64],
        loss: NDArray[np.float64],
        rtt: NDArray[np.float64],
    ) -> None:
        slots = starts // SLOT_NS
        inside = (slots > self._end_slot - SLOTS) & (slots <= self._end_slot)
        at = starts[inside] // WINDOW_NS % WINDOWS
        self._values[0, lines[inside], at] = loss[inside]
        self._values[1, lines[inside], at] = rtt[inside]

    def _note_newest(self, table: StreamTable, starts: NDArray[np.int64]) -> set[str]:
        sites = np.asarray(table.columns["site"], dtype=np.int64)
        newest = np.zeros(len(table.sites), dtype=np.int64)
        np.maximum.at(newest, sites, starts + WINDOW_NS)
        touched = set()
        for index in np.unique(sites).tolist():
            site = table.sites[index]
            self._newest[site] = max(self._newest.get(site, 0), int(newest[index]))
            touched.add(site)
        return touched
