"""Where the figure of a delay cause stands among window values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analytics.causes import Cause
from analytics.floor import ABOVE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analytics.losses import Values

DELAY_COLUMN: Final = {
    Cause.JITTER_UP: "up_jitter_ms",
    Cause.JITTER_DOWN: "down_jitter_ms",
    Cause.RTT: "rtt_p95_ms",
    Cause.RTT_FLOOR: ABOVE,
}


def delay_of(values: Values, cause: Cause) -> NDArray[np.floating]:
    """The figure of a delay cause in ms, of the shape of the values; NaN throughout where nobody worked out a floor."""
    column = DELAY_COLUMN[cause]
    if column not in values:
        return np.full_like(values["rtt_p95_ms"], np.nan)
    return values[column]
