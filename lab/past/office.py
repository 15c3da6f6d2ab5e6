"""The past of one office, drawn day by day, so that a day is the same whichever span it is drawn in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from lab.past.lines import line_states
from lab.past.tables import rollup_table, stream_table
from lab.past.windows import draw
from lab.running.agenda import Agenda
from telemetry.store.assembly import concatenate
from telemetry.store.rollup_tables import as_rollups, as_windows
from telemetry.windows import DAY_NS, WINDOW_NS

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from config.sites import Site
    from lab.past.plan import PastPlan
    from telemetry.store.tables import RollupTable, StreamTable

_PER_DAY: Final = DAY_NS // WINDOW_NS


@dataclass(frozen=True, slots=True)
class OfficePast:
    """One office's past, ready for the store; rows by (day, path, start)."""

    site: str
    rollups: RollupTable
    streams: StreamTable


class StoppedError(Exception):
    """Nobody wants the past any more."""


class PastDrawer:
    """Draws the offices of a plan one by one; what is the same for all of them is worked out once."""

    def __init__(self, plan: PastPlan) -> None:
        self._plan = plan
        self._days = range(plan.start_ns // DAY_NS, -(-plan.end_ns // DAY_NS))
        self._start_ns = np.arange(
            self._days.start * DAY_NS, self._days.stop * DAY_NS, WINDOW_NS, dtype=np.int64
        )
        self._acts = Agenda(plan.script, plan.places, plan.timezone).acts(self._start_ns)

    def draw(self, site: Site, stopped: Callable[[], bool] = lambda: False) -> OfficePast:
        """The past of one office; the same plan gives the same.

        Raises:
            StoppedError: `stopped` said so, which is asked before each day.
        """
        plan, start_ns = self._plan, self._start_ns
        congestion_ms = plan.congestion.jitter_ms(site.id, start_ns)
        states = line_states(site, plan.places, plan.lines, self._acts, plan.faults, start_ns, congestion_ms)
        rate = _rate(plan, site, start_ns)
        rollups, streams = [], []
        # A day's arrays stay in the processor's cache: half the time of all days at once.
        for number, day in enumerate(self._days):
            if stopped():
                raise StoppedError
            span = slice(number * _PER_DAY, (number + 1) * _PER_DAY)
            lot = np.random.default_rng([plan.seed, day, *site.id.encode()])
            windows = draw(states.cut(span), rate[span], lot).between(plan.start_ns, plan.end_ns)
            rollups.append(as_windows(rollup_table(windows, site.id, plan.probe, plan.paths)))
            if day * DAY_NS + DAY_NS > plan.raw_from_ns:
                raw = windows.between(plan.raw_from_ns, plan.end_ns)
                streams.append(stream_table(raw, site.id, plan.probe, plan.paths))
        return OfficePast(site.id, as_rollups(concatenate(rollups)), concatenate(streams))


def _rate(plan: PastPlan, site: Site, start_ns: NDArray[np.int64]) -> NDArray[np.float64]:
    rate = np.full(len(start_ns), plan.base_pps)
    for busy in plan.busy.get(site.id, ()):
        first, last = np.searchsorted(start_ns, (busy.start_ns, busy.end_ns))
        rate[first:last] = plan.meeting_pps
    return rate
