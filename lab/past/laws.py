"""The laws that faults of the past are drawn by: how many begin, at which hour, and how long they last.

One place for the generator (`lab.past.faults`) and for the oracle (`lab.past.oracle`), so that the two cannot differ.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from telemetry.windows import SECOND_NS

if TYPE_CHECKING:
    from random import Random

MINUTE_NS: Final = 60 * SECOND_NS
DAY_MIN: Final = 1440.0
MONTH_DAYS: Final = 30.0

FLAT: Final = (1.0,) * 24
"""No hour is worse than another."""
POWER_HOURS: Final = (
    0.6, 0.5, 0.4, 0.4, 0.5, 0.7, 0.9, 1.0, 0.9, 0.9, 1.0, 1.1,
    1.3, 1.5, 1.6, 1.5, 1.3, 1.2, 1.4, 1.6, 1.5, 1.2, 0.9, 0.7,
)  # fmt: skip
"""Power goes at the hours of load: the afternoon's heat and the evening's peak. Local hours, 24 in all."""
WORK_HOURS: Final = (
    1.6, 2.0, 2.0, 2.0, 1.6, 1.2, 0.6, 0.4, 0.5, 1.0, 1.3, 1.3,
    1.2, 1.0, 1.0, 0.9, 0.7, 0.4, 0.3, 0.2, 0.2, 0.4, 0.8, 1.2,
)  # fmt: skip
"""Works begin at night where a provider has a night shift, and in office hours where diggers have none."""


@dataclass(frozen=True, slots=True)
class Length:
    """A log-normal length in minutes: its mean, the sigma of its logarithm, and the most that it can be."""

    mean_min: float
    sigma: float
    most_min: float = DAY_MIN

    @property
    def mu(self) -> float:
        """Mean of the logarithm: the mean of a log-normal is exp(mu + sigma^2/2)."""
        return math.log(self.mean_min) - self.sigma**2 / 2

    def drawn(self, lot: Random) -> float:
        """One length, minutes; what is longer than the most is cut there."""
        return min(lot.lognormvariate(self.mu, self.sigma), self.most_min)


@dataclass(frozen=True, slots=True)
class Onsets:
    """A Poisson law of beginnings: mean number in 30 days, and the weight of each local hour (24, any scale)."""

    per_month: float
    hours: tuple[float, ...] = FLAT

    def per_min(self, local_hour: int) -> float:
        """Beginnings a minute in a local hour of the day."""
        return self.per_month / MONTH_DAYS / DAY_MIN * self.hours[local_hour] * 24 / sum(self.hours)

    def drawn(self, lot: Random, factor: float = 1.0) -> list[float]:
        """The beginnings of one local day, minutes since its midnight; `factor` times as many as usual."""
        left = math.exp(-self.per_month / MONTH_DAYS * factor)
        found = []
        product = lot.random()
        while product > left:  # Knuth's count of a Poisson variate
            (hour,) = lot.choices(range(24), self.hours)
            found.append((hour + lot.random()) * 60.0)
            product *= lot.random()
        return found


POWER_SIGMA: Final = 1.0
OUTAGE_SIGMA: Final = 1.0
SPELL_SIGMA: Final = 1.1
FLAP_SIGMA: Final = 0.8
CLUSTER_SIGMA: Final = 0.7
CREEP_SIGMA: Final = 0.7
OVERRUN_SIGMA: Final = 0.8
LATE_SIGMA: Final = 0.8
CLUSTER_MOST_DAYS: Final = 14.0
FRAILTY_SIGMA: Final = 0.8
"""How much offices differ in what befalls them: sigma of the logarithm of a factor whose mean is 1."""


def frailty(lot: Random) -> float:
    """An office's factor on the number of its faults."""
    return lot.lognormvariate(-(FRAILTY_SIGMA**2) / 2, FRAILTY_SIGMA)
