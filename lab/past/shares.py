"""Share of windows that a fault's effect breaks on an office's line."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from lab.past import faults as past_faults
from lab.past.chances import EFFECTS, flap_shares, shares_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from config.sites import Site
    from lab.past.breaking import Breaking
    from lab.past.plan import PastPlan
    from lab.running.effect import Effect

    Floats = NDArray[np.float64]


class Shares:
    """Of effects that are there, and of the laws of those to come."""

    def __init__(self, plan: PastPlan, breaking: Breaking, end: str) -> None:
        self._plan, self._breaking, self._end = plan, breaking, end
        self.of_flapping = flap_shares()
        lot = Random("effects")
        self._bad = tuple(past_faults.bad_effect(lot) for _ in range(EFFECTS))
        self._headquarters = tuple(past_faults.headquarters_effect(lot) for _ in range(EFFECTS))

    def of(self, site: Site, effect: Effect) -> float:
        """Share of windows that an effect breaks."""
        return self._breaking.share_broken(self._jitter(site), effect)

    def of_bad_spells(self, site: Site) -> Floats:
        """(EFFECTS,) of drawn bad spells."""
        return shares_of(self._breaking, self._jitter(site), self._bad)

    def of_headquarters(self, site: Site) -> Floats:
        """(EFFECTS,) of drawn trouble at a headquarters."""
        return shares_of(self._breaking, self._jitter(site), self._headquarters)

    def _jitter(self, site: Site) -> float:
        character = self._plan.lines[site.id, self._end]
        return round((character.up.jitter_ms + character.down.jitter_ms) / 2, 1)
