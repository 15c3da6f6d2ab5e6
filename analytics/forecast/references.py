"""What a forecast must beat: persistence and climatology, both recalibrated, from the same past that the model sees.

Persistence: "as it is now" (did the newest hour fail?). Climatology: "as at this hour on the days before". Neither is
a probability; how often each of their answers came true, by lead, makes it one (a straw man would be 0 or 1).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
import numpy as np
from scipy.special import expit

from analytics.forecast.features import facts
from analytics.forecast.fitting import Outcomes, Penalty, fit_map, lead_hats

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analytics.forecast.facts import Facts
    from analytics.forecast.track import Asks, Track

PERSISTENCE: Final = ("failed_now",)
CLIMATOLOGY: Final = ("same_hour_share", "same_hour_none")


class Reference(msgspec.Struct, frozen=True):
    """A recalibrated reference: logistic in its figures, with weights by lead."""

    figures: tuple[str, ...]
    bias: tuple[float, ...]
    weights: tuple[tuple[float, ...], ...]

    def chances(self, track: Track, asks: Asks) -> NDArray[np.float64]:
        """(M,) the chance that each asked line holds; NaN where there is no ground."""
        return self.of_facts(facts(track, asks))

    def of_facts(self, known: Facts) -> NDArray[np.float64]:
        """`chances` of figures that are there already."""
        hats = lead_hats(known.lead_ns)
        x = known.of(self.figures)
        z = hats @ np.asarray(self.bias) + (x * (hats @ np.asarray(self.weights))).sum(axis=1)
        return np.where(known.ground, 1.0 - expit(z), np.nan)


def fit_reference(known: Facts, held: NDArray[np.bool_], figures: tuple[str, ...]) -> Reference:
    """Recalibrate `PERSISTENCE` or `CLIMATOLOGY` on asks (M,) and what came true (M,)."""
    use = known.ground
    hats = lead_hats(known.lead_ns[use])
    x = known.of(figures)[use]
    start = np.zeros((hats.shape[1], 1 + x.shape[1]))
    ones = np.column_stack([np.ones(len(x)), x])
    weights = fit_map(
        ones, hats, Outcomes(~held[use], np.ones(len(ones))), Penalty(start, np.full(x.shape[1], 0.01), 0.0)
    )
    return Reference(
        figures, tuple(map(float, weights[:, 0])), tuple(tuple(map(float, row)) for row in weights[:, 1:])
    )
