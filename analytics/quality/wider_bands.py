"""The wideband and the fullband E-model, ITU-T G.107.1 and G.107.2: echo-free, on scales of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

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
from analytics.quality.ranges import outside
from analytics.quality.rating import Rating, Scale

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

WIDEBAND_RO: Final = 129.0
FULLBAND_RO: Final = 148.0
WIDEBAND_STRETCH: Final = 1.29
FULLBAND_STRETCH: Final = 1.48
"""R of the band over R of narrowband: what the polynomial of eq. B-4 is asked for is R over this."""
WIDEBAND_REACH: Final = 95.0
"""The constant of G.107.1 (7-15) stays 95."""
FULLBAND_REACH: Final = 132.0


def wideband(  # noqa: PLR0913 - the model's inputs
    delay_ms: ArrayLike,
    loss_pct: ArrayLike = 0.0,
    *,
    ie: ArrayLike = 0.0,
    bpl: ArrayLike = np.nan,
    burst_ratio: ArrayLike = 1.0,
    sensitivity: Sensitivity = USUAL,
) -> Rating:
    """R (at most 129) and MOS-CQEW by G.107.1; arguments as for `narrowband`, codec constants Ie,WB and Bpl,WB.

    Idd is taken over from narrowband as it is (so two repositories have it; the text was not at hand).

    Raises:
        QualityRangeError: a constant lies outside 0 to 95 (`ie`) or 1 to 100 (`bpl`).
    """
    idd = delay_impairment(delay_ms, sensitivity)
    ie_eff = loss_impairment(loss_pct, burst_ratio, ie, bpl, WIDEBAND_REACH)
    r = WIDEBAND_RO - idd - ie_eff
    marked = outside((DELAY, delay_ms), (LOSS, loss_pct), (BURSTS, burst_ratio)) | np.isnan(r)
    mos = mos_of_r(r / WIDEBAND_STRETCH)
    return Rating(Scale.WIDEBAND, *np.broadcast_arrays(r, mos, idd, ie_eff, marked))


def fullband(  # noqa: PLR0913 - the model's inputs
    delay_ms: ArrayLike,
    loss_pct: ArrayLike = 0.0,
    *,
    ie: ArrayLike = 0.0,
    bpl: ArrayLike = np.nan,
    burst_ratio: ArrayLike = 1.0,
    sensitivity: Sensitivity = USUAL,
) -> Rating:
    """R (at most 148) and MOS-CQEF by G.107.2; arguments as for `narrowband`, codec constants Ie,FB and Bpl,FB.

    Raises:
        QualityRangeError: a constant lies outside 0 to 95 (`ie`) or 1 to 100 (`bpl`).
    """
    idd = FULLBAND_STRETCH * delay_impairment(delay_ms, sensitivity)
    ie_eff = loss_impairment(loss_pct, burst_ratio, ie, bpl, FULLBAND_REACH)
    r = FULLBAND_RO - idd - ie_eff
    marked = outside((DELAY, delay_ms), (LOSS, loss_pct), (BURSTS, burst_ratio)) | np.isnan(r)
    mos = mos_of_r(r / FULLBAND_STRETCH)
    return Rating(Scale.FULLBAND, *np.broadcast_arrays(r, mos, idd, ie_eff, marked))
