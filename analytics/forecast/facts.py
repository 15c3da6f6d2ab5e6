"""What is known of asks: figures by name, from which a model, a reference or a yardstick picks its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from analytics.forecast.track import Rows


@dataclass(frozen=True, slots=True)
class Facts:
    """Of M asks.

    Attributes:
        names: F figures.
        figures: (M, F).
        ground: (M,) anything was ever measured of the line or its groups.
        lead_ns: (M,) from the ask to the beginning of the span; 0 for one that has begun.
    """

    names: tuple[str, ...]
    figures: NDArray[np.float64]
    ground: NDArray[np.bool_]
    lead_ns: NDArray[np.int64]

    def of(self, names: Sequence[str]) -> NDArray[np.float64]:
        """(M, len(names)) the figures of those names, in their order."""
        return self.figures[:, [self.names.index(name) for name in names]]

    def rows(self, which: Rows) -> Facts:
        """Some of the asks."""
        return Facts(self.names, self.figures[which], self.ground[which], self.lead_ns[which])


def joined_facts(parts: Sequence[Facts]) -> Facts:
    """The asks of several tracks as one."""
    return Facts(
        parts[0].names,
        np.concatenate([part.figures for part in parts]),
        np.concatenate([part.ground for part in parts]),
        np.concatenate([part.lead_ns for part in parts]),
    )
