"""The recent windows of all lines, filled from the store's tail.

Only windows that came in time say how a line is now: what was received more than `IN_TIME_NS` after its end raises no
flag. It mends the history and settles outcomes, and is kept beside the others where nothing came in time (`with_late`): how
long a fault lasted that is just over is told by it (decision 221). Windows from the future (a probe whose clock is wrong)
and emulated ones stay outside. Each kind is counted. Of a window that two probes measured one gets in (`analytics.one_window`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from analytics.floor import with_floor
from analytics.one_window import Probes, counts_beside, fullest
from analytics.outages import LONGEST_RUN
from analytics.own_trouble import TROUBLE_COLUMNS, changed_windows, claimed_beyond, without_own_trouble
from analytics.recent import Recent
from tatpar.watching.belief import Belief
from telemetry.store.columns import WINDOW_VALUE_COLUMNS
from telemetry.windows import SECOND_NS, WINDOW_NS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from analytics.lines import Lines
    from analytics.losses import Values
    from telemetry.state.beliefs import Believed
    from telemetry.store.tables import StreamTable

RING_WINDOWS: Final = 120
"""Half an hour."""
IN_TIME_NS: Final = 60 * SECOND_NS
MOST_PATHS: Final = 64


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of the rows of a table."""

    in_time: int = 0
    late: int = 0
    future: int = 0
    emulated: int = 0
    foreign: int = 0
    """Of sites that are not in the registry, or of more paths than are kept."""
    oldest_late_ns: int | None = None
    """Start of the oldest row that only the history takes up."""


