"""Where a burst cause's worst 200 ms stand among window values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analytics.causes import Cause

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from analytics.losses import Values

_PREFIX: Final = {Cause.BURST_UP: "up_", Cause.BURST_DOWN: "down_", Cause.BURST: ""}


def burst_of(values: Values, cause: Cause) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Packets (lost, sent) of each window's worst 200 ms in the direction of a burst cause, of the values' shape; NaN where absent."""
    prefix = _PREFIX[cause]
    return values[f"{prefix}worst_200ms_lost"], values[f"{prefix}worst_200ms_sent"]
