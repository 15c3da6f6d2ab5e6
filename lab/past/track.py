"""The drawn past slot by slot, without packets: what a model of forecasts learns from, weeks of it in seconds.

The same faults, characters and laws as `lab.past.office` draws windows from; of each window only whether it broke is
drawn (`lab.past.breaking`), and a slot holds the shares. Lines are probed at the base rate throughout.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from lab.past.lines import line_states
from lab.running.agenda import Agenda
from lab.running.scope import Places
from telemetry.line_slots import NEVER, LineSlots
from telemetry.windows import SECOND_NS, SLOT_NS, WINDOW_NS, WINDOWS_PER_SLOT

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from config.sites import Site
    from lab.past.breaking import Breaking
    from lab.past.lines import LineStates
    from lab.past.plan import PastPlan
    from lab.running.agenda import Act

_ARRIVES_NS: Final = 60 * SECOND_NS
"""A slot is known whole so long after its end, unless its line was cut."""
_DELIVERED_NS: Final = 4 * SECOND_NS
_OUT: Final = 0.02
"""From this share of silence on a window has lost more than any profile allows."""
MOST_STRAIN: Final = 5.0
_SCATTER: Final = 0.02
"""Of a slot's mean figures."""
PLANNED_LEAD_NS: Final = 24 * 3600 * SECOND_NS
"""What was announced later than that before it began is not told here: no forecast of a day ahead could see it."""


