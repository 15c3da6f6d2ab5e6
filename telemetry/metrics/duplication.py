"""Duplication, RFC 5560."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


@dataclass(frozen=True, slots=True)
class Duplication:
    """Arrivals against distinct packets; order does not matter."""

    arrivals: int
    distinct: int
    replicated: int
    """Packets that arrived more than once."""

    @property
    def fraction(self) -> float:
        """Type-P-one-way-packet-duplication-fraction (5.2); 0 when nothing arrived."""
        return self.arrivals / self.distinct - 1 if self.distinct else 0.0

    @property
    def replicated_rate(self) -> float:
        """Type-P-one-way-replicated-packet-rate (5.3); 0 when nothing arrived."""
        return self.replicated / self.distinct if self.distinct else 0.0


def duplication(sequence: ArrayLike) -> Duplication:
    """Count copies among the arrived sequence numbers, shape (n,)."""
    counts = np.unique(np.asarray(sequence, dtype=np.int64), return_counts=True)[1]
    return Duplication(int(counts.sum()), len(counts), int(np.count_nonzero(counts > 1)))
