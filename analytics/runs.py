"""For how long something has been so, without a break."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def runs(said: NDArray[np.bool_]) -> NDArray[np.int64]:
    """(..., W): of the last axis, for how many in a row it has been so up to each; 0 where it is not."""
    at = np.arange(said.shape[-1])
    return np.asarray(at - np.maximum.accumulate(np.where(said, -1, at), axis=-1))
