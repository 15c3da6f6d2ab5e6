"""What a line does by itself: the script's hours, and the evening's congestion, known or still to come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.special import ndtr, ndtri

from lab.past.breaking import FAILS_ABOVE
from lab.past.congestion import BEGINS_MIN, LOAD_SIGMA, memory_weights, shape
from lab.past.laws import MINUTE_NS
from lab.past.lines import line_states
from lab.past.truth import ALWAYS_NS, RECURRING, Cause
from lab.running.agenda import Agenda
from lab.running.scope import Places
from telemetry.windows import HOUR_NS, SLOT_NS, WINDOW_NS, WINDOWS_PER_SLOT

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from config.sites import Site
    from lab.past.breaking import Breaking
    from lab.past.chances import Questions
    from lab.past.plan import PastPlan

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

EVENINGS: Final = ndtri((np.arange(65) + 0.5) / 65)
"""Lots of evenings that stand for the normal law."""
_BACK_NS: Final = 6 * HOUR_NS


class Recurring:
    """The lines of a plan to one end, by the hour."""

    def __init__(self, plan: PastPlan, breaking: Breaking, end: str) -> None:
        self._plan, self._breaking = plan, breaking
        self._places = Places(plan.places.sites, (end,), plan.places.providers)
        self._agenda = Agenda(plan.script, plan.places, plan.timezone)

    def chance(self, site: Site, asked: Questions) -> Floats:
        """(m,) probability that an office's line fails meetings by itself."""
        slots, owner = _slots_of(asked)
        middle_ns = slots + SLOT_NS // 2 - WINDOW_NS // 2
        order = np.argsort(middle_ns, kind="stable")
        unique, inverse = np.unique(middle_ns[order], return_inverse=True)
        acts = self._agenda.acts(unique)
        states = line_states(site, self._places, self._plan.lines, acts, (), unique)
        back = np.empty(len(order), dtype=np.int64)
        back[order] = inverse
        jitter, loss, burst = (
            part[:, 0, back] for part in (states.jitter_ms, states.loss_ratio, states.burst_ms)
        )
        level = self._plan.congestion.level_ms.get(site.id)
        if level is None:
            return _fails(self._breaking.odds(jitter, loss, burst), owner, len(asked.site))
        return self._evenings(site, asked, (jitter, loss, burst), (middle_ns, owner), level)

    def _evenings(
        self,
        site: Site,
        asked: Questions,
        line: tuple[Floats, Floats, Floats],
        slots: tuple[Ints, Ints],
        level: float,
    ) -> Floats:
        congestion = self._plan.congestion
        jitter, loss, burst = line
        middle_ns, owner = slots
        day, minute = congestion.days.day_and_minute(middle_ns)
        height = level * shape(minute) * np.array([congestion.weekday(int(d)) for d in day])
        meeting_day = congestion.days.day_and_minute(asked.start_ns)[0]
        mean, sigma = self._evening_law(congestion.group[site.id], asked.now_ns, meeting_day)
        chance = np.zeros(len(asked.site))
        for z in EVENINGS:
            load = np.exp(LOAD_SIGMA * (mean + sigma * z) - LOAD_SIGMA**2 / 2)
            laden = jitter.copy()
            laden[1] += height * load[owner]
            chance += _fails(self._breaking.odds(laden, loss, burst), owner, len(asked.site)) / len(EVENINGS)
        return chance

    def _evening_law(self, group: str, now_ns: Ints, day: Ints) -> tuple[Floats, Floats]:
        """Mean and sigma of an evening's normal lot, given the evenings that have begun."""
        congestion, weights = self._plan.congestion, memory_weights()
        mean, variance = np.zeros(len(day)), np.zeros(len(day))
        for at in np.unique(day):
            here = day == at
            for k, weight in enumerate(weights):
                begins_ns = congestion.days.midnight_ns(int(at) - k) + round(BEGINS_MIN * MINUTE_NS)
                known = now_ns[here] >= begins_ns
                lot = congestion.lot(group, int(at) - k)
                mean[here] += np.where(known, weight * lot, 0.0)
                variance[here] += np.where(known, 0.0, weight**2)
        return mean, np.sqrt(variance)

    def cause(self, site: Site, start_ns: int, end_ns: int) -> tuple[Cause | None, float]:
        """What the hours did to a meeting, and the share of its windows that they broke."""
        slots: Ints = np.arange(start_ns - _BACK_NS, end_ns, SLOT_NS) + SLOT_NS // 2 - WINDOW_NS // 2
        congestion_ms = self._plan.congestion.jitter_ms(site.id, slots)
        acts = self._agenda.acts(slots)
        states = line_states(site, self._places, self._plan.lines, acts, (), slots, congestion_ms)
        odds = self._breaking.odds(states.jitter_ms, states.loss_ratio, states.burst_ms)[0]
        inside = odds[slots >= start_ns]
        if inside.max() < 0.01:
            return None, 0.0
        bad = np.flatnonzero(odds > FAILS_ABOVE)
        onset_ns = int(slots[bad[0]]) if len(bad) else start_ns
        return Cause(RECURRING, onset_ns, ALWAYS_NS), float(inside.mean())


def _slots_of(asked: Questions) -> tuple[Ints, Ints]:
    """Starts of all slots of all meetings, and whose each is."""
    number = (asked.end_ns - asked.start_ns) // SLOT_NS
    owner = np.repeat(np.arange(len(number)), number)
    within = np.arange(len(owner)) - np.repeat(np.cumsum(number) - number, number)
    return asked.start_ns[owner] + within * SLOT_NS, owner


def _fails(odds: Floats, owner: Ints, meetings: int) -> Floats:
    """P(more than 5 % of a meeting's windows break), by the normal law; `odds` is one a slot."""
    windows = np.bincount(owner, minlength=meetings) * float(WINDOWS_PER_SLOT)
    mean = np.bincount(owner, odds, meetings) * WINDOWS_PER_SLOT
    variance = np.bincount(owner, odds * (1.0 - odds), meetings) * WINDOWS_PER_SLOT
    most = np.floor(FAILS_ABOVE * windows + 1e-9) + 0.5
    return np.asarray(ndtr((mean - most) / np.sqrt(np.maximum(variance, 1e-9))))
