"""What acts already at the forecast's time, or is announced: how likely it spoils the meeting."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from lab.past import faults as past_faults
from lab.past import laws as past_laws
from lab.past import rates as past_rates
from lab.past.breaking import FAILS_ABOVE
from lab.past.chances import EFFECTS, QUANTILES, alike, inverse, lasts, spoils, survives
from lab.past.laws import MINUTE_NS

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from config.sites import Site
    from lab.past.chances import Questions
    from lab.past.faults import PastFault
    from lab.past.plan import PastPlan
    from lab.past.shares import Shares

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]


class Flapping:
    """Lines that flap for days: the spells that they will have."""

    def __init__(self, plan: PastPlan, shares: Shares) -> None:
        self._past, self._shares = plan.script.past, shares

    @lru_cache(maxsize=256)  # noqa: B019 - it lives as long as its run
    def spells_ahead(self, horizon: float, length: float) -> tuple[Floats, Floats]:
        """Mean number of spells of flapping that begin within so many minutes (n,) and spoil the meeting, (n,)."""
        per_min = self._past.flaps_per_day / past_laws.DAY_MIN
        law = past_rates.flap_law(self._past)[1]
        ahead = np.arange(0.0, horizon + length + 1.0)
        spoilt = per_min * spoils(law, ahead[:-1] + 0.5 - horizon, length, self._shares.of_flapping)
        return ahead, np.concatenate([[0.0], np.cumsum(spoilt)])

    @lru_cache(maxsize=256)  # noqa: B019 - it lives as long as its run
    def clusters_to_come(self, horizon: float, length: float) -> float:
        """Lines that will begin to flap, and flap in the meeting."""
        clusters, lasting = past_rates.cluster_law(self._past)
        if not clusters.per_month:
            return 0.0
        ahead, number = self.spells_ahead(horizon, length)
        spoilt = np.zeros(len(ahead) - 1)
        for q in QUANTILES:
            until = np.interp(ahead[:-1] + inverse(lasting, np.array([q]))[0], ahead, number)
            spoilt += 1.0 - np.exp(-np.maximum(until - number[:-1], 0.0))
        return float(clusters.per_min(0) * spoilt.sum() / len(QUANTILES))

    def goes_on(self, fault: PastFault, asked: Questions) -> Floats:
        """A line that flaps for days goes on for so long, and has its spells meanwhile."""
        past = self._past
        lasting = past_rates.cluster_law(past)[1]
        age = (asked.now_ns - fault.start_ns) / MINUTE_NS
        survived = survives(lasting, age)
        chance = np.zeros(len(age))
        for (horizon, length, _), rows in alike(asked, np.zeros(len(age))):
            ahead, number = self.spells_ahead(horizon, length)
            for q in QUANTILES:
                left = inverse(lasting, survived[rows] * q) - age[rows]
                chance[rows] += 1.0 - np.exp(-np.interp(left, ahead, number))
        return np.asarray(chance / len(QUANTILES))


class Present:
    """Chances by the faults that act, or were announced."""

    def __init__(self, plan: PastPlan, shares: Shares, flapping: Flapping) -> None:
        self._plan, self._shares, self._flapping = plan, shares, flapping
        past = plan.script.past
        self._lengths = {
            "power cut": past_rates.power_law(past)[1],
            "provider outage": past_rates.outage_law(past)[1],
            "bad spell": past_rates.spell_law(past)[1],
            "headquarters": past_rates.headquarters_law(past)[1],
        }
        self._others: dict[str, Callable[[Site, PastFault, Questions], Floats]] = {
            "creeping strain": self._creeps,
            "flapping": self._flaps,
            "flapping line": lambda _site, fault, asked: self._flapping.goes_on(fault, asked),
            "works": self._works,
            "works called off": self._works,
        }

    def chance(self, site: Site, fault: PastFault, asked: Questions) -> Floats | None:
        """(m,) probability that a fault spoils the meetings, 0 where it was not there yet or is over; None where it always is."""
        rows = _concerned(fault, asked)
        if not len(rows):
            return None
        part = asked.of(rows)
        chance = np.zeros(len(asked.site))
        if fault.name in self._lengths:
            share = self._shares.of(site, fault.effect)
            chance[rows] = lasts(self._lengths[fault.name], fault.start_ns, part, share)
        elif fault.name in self._others:
            chance[rows] = self._others[fault.name](site, fault, part)
        return chance  # holidays: `closed` sees to them

    def _flaps(self, _site: Site, fault: PastFault, asked: Questions) -> Floats:
        law = past_rates.flap_law(self._plan.script.past)[1]
        of_each = [lasts(law, fault.start_ns, asked, share) for share in self._shares.of_flapping]
        return np.asarray(np.mean(of_each, axis=0))

    def _creeps(self, site: Site, fault: PastFault, asked: Questions) -> Floats:
        """Strain that has begun turns into a bad spell at a known time, or does not."""
        past = self._plan.script.past
        law = past_rates.spell_law(past)[1]
        wait = np.maximum(fault.end_ns - asked.start_ns, 0) / MINUTE_NS
        before = np.maximum(asked.start_ns - fault.end_ns, 0) / MINUTE_NS
        length = (asked.end_ns - asked.start_ns) / MINUTE_NS
        chance = np.zeros(len(asked.site))
        for share in self._shares.of_bad_spells(site):
            need = FAILS_ABOVE * length / max(share, 1e-9)
            chance += np.where(wait + need < length, survives(law, before + need), 0.0) / EFFECTS
        return np.asarray(chance * past.creeping_breaks_share)

    def _works(self, _site: Site, fault: PastFault, asked: Questions) -> Floats:
        """Announced works: they are held or not; then they last as planned, or longer."""
        past = self._plan.script.past
        assert fault.planned_end_ns is not None
        begun = asked.now_ns >= fault.start_ns
        sure = np.where(begun, float(fault.name == "works"), 1.0 - past.works_called_off_share)
        need_ns = FAILS_ABOVE * (asked.end_ns - asked.start_ns)
        end_ns = np.minimum(fault.planned_end_ns, asked.end_ns)
        within = end_ns - np.maximum(fault.start_ns, asked.start_ns) > need_ns
        # Otherwise only if they run over far enough into the meeting, given that they have not ended yet.
        beyond = (asked.start_ns + need_ns - fault.planned_end_ns) / MINUTE_NS
        possible = np.maximum(fault.start_ns, asked.start_ns) + need_ns < asked.end_ns
        law = past_rates.overrun_law(past)
        late = np.maximum((asked.now_ns - fault.planned_end_ns) / MINUTE_NS, 0.0)
        running = np.where(late > 0, past.works_overrun_share * survives(law, late), 1.0)
        over = past.works_overrun_share * survives(law, np.maximum(beyond, 0.0)) / np.maximum(running, 1e-12)
        return np.asarray(sure * np.where(within, 1.0, np.where(possible, np.minimum(over, 1.0), 0.0)))

    def closed(self, site: Site, own: list[PastFault], asked: Questions) -> Floats:
        """On a holiday an office is switched off by habit; once it is, that is seen."""
        past, seed, days = self._plan.script.past, self._plan.seed, self._plan.congestion.days
        habit = past_faults.closing_habit(past, seed, site.id)
        day = days.day_and_minute(asked.start_ns)[0]
        chance = np.zeros(len(day))
        for at in np.unique(day):
            if past_faults.holiday(past, seed, int(at)):
                here = day == at
                closed = [
                    fault
                    for fault in own
                    if fault.name == "closed office"
                    and 0 <= fault.start_ns - days.midnight_ns(int(at)) < 60 * MINUTE_NS
                ]
                decided_ns = closed[0].start_ns if closed else days.midnight_ns(int(at)) + 60 * MINUTE_NS
                chance[here] = np.where(asked.now_ns[here] >= decided_ns, float(bool(closed)), habit)
        return chance


def _concerned(fault: PastFault, asked: Questions) -> Ints:
    """Questions asked while the fault acted, or after it was announced and before its end."""
    since_ns = fault.start_ns
    if fault.name in ("works", "works called off"):
        assert fault.announced_ns is not None
        since_ns = fault.announced_ns
    until_ns = max(fault.end_ns, fault.planned_end_ns or 0)
    return np.flatnonzero((asked.now_ns >= since_ns) & (asked.now_ns < until_ns))
