"""What is seen of every line at one moment, as far as shared faults are concerned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Sighting:
    """(S, P) each.

    `known`: anything can be said of the line; `troubled`: it is degraded beyond what is usual, or its office is not heard;
    `silent`: its office is not heard; `since_ns`: since when it has been troubled, 0 where it is not.
    """

    known: NDArray[np.bool_]
    troubled: NDArray[np.bool_]
    silent: NDArray[np.bool_]
    since_ns: NDArray[np.int64]

    def without(self, lines: NDArray[np.bool_]) -> Sighting:
        """As if nothing were known of some lines, (S, P): what explains them is already found."""
        known = self.known & ~lines
        return Sighting(known, self.troubled & known, self.silent & known, np.where(known, self.since_ns, 0))
