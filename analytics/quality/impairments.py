"""What delay and loss take away from the rating: Idd and Ie,eff, the same in all three bands but for constants."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from analytics.quality.ranges import Range, meaningful

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

DELAY: Final = Range(0, 500, "ms")
"""Ta (and T) of G.107 table 2."""
LOSS: Final = Range(0, 20, "%")
"""Ppl of G.107 table 2."""
BURSTS: Final = Range(1, 8)
"""BurstR of G.107 table 2, as remembered: the text was not at hand."""
EQUIPMENT: Final = Range(0, 95)
"""Ie of any codec: below 0 it would better the line that it is sent over, above 95 more loss would."""
ROBUSTNESS: Final = Range(1, 100)
"""Bpl of any codec."""


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """How much a talk suffers from delay: sT and mT of G.107 (7-27)."""

    s_t: float = 1.0
    m_t_ms: float = 100.0

    def __post_init__(self) -> None:
        Range(0.01, 1).refuse("sT", self.s_t)
        Range(1, 500, "ms").refuse("mT", self.m_t_ms)


USUAL: Final = Sensitivity()
"""The class for enterprise and carrier grade, and the only one used for meetings."""
LOW: Final = Sensitivity(0.55, 120)
VERY_LOW: Final = Sensitivity(0.4, 150)


def delay_impairment(delay_ms: ArrayLike, sensitivity: Sensitivity = USUAL) -> NDArray[np.float64]:
    """Idd of G.107 (7-27, 7-28) from the one-way mouth-to-ear delay Ta; NaN for a negative or absent one."""
    delay = meaningful(delay_ms, 0)
    power = 6 * sensitivity.s_t
    x = np.log2(np.maximum(delay, sensitivity.m_t_ms) / sensitivity.m_t_ms)
    terms = (1 + x**power) ** (1 / power) - 3 * (1 + (x / 3) ** power) ** (1 / power) + 2
    return np.asarray(25 * terms)


def loss_impairment(
    loss_pct: ArrayLike, burst_ratio: ArrayLike, ie: ArrayLike, bpl: ArrayLike, reach: float
) -> NDArray[np.float64]:
    """Ie,eff of G.107 (7-29), G.107.1 (7-15) and G.107.2.

    Args:
        loss_pct: packets lost or discarded, per cent; NaN outside 0 to 100.
        burst_ratio: BurstR, 1 for random loss.
        ie: equipment impairment of the codec.
        bpl: its robustness to loss; NaN where none is published, then only a loss of 0 has a value.
        reach: 95 narrowband and wideband, 132 fullband.

    Raises:
        QualityRangeError: a constant lies outside 0 to 95 (`ie`) or 1 to 100 (`bpl`).
    """
    EQUIPMENT.refuse_any("ie", ie)
    ROBUSTNESS.refuse_any("bpl", bpl)
    loss = meaningful(loss_pct, 0, 100)
    bursts = np.asarray(burst_ratio, dtype=np.float64)
    bursts = np.where(bursts > 0, bursts, np.nan)
    base = np.asarray(ie, dtype=np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        hurt = base + (reach - base) * loss / (loss / bursts + np.asarray(bpl, dtype=np.float64))
    return np.where(loss == 0, base, hurt)
