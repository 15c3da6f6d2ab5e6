"""Evening congestion of the past: shared by the offices of one provider and kind of line, other every evening.

An office on a congested segment has a level of its own. Each evening all offices of its group have one load: a
log-normal factor that remembers the evenings before. It builds up from half past five, is at its height at half past
eight, and lies on the way down to the office.
"""

from __future__ import annotations

import math
from random import Random
from typing import TYPE_CHECKING, Final

import numpy as np

from lab.past.days import LocalDays
from lab.past.faults import holiday

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from lab.running.character import Character
    from lab.running.scope import Places
    from lab.running.script import Past

BEGINS_MIN: Final = 17.5 * 60
ENDS_MIN: Final = 23.5 * 60
_SHAPE: Final = ((BEGINS_MIN, 0.0), (19.5 * 60, 0.8), (20.5 * 60, 1.0), (22 * 60, 0.9), (ENDS_MIN, 0.0))
WEEKDAYS: Final = (1.0, 1.0, 1.0, 1.0, 1.1, 1.15, 1.2)
"""Monday first; a holiday is like a Sunday."""
LEVEL_SIGMA: Final = 0.35
"""How much congested offices differ."""
LOAD_SIGMA: Final = 0.35
"""How much evenings differ."""
MEMORY: Final = 0.6
_REACH: Final = 7
DELAY_PER_JITTER: Final = 0.8


def memory_weights() -> NDArray[np.float64]:
    """Weights of this evening's lot and of those before it, (8,); their squares sum to 1."""
    weights = MEMORY ** np.arange(_REACH + 1)
    return np.asarray(weights / np.sqrt((weights**2).sum()))


class Congestion:
    """Who is congested, and how much on which evening."""

    def __init__(
        self,
        past: Past,
        places: Places,
        seed: int,
        timezone: str,
        characters: Mapping[tuple[str, str], Character],
    ) -> None:
        self._past, self._seed = past, seed
        self.days = LocalDays(timezone)
        self.level_ms: dict[str, float] = {}
        """Jitter that an evening of load 1 adds at its height; only congested offices."""
        self.group: dict[str, str] = {}
        for site in places.sites:
            kind = characters[site.id, places.ends[0]].kind
            lot = Random(f"{seed}/{site.id}/congestion")
            if lot.random() < past.congested_share:
                self.level_ms[site.id] = past.congestion_jitter_ms * lot.lognormvariate(0.0, LEVEL_SIGMA)
                self.group[site.id] = f"{places.providers.get(site.id, '')}/{kind}"

    def lot(self, group: str, day: int) -> float:
        """What an evening brings that the ones before did not: standard normal."""
        return Random(f"{self._seed}/{group}/evening/{day}").gauss(0.0, 1.0)

    def load(self, group: str, day: int) -> float:
        """An evening's load; its mean over all evenings is 1."""
        lots = [self.lot(group, day - k) for k in range(_REACH + 1)]
        return load_of(float(memory_weights() @ np.array(lots)))

    def weekday(self, day: int) -> float:
        """What the day of the week does to the load."""
        sunday = self._past.holidays_per_month > 0 and holiday(self._past, self._seed, day)
        return WEEKDAYS[6 if sunday else (day + 3) % 7]

    def jitter_ms(self, site: str, times_ns: NDArray[np.int64]) -> NDArray[np.float64] | None:
        """Jitter that congestion adds at some times (n,), downward; None for an office that has none."""
        level = self.level_ms.get(site)
        if level is None or not len(times_ns):
            return None
        day, minute = self.days.day_and_minute(times_ns)
        first = int(day.min())
        factors = np.array(
            [self.load(self.group[site], d) * self.weekday(d) for d in range(first, int(day.max()) + 1)]
        )
        return np.asarray(level * factors[day - first] * shape(minute))


def shape(minute: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far congestion has built up at local minutes of the day, 0 to 1."""
    return np.asarray(np.interp(minute, [at for at, _ in _SHAPE], [height for _, height in _SHAPE]))


def load_of(z: float) -> float:
    """The load that goes with a standard normal lot."""
    return math.exp(LOAD_SIGMA * z - LOAD_SIGMA**2 / 2)
