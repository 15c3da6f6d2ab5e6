"""Faults to come: the mean number of those that would begin after the forecast and spoil the meeting."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lab.past import faults as past_faults
from lab.past import rates as past_rates
from lab.past.chances import alike, spoils, survives

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from config.sites import Site
    from lab.past.chances import Questions
    from lab.past.plan import PastPlan
    from lab.past.present import Flapping
    from lab.past.shares import Shares

    Floats = NDArray[np.float64]

_WHOLE = np.array([1.0])


class ToCome:
    """A Poisson law of each kind, thinned to what spoils the meeting."""

    def __init__(self, plan: PastPlan, shares: Shares, flapping: Flapping) -> None:
        self._plan, self._shares, self._flapping = plan, shares, flapping

    def number(self, site: Site, asked: Questions) -> Floats:
        """Mean number of faults to come that spoil the meeting, (m,)."""
        out = np.zeros(len(asked.site))
        local = self._plan.congestion.days.day_and_minute(asked.start_ns)[1]
        for (horizon, length, minute), rows in alike(asked, local):
            out[rows] = self._mean_number(site, horizon, length, minute)
        return out

    def _mean_number(self, site: Site, horizon: float, length: float, minute: float) -> float:
        """For a meeting that begins at a local minute of the day, so many minutes after the forecast."""
        past, seed = self._plan.script.past, self._plan.seed
        at = np.arange(0.5, horizon + length)
        lag, hour = at - horizon, ((minute - horizon + at) // 60 % 24).astype(int)
        power, power_length = past_rates.power_law(past)
        by_hour = np.array([power.per_min(h) for h in range(24)])
        number = past_faults.office_factor(seed, site.id, "power") * _sum(
            by_hour[hour], spoils(power_length, lag, length, _WHOLE)
        )
        outage, outage_length = past_rates.outage_law(past)
        provider = self._plan.places.providers.get(site.id)
        if provider is not None:
            share = 1.0 / len(past_faults.regions_of(self._plan.places, provider))
            number += share * _sum(outage.per_min(0), spoils(outage_length, lag, length, _WHOLE))
        trouble, trouble_length = past_rates.headquarters_law(past)
        shares = self._shares.of_headquarters(site)
        number += _sum(trouble.per_min(0), spoils(trouble_length, lag, length, shares))
        number += self._spells_to_come(site, at, lag, length)
        flap, flap_length = past_rates.flap_law(past)
        factor = past_faults.office_factor(seed, site.id, "flap")
        number += factor * _sum(flap.per_min(0), spoils(flap_length, lag, length, self._shares.of_flapping))
        return number + factor * self._flapping.clusters_to_come(horizon, length)

    def _spells_to_come(self, site: Site, at: Floats, lag: Floats, length: float) -> float:
        past = self._plan.script.past
        spell, spell_length = past_rates.spell_law(past)
        creep = past_rates.creep_law(past)
        # A creeping one that begins after the forecast breaks out only when its strain has grown up.
        grown = 1.0 - survives(creep, at)
        begun = 1.0 - past.creeping_share + past.creeping_share * past.creeping_breaks_share * grown
        rate = spell.per_min(0) * past_faults.office_factor(self._plan.seed, site.id, "spell")
        return _sum(rate * begun, spoils(spell_length, lag, length, self._shares.of_bad_spells(site)))


def _sum(rate: Floats | float, spoilt: Floats) -> float:
    return float((rate * spoilt).sum())
