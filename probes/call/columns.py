"""What is kept of a flow's packets until their window closes: arrival, numbers, sizes. Never a payload."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Self

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Columns:
    """Packets of one flow in order of arrival, each column of shape (n,)."""

    time_ns: NDArray[np.int64]
    length: NDArray[np.int64]
    """Octets at the IP layer."""
    extended: NDArray[np.int64]
    """Sequence number without wrap-around."""
    stamp: NDArray[np.int64]
    """RTP time stamp without wrap-around."""
    payload_type: NDArray[np.uint8]
    marker: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.time_ns)

    def __getitem__(self, which: slice | NDArray[np.bool_] | NDArray[np.intp]) -> Self:
        return type(self)(*(getattr(self, field.name)[which] for field in fields(self)))

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Some stretches one after the other; at least one."""
        if len(parts) == 1:
            return parts[0]
        return cls(*(np.concatenate([getattr(p, field.name) for p in parts]) for field in fields(cls)))