class WindowRing:
    """A bounded grid (S, P, `RING_WINDOWS`) that moves with time."""

    def __init__(self, lines: Lines, now_ns: int) -> None:
        self.lines = lines
        self._head = now_ns // WINDOW_NS
        self._values = {
            name: np.full((*lines.shape, RING_WINDOWS), np.nan, dtype=np.float32)
            for name in (*WINDOW_VALUE_COLUMNS, LONGEST_RUN)
        }
        self._trouble = {
            name: np.zeros((*lines.shape, RING_WINDOWS), dtype=np.float32) for name in TROUBLE_COLUMNS
        }
        self._late = np.zeros((*lines.shape, RING_WINDOWS), dtype=bool)
        self._probe = np.zeros((*lines.shape, RING_WINDOWS), dtype=np.int32)
        """Whose window it is, as a place in `_probes`."""
        self._probes = Probes()
        self.last_end_ns: NDArray[np.int64] = np.zeros(lines.shape, dtype=np.int64)
        """(S, P): end of the newest window that came in time, 0 before the first."""
        self.stored_end_ns: NDArray[np.int64] = np.zeros(lines.shape, dtype=np.int64)
        """(S, P): end of the newest window that was stored before, however long ago and late, 0 where there was none."""
        self._belief = Belief(lines.shape, RING_WINDOWS)
        self._recent: Recent | None = None
        self._reported: Recent | None = None
        self._with_late: Recent | None = None
        self._not_believed: NDArray[np.bool_] | None = None
        self._floor_ms: NDArray[np.float32] | None = None

    def stand_on(self, floor_ms: NDArray[np.float32] | None) -> None:
        """The lines' own floors, (S, P) of this ring or of fewer paths, that round trips are compared with from now on."""
        if floor_ms is not self._floor_ms:
            self._floor_ms, self._recent = floor_ms, None

    def recall(self, before: WindowRing) -> None:
        """How far probes are believed by now, of a ring of other lines that this one takes the place of."""
        self._belief.recall(self.lines, before._belief, before.lines)
        self._recent = None

    def remember(self, written: Iterable[Believed]) -> None:
        """How far probes were believed before this process began."""
        self._belief.remember(self.lines, written, self._head)
        self._recent = None

    def believed_anew(self) -> list[Believed] | None:
        """How far probes are believed, to be written down; None while nothing was believed since it was asked last."""
        return self._belief.written(self.lines, self._head) if self._belief.is_news else None

    @property
    def ever_stored(self) -> NDArray[np.bool_]:
        """(S,): a window of the office is stored, however old."""
        return np.asarray((np.maximum(self.last_end_ns, self.stored_end_ns) > 0).any(axis=1))

    def recall_ends(self, newest: StreamTable) -> None:
        """When each line was heard last before this ring was begun, of the newest windows that are stored."""
        site, path = self.lines.places(newest)
        ours = (site >= 0) & (path >= 0) & (newest.columns["emulated"] != 1)
        ends = np.asarray(newest.columns["start_ns"], dtype=np.int64)[ours] + WINDOW_NS
        np.maximum.at(self.stored_end_ns, (site[ours], path[ours]), ends)

    def advance(self, now_ns: int) -> None:
        """Move on to the present; what is older than the ring is forgotten."""
        head = now_ns // WINDOW_NS
        passed = head - self._head
        if passed <= 0:
            return
        stale = (head - np.arange(min(passed, RING_WINDOWS))) % RING_WINDOWS
        self._belief.advance(stale, passed)
        for values in self._values.values():
            values[..., stale] = np.nan
        for values in self._trouble.values():
            values[..., stale] = 0.0
        self._late[..., stale] = False
        self._head, self._recent = head, None

    def take(self, table: StreamTable, now_ns: int) -> Taken:
        """Take in the rows of a table, those that came late beside those that came in time."""
        self.advance(now_ns)
        if not len(table):
            return Taken()
        self._learn_paths(table)
        site, path = self.lines.places(table)
        start = np.asarray(table.columns["start_ns"], dtype=np.int64)
        received = np.asarray(table.columns["received_ns"], dtype=np.int64)
        known = (site >= 0) & (path >= 0)
        emulated = known & (table.columns["emulated"] == 1)
        future = known & ~emulated & (start > now_ns)
        index = start // WINDOW_NS
        passed = index <= self._head - RING_WINDOWS
        late = (received - start - WINDOW_NS > IN_TIME_NS) | passed
        late &= known & ~emulated & ~future
        rows = np.flatnonzero(known & ~emulated & ~future & ~late)
        if len(rows):
            self._put(table, rows, (site[rows], path[rows], index[rows]))
        belated = np.flatnonzero(late & ~passed)
        if len(belated):
            self._put_late(table, belated, (site[belated], path[belated], index[belated]))
        mends = late | emulated
        return Taken(
            in_time=len(rows),
            late=int(late.sum()),
            future=int(future.sum()),
            emulated=int(emulated.sum()),
            foreign=int((~known).sum()),
            oldest_late_ns=int(start[mends].min()) if mends.any() else None,
        )

    def recent(self) -> Recent:
        """The grid, oldest window first, without what the probes' own trouble could explain; the same object until something changes."""
        if self._recent is None:
            windows = self._head - RING_WINDOWS + 1 + np.arange(RING_WINDOWS, dtype=np.int64)
            order = windows % RING_WINDOWS
            values = {name: column[..., order] for name, column in self._values.items()}
            trouble = {name: column[..., order] for name, column in self._trouble.items()}
            room, late = self._belief.room(), self._late[..., order]
            whole = without_own_trouble(values, trouble, room) if late.any() else None
            if whole is not None:
                values = {name: np.where(late, np.float32(np.nan), each) for name, each in values.items()}
                trouble = {name: np.where(late, np.float32(0.0), each) for name, each in trouble.items()}
            cleared = without_own_trouble(values, trouble, room)
            if cleared is not values:
                self._belief.left_out(changed_windows(values, cleared), order)
            self._recent = self._grid(windows, cleared)
            self._with_late = self._recent if whole is None else self._grid(windows, whole)
            self._reported = self._recent if cleared is values else self._grid(windows, values)
            self._not_believed = None if cleared is values else claimed_beyond(values, cleared, trouble, room)
        return self._recent

    def with_late(self) -> Recent:
        """The same with what came late of the time in which nothing came; the object of `recent` where nothing did."""
        recent = self.recent()
        return self._with_late or recent

    def reported(self) -> Recent:
        """The same as the probes reported it; the object of `recent` where no probe is in trouble."""
        recent = self.recent()
        return self._reported or recent

    def not_believed(self) -> NDArray[np.bool_] | None:
        """(S, P): lines whose probe has put down more to its own trouble than is believed; None where no probe is in trouble."""
        self.recent()
        return self._not_believed

    def _grid(self, windows: NDArray[np.int64], values: Values) -> Recent:
        if self._floor_ms is not None:
            values = with_floor(values, self._fitted(self._floor_ms))
        return Recent(self.lines, windows * WINDOW_NS, values)

    def _fitted(self, floor_ms: NDArray[np.float32]) -> NDArray[np.float32]:
        """Widened for paths that were learnt since: they have no floor yet."""
        lacking = len(self.lines.paths) - floor_ms.shape[1]
        return np.pad(floor_ms, ((0, 0), (0, max(lacking, 0))), constant_values=np.nan)

    def _put(self, table: StreamTable, rows: NDArray[np.int64], cell: tuple[NDArray[np.int64], ...]) -> None:
        site, path, index = cell
        np.maximum.at(self.last_end_ns, (site, path), (index + 1) * WINDOW_NS)
        at = site, path, index % RING_WINDOWS
        values = self._values["sent"]
        values[at] = np.where(self._late[at], np.float32(np.nan), values[at])
        self._late[at] = False
        self._lay(table, rows, cell)

    def _put_late(
        self, table: StreamTable, rows: NDArray[np.int64], cell: tuple[NDArray[np.int64], ...]
    ) -> None:
        """Where nothing came in time; nobody is heard by it."""
        at = cell[0], cell[1], cell[2] % RING_WINDOWS
        free = np.isnan(self._values["sent"][at]) | self._late[at]
        if free.any():
            site, path, index = (axis[free] for axis in cell)
            self._late[site, path, index % RING_WINDOWS] = True
            self._lay(table, rows[free], (site, path, index))

    def _lay(self, table: StreamTable, rows: NDArray[np.int64], cell: tuple[NDArray[np.int64], ...]) -> None:
        site, path, index = cell
        self._recent = None
        probe = self._probes.places(table.probes)[table.columns["probe"]]
        mine = np.isin(rows, fullest(table, rows))
        rows, at = rows[mine], (site[mine], path[mine], index[mine] % RING_WINDOWS)
        counts = counts_beside(
            (table.columns["sent"][rows], self._probes.ranks[probe[rows]], table.columns["lost"][rows]),
            (self._values["sent"][at], self._probes.ranks[self._probe[at]], self._values["lost"][at]),
        )
        rows, at = rows[counts], (at[0][counts], at[1][counts], at[2][counts])
        for name, values in self._values.items():
            values[at] = table.columns[name][rows]
        for name, values in self._trouble.items():
            if name in table.columns:  # what was imported knows of no probe
                values[at] = table.columns[name][rows]
        self._probe[at] = probe[rows]

    def _learn_paths(self, table: StreamTable) -> None:
        ends = {path.partition(".")[2] for path in self.lines.paths}
        for name in table.paths:
            if name in self.lines.path_index or len(self.lines.paths) >= MOST_PATHS:
                continue
            if name.partition(".")[2] not in ends:  # no meeting is connected there: only a probe's say-so
                continue
            self.lines = self.lines.with_path(name)
            wider = ((0, 0), (0, 1), (0, 0))
            self._values = {n: np.pad(v, wider, constant_values=np.nan) for n, v in self._values.items()}
            self._trouble = {n: np.pad(v, wider) for n, v in self._trouble.items()}
            self._late = np.pad(self._late, wider)
            self._probe = np.pad(self._probe, wider)
            self._belief.widen()
            self.last_end_ns = np.pad(self.last_end_ns, wider[:2])
            self.stored_end_ns = np.pad(self.stored_end_ns, wider[:2])
            self._recent = None
