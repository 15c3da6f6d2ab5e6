"""The answer of an E-model: R with its terms, the opinion on the model's own scale, and what lay outside its ranges."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Scale(Enum):
    """Whose scale a MOS is on. Figures of different scales are never averaged, compared or thresholded together."""

    NARROWBAND = "MOS-CQE"
    WIDEBAND = "MOS-CQEW"
    FULLBAND = "MOS-CQEF"


@dataclass(frozen=True, slots=True, eq=False)
class Rating:
    """Of one shape. `outside`: an input lay outside the model's ranges, or was absent (then R and MOS are NaN)."""

    scale: Scale
    r: NDArray[np.float64]
    mos: NDArray[np.float64]
    """By eq. B-4 as printed."""
    idd: NDArray[np.float64]
    """Taken away by delay (of the band)."""
    ie_eff: NDArray[np.float64]
    """Taken away by codec and loss."""
    outside: NDArray[np.bool_]
