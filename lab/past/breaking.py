"""How likely a 15 s window of a line in a given state breaks a call profile, without drawing its packets.

The laws are those of `lab.past.windows`: the window's mean J scatters by 1.2/sqrt(n), losses are binomial or come in bursts.
A window breaks for jitter above the limit; for loss above it when the count pooled over a minute proves so, too
(decision 050), which is what the judge does with measured windows. A test holds the two against each other.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.special import ndtr

from telemetry.windows import SECOND_NS, WINDOW_NS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lab.past.lines import LineStates
    from lab.running.effect import Effect

    Floats = NDArray[np.float64]

_WINDOW_S: Final = WINDOW_NS / SECOND_NS
_POOL: Final = 4
_Z95: Final = 1.645
_SMALL_LOSS: Final = 0.2
"""Below this share of the limit a window never breaks; most windows are passed over by it."""
_SMALL_JITTER: Final = 0.6
FAILS_ABOVE: Final = 0.05
"""A meeting fails with more broken windows than this share."""


@dataclass(frozen=True, slots=True)
class Breaking:
    """The limits of a profile, and the packets a second that it is judged on."""

    jitter_ms: float = 30.0
    loss_ratio: float = 0.01
    pps: float = 10.0

    @property
    def packets(self) -> float:
        """Of a window."""
        return self.pps * _WINDOW_S

    def odds(self, jitter_ms: Floats, loss_ratio: Floats, burst_ms: Floats) -> Floats:
        """Probability that a window breaks; arguments (2 directions, ...), result (...)."""
        holds = np.ones(jitter_ms.shape[1:])
        for d in range(2):
            holds = holds * (1.0 - self._by_jitter(jitter_ms[d]))
            holds = holds * (1.0 - self._by_loss(loss_ratio[d], burst_ms[d]))
        return np.asarray(1.0 - holds)

    def _by_jitter(self, jitter_ms: Floats) -> Floats:
        out = np.zeros(jitter_ms.shape)
        some = jitter_ms > _SMALL_JITTER * self.jitter_ms
        scatter = 1.2 / math.sqrt(self.packets)
        out[some] = ndtr((1.0 - self.jitter_ms / jitter_ms[some]) / scatter)
        return out

    def _by_loss(self, ratio: Floats, burst_ms: Floats) -> Floats:
        out = np.zeros(ratio.shape)
        some = ratio > _SMALL_LOSS * self.loss_ratio
        if some.any():
            mean_burst = np.maximum(burst_ms[some] * self.pps / 1e3, 1.0)
            own = _exceeds(ratio[some], mean_burst, self.packets, self.loss_ratio * self.packets)
            pooled = self.packets * _POOL
            proof = self.loss_ratio * pooled + _Z95 * math.sqrt(self.loss_ratio * pooled)
            out[some] = own * _exceeds(ratio[some], mean_burst, pooled, proof)
        return out

    def share_broken(self, jitter_ms: float, effect: Effect) -> float:
        """Share of windows that break on a line of so much jitter of its own while an effect acts."""
        if effect.outage:
            return 1.0
        both = [effect.direction in ("both", way) for way in ("up", "down")]
        jitter = np.array([[jitter_ms + (effect.jitter_ms or 0.0) * hit] for hit in both])
        loss = np.array([[(effect.loss_ratio or 0.0) * hit] for hit in both])
        burst = np.full((2, 1), effect.loss_burst_ms or 0.0)
        return float(self.odds(jitter, loss, burst)[0])

    def strain(self, states: LineStates) -> Floats:
        """(P, n) the worst figure over its limit, as measured over a whole slot: without the scatter of windows."""
        jitter = states.jitter_ms.max(axis=0) / self.jitter_ms
        lost = 1.0 - (1.0 - states.loss_ratio.max(axis=0)) * (1.0 - states.out_share)
        return np.asarray(np.maximum(jitter, lost / self.loss_ratio))


def _exceeds(ratio: Floats, mean_burst: Floats, packets: float, count: float) -> Floats:
    """Probability that more than `count` of `packets` are lost: a negative binomial by its normal cube-root law."""
    mean = ratio * packets
    spread = np.sqrt(mean * (2.0 * mean_burst - 1.0))
    # Wilson-Hilferty: the cube root of a gamma variable is nearly normal; half a packet makes a count of it.
    shape = (mean / spread) ** 2
    at = ((math.floor(count) + 0.5) / mean) ** (1.0 / 3.0)
    return np.asarray(1.0 - ndtr((at - (1.0 - 1.0 / (9.0 * shape))) * 3.0 * np.sqrt(shape)))
