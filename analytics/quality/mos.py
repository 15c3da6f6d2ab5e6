"""Between the rating R and opinions: MOS, its inverse, and the shares that find a call good or poor (G.107 annex B).

`r_of_mos`, `good_or_better_pct` and `poor_or_worse_pct` are for figures that others tell as a MOS or as shares of users. Nothing in the product feeds them yet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.special import ndtr

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

LOWEST_MOS: Final = 1.0
HIGHEST_MOS: Final = 4.5
SATISFIED_MOS: Final = 3.6
"""R = 70, where G.109 lets "some users dissatisfied" begin to be "many" (tabulated as 3.60)."""


def mos_of_r(r: ArrayLike) -> NDArray[np.float64]:
    """MOS by G.107 eq. B-4, as printed: 1 for R <= 0, 4.5 for R >= 100, NaN for NaN.

    As printed the cubic dips below 1 for 0 < R < 6.5, by at most 0.012; `opinion` is the one that does not.
    """
    rating = np.asarray(r, dtype=np.float64)
    with np.errstate(invalid="ignore"):
        cubic = 1 + 0.035 * rating + rating * (rating - 60) * (100 - rating) * 7e-6
        return np.where(rating <= 0, LOWEST_MOS, np.where(rating >= 100, HIGHEST_MOS, cubic))


def opinion(r: ArrayLike) -> NDArray[np.float64]:
    """`mos_of_r`, never below 1: the figure for people."""
    return np.asarray(np.maximum(mos_of_r(r), LOWEST_MOS))


def r_of_mos(mos: ArrayLike) -> NDArray[np.float64]:
    """R by G.107 appendix I (closed form), for MOS 1 to 4.5; NaN outside, where no R belongs to it."""
    given = np.asarray(mos, dtype=np.float64)
    with np.errstate(invalid="ignore"):
        given = np.where((given >= LOWEST_MOS) & (given <= HIGHEST_MOS), given, np.nan)
        root = np.sqrt(-903_522 + 1_113_960 * given - 202_500 * given**2)
    angle = np.arctan2(15 * root, 18_566 - 6_750 * given) / 3
    return np.asarray(20 / 3 * (8 - np.sqrt(226) * np.cos(angle + np.pi / 3)))


def good_or_better_pct(r: ArrayLike) -> NDArray[np.float64]:
    """GoB: per cent of users who find it good or better (G.107 eq. B-2)."""
    return np.asarray(100 * ndtr((np.asarray(r, dtype=np.float64) - 60) / 16))


def poor_or_worse_pct(r: ArrayLike) -> NDArray[np.float64]:
    """PoW: per cent of users who find it poor or worse (G.107 eq. B-3)."""
    return np.asarray(100 * ndtr((45 - np.asarray(r, dtype=np.float64)) / 16))
