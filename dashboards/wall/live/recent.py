"""The last two hours of every line, 15 s a step, in a ring: what the sparklines are drawn from.

A window is put where its start says, so that it does not matter if it comes twice or late. Of one that two probes measured one
is drawn (`analytics.one_window`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from analytics.one_window import Probes, counted_once, counts_beside, fullest
from telemetry.windows import SLOT_NS, WINDOW_NS, WINDOWS_PER_SLOT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

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
        self._values = np.full((3, 0, WINDOWS), np.nan, dtype=np.float32)
        """Loss, round trip, packets sent."""
        self._probe = np.zeros((0, WINDOWS), dtype=np.int32)
        """Whose window it is, as a place in `_probes`."""
        self._probes = Probes()
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
        touched = self._note_newest(table, np.asarray(table.columns["start_ns"], dtype=np.int64))
        rows = fullest(table)
        columns = {name: column[rows] for name, column in table.columns.items()}
        lines = self._lines(table, columns["site"], columns["path"])
        probe = self._probes.places(table.probes)[columns["probe"]]
        self._put(lines, np.asarray(columns["start_ns"], dtype=np.int64), probe, columns)
        return touched

    def take_rollups(self, table: RollupTable) -> None:
        """Put in the windows that roll-ups keep."""
        columns = table.columns
        slots = np.asarray(columns["slot_ns"], dtype=np.int64)
        starts = slots[:, None] + np.arange(WINDOWS_PER_SLOT) * WINDOW_NS
        lines = self._lines(table, columns["site"], columns["path"])
        probe = self._probes.places(table.probes)[columns["probe"]]
        values = counted_once(table, table.window_values, np.arange(len(table)))
        there = np.isfinite(values["sent"])
        row = np.nonzero(there)[0]
        self._put(lines[row], starts[there], probe[row], {name: values[name][there] for name in DRAWN})

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
        turned = np.roll(self._values[:2, row], -(self._end_slot + 1) % SLOTS * WINDOWS_PER_SLOT, axis=1)
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
            self._values = np.pad(self._values, ((0, 0), (0, _GROWTH), (0, 0)), constant_values=np.nan)
            self._probe = np.pad(self._probe, ((0, _GROWTH), (0, 0)))
        known = self._paths.setdefault(line[0], [])
        if line[1] not in known:
            known.append(line[1])
            known.sort()
        return row

    def _put(
        self,
        lines: NDArray[np.int64],
        starts: NDArray[np.int64],
        probe: NDArray[np.int32],
        drawn: Mapping[str, NDArray[Any]],
    ) -> None:
        """Windows (n,) of which no two are the same, beside what is there."""
        slots = starts // SLOT_NS
        inside = (slots > self._end_slot - SLOTS) & (slots <= self._end_slot)
        at = lines[inside], starts[inside] // WINDOW_NS % WINDOWS
        sent, lost, rtt = (np.asarray(drawn[name][inside], dtype=np.float64) for name in DRAWN)
        loss = np.divide(lost, sent, out=np.full(len(sent), np.nan), where=sent > 0)
        new = np.stack((loss, rtt, sent)).astype(np.float32)
        ranks, mine = self._probes.ranks, probe[inside]
        old = self._values[(slice(None), *at)]
        # Of as many packets sent the ratio says which lost more.
        counts = counts_beside((new[2], ranks[mine], new[0]), (old[2], ranks[self._probe[at]], old[0]))
        at = at[0][counts], at[1][counts]
        self._values[(slice(None), *at)] = new[:, counts]
        self._probe[at] = mine[counts]

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