@dataclass(frozen=True, slots=True)
class SlotTrack(LineSlots):
    """N lines over T slots as they were drawn, and which of their windows failed."""

    @property
    def failing(self) -> NDArray[np.float64]:
        """(N, T) share of all windows that broke or were not measured."""
        broke = np.where(self.measured > 0, np.nan_to_num(self.broke), 0.0) * self.measured
        return np.asarray(broke + (1.0 - self.measured), dtype=np.float64)

    def failed(
        self, line: NDArray[np.int64], start_ns: NDArray[np.int64], end_ns: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """(M,) share of the windows of meetings on lines that broke; they begin and end with slots."""
        first = start_ns // self.slot_ns - self.first_slot
        last = end_ns // self.slot_ns - self.first_slot
        total = np.concatenate([np.zeros((len(self.broke), 1)), np.cumsum(self.failing, axis=1)], axis=1)
        return np.asarray((total[line, last] - total[line, first]) / (last - first))


def draw_track(
    plan: PastPlan, breaking: Breaking, end: str, progress: Callable[[str], None] = lambda _text: None
) -> SlotTrack:
    """The past of every office's line to one end; the same plan gives the same.

    Args:
        plan: of the past; its span is whole slots.
        breaking: the limits of the profile.
        end: which headquarters.
        progress: told every ten offices.
    """
    drawer = _Drawer(plan, breaking, end)
    sites = plan.places.sites
    rows = []
    for number, site in enumerate(sites):
        rows.append(drawer.line(site))
        if number % 10 == 9:
            progress(f"drawn: {number + 1} of {len(sites)} offices")
    return SlotTrack(
        first_slot=plan.start_ns // SLOT_NS,
        slot_ns=SLOT_NS,
        broke=np.stack([row.broke for row in rows]),
        measured=np.stack([row.measured for row in rows]),
        silent_until_ns=_silent_until_ns(rows),
        strain=np.stack([row.strain for row in rows]),
        arrived_ns=np.stack([row.arrived_ns for row in rows]),
        planned=planned_slots(plan),
        groups={
            "provider": _numbered([plan.places.providers.get(site.id, "") for site in sites]),
            "region": _numbered([site.region for site in sites]),
            "end": np.zeros(len(sites), dtype=np.int32),
        },
    )


def planned_slots(plan: PastPlan) -> NDArray[np.bool_]:
    """(N, T) works or a holiday were announced for the slot a day before they began."""
    first = plan.start_ns // SLOT_NS
    sites = {site.id: row for row, site in enumerate(plan.places.sites)}
    out = np.zeros((len(sites), plan.end_ns // SLOT_NS - first), dtype=bool)
    for fault in plan.faults:
        if fault.planned_end_ns is None or fault.announced_ns is None:
            continue
        if fault.start_ns - fault.announced_ns >= PLANNED_LEAD_NS:
            begin = max(fault.start_ns // SLOT_NS - first, 0)
            over = max(-(-fault.planned_end_ns // SLOT_NS) - first, 0)
            out[[sites[site] for site in fault.sites], begin:over] = True
    return out


def _silent_until_ns(rows: Sequence[_Row]) -> NDArray[np.int64]:
    """(N, T): an office has one line here, is awaited from its first word on, and somebody is always heard."""
    there = np.stack([row.measured > 0 for row in rows])
    came_ns = np.where(there, [row.arrived_ns for row in rows], NEVER)
    return np.where(np.logical_or.accumulate(there, axis=1), came_ns, 0)


@dataclass(frozen=True, slots=True)
class _Row:
    broke: NDArray[np.float32]
    measured: NDArray[np.float32]
    strain: NDArray[np.float32]
    arrived_ns: NDArray[np.int64]


class _Drawer:
    def __init__(self, plan: PastPlan, breaking: Breaking, end: str) -> None:
        self._plan, self._breaking = plan, breaking
        self._places = Places(plan.places.sites, (end,), plan.places.providers)
        self._start_ns = np.arange(plan.start_ns, plan.end_ns, WINDOW_NS, dtype=np.int64)
        self._acts: list[Act] = Agenda(plan.script, plan.places, plan.timezone).acts(self._start_ns)

    def line(self, site: Site) -> _Row:
        """One office's slots."""
        plan = self._plan
        own = [fault for fault in plan.faults if site.id in fault.sites]
        congestion_ms = plan.congestion.jitter_ms(site.id, self._start_ns)
        states = line_states(site, self._places, plan.lines, self._acts, own, self._start_ns, congestion_ms)
        lot = np.random.default_rng([plan.seed, 5, *site.id.encode()])
        broke = self._broke(states, lot)
        here = ~states.dark
        measured = _by_slot(here.astype(np.float32))
        share = _by_slot((broke & here).astype(np.float32))
        strain = _by_slot(np.where(here, self._breaking.strain(states)[0], 0.0))
        scatter = 1.0 + _SCATTER * lot.standard_normal(strain.shape)
        known = measured > 0
        over = np.maximum(measured, 1e-9)
        return _Row(
            broke=np.where(known, share / over, np.nan).astype(np.float32),
            measured=measured.astype(np.float32),
            strain=np.where(known, np.minimum(strain / over * scatter, MOST_STRAIN), np.nan).astype(
                np.float32
            ),
            arrived_ns=self._arrived(states),
        )

    def _broke(self, states: LineStates, lot: np.random.Generator) -> NDArray[np.bool_]:
        odds = self._breaking.odds(states.jitter_ms, states.loss_ratio, states.burst_ms)[0]
        return np.asarray((lot.random(odds.shape) < odds) | (states.out_share[0] > _OUT))

    @staticmethod
    def _arrived(states: LineStates) -> NDArray[np.int64]:
        end_ns = states.start_ns[WINDOWS_PER_SLOT - 1 :: WINDOWS_PER_SLOT] + WINDOW_NS
        held = np.where(states.dark, 0, states.held_until_ns).reshape(-1, WINDOWS_PER_SLOT).max(axis=1)
        return np.asarray(np.maximum(end_ns + _ARRIVES_NS, held + _DELIVERED_NS))


def _by_slot(values: NDArray[np.floating]) -> NDArray[np.float64]:
    return np.asarray(values.reshape(-1, WINDOWS_PER_SLOT).mean(axis=1), dtype=np.float64)


def _numbered(names: list[str]) -> NDArray[np.int32]:
    """Equal names as equal numbers; -1 for none."""
    order = sorted(set(names) - {""})
    return np.array([order.index(name) if name else -1 for name in names], dtype=np.int32)
