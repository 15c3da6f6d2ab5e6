"""The narrowband E-model, ITU-T G.107 (06/2015 numbering), vectorised over whatever shape its inputs have."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

import numpy as np

from analytics.quality.circuit import USUAL_CIRCUIT, Circuit
from analytics.quality.impairments import (
    BURSTS,
    DELAY,
    LOSS,
    USUAL,
    Sensitivity,
    delay_impairment,
    loss_impairment,
)
from analytics.quality.mos import mos_of_r
from analytics.quality.ranges import Range, meaningful, outside
from analytics.quality.rating import Rating, Scale

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

REACH: Final = 95.0
ROUND_TRIP: Final = Range(0, 1000, "ms")
"""Tr of table 2."""
EQUIPMENT: Final = Range(0, 40)
"""Ie of table 2, which is narrower than what a codec may have at all."""
ROBUSTNESS: Final = Range(4.3, 40)
"""Bpl of table 2, likewise."""


class EchoMode(Enum):
    """What is assumed of echo."""

    IDD = "idd"
    """None (T = Tr = 0): right for endpoints with echo cancellers, so for meeting rooms and clients."""
    FULL = "full"
    """The residual echo of table 2's defaults comes back over the whole delay (T = Ta, Tr = 2 Ta)."""

    def path(self, delay_ms: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """T and Tr of a one-way delay Ta."""
        delay = meaningful(delay_ms, 0)
        share = float(self is EchoMode.FULL)
        return delay * share, 2 * delay * share


@dataclass(frozen=True, slots=True, eq=False)
class NarrowbandRating(Rating):
    """With all that delay takes away, echo and `idd` together."""

    delay: NDArray[np.float64]
    """Id = Idte + Idle + Idd."""


def narrowband(  # noqa: PLR0913 - the model's inputs
    delay_ms: ArrayLike,
    loss_pct: ArrayLike = 0.0,
    *,
    ie: ArrayLike = 0.0,
    bpl: ArrayLike = 4.3,
    burst_ratio: ArrayLike = 1.0,
    echo: EchoMode | tuple[ArrayLike, ArrayLike] = EchoMode.IDD,
    sensitivity: Sensitivity = USUAL,
    circuit: Circuit = USUAL_CIRCUIT,
) -> NarrowbandRating:
    """R and MOS-CQE by G.107 eq. 7-1; all arrays broadcast.

    Args:
        delay_ms: one-way mouth-to-ear delay Ta: network, jitter buffer, packetisation and codec.
        loss_pct: Ppl, lost or discarded packets in per cent.
        ie: Ie of the codec (G.113).
        bpl: Bpl of the codec; NaN where none is published.
        burst_ratio: BurstR.
        echo: the mode, or T and Tr (ms) of the echo path.
        sensitivity: sT and mT.
        circuit: the rest of table 2.

    Raises:
        QualityRangeError: a constant lies outside 0 to 95 (`ie`) or 1 to 100 (`bpl`); outside table 2 it is marked.
    """
    t, tr = echo.path(delay_ms) if isinstance(echo, EchoMode) else echo
    t, tr = meaningful(t, 0), meaningful(tr, 0)
    idd = delay_impairment(delay_ms, sensitivity)
    delay = circuit.talker_echo(t) + circuit.listener_echo(tr) + idd
    ie_eff = loss_impairment(loss_pct, burst_ratio, ie, bpl, REACH)
    r = circuit.signal_to_noise - circuit.simultaneous(t) - delay - ie_eff + circuit.advantage
    checks = ((DELAY, delay_ms), (LOSS, loss_pct), (BURSTS, burst_ratio), (EQUIPMENT, ie))
    marked = outside(*checks, (DELAY, t), (ROUND_TRIP, tr)) | np.isnan(r)
    marked = marked | ~(ROBUSTNESS.contains(bpl) | (np.asarray(loss_pct, dtype=np.float64) == 0))
    return NarrowbandRating(
        Scale.NARROWBAND, *np.broadcast_arrays(r, mos_of_r(r), idd, ie_eff, marked, delay)
    )
