"""What is known of many lines, slot by slot: what the forecast's model looks at, and what the lab draws."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class LineSlots:
    """N lines over T slots of `slot_ns` on the UTC grid, oldest first; slot i begins at `(first_slot + i) * slot_ns`.

    Attributes:
        first_slot: number of the first slot since the epoch.
        slot_ns: length of a slot.
        broke: (N, T) share of the slot's measured windows that broke the profile, 0..1; NaN where none was measured.
        measured: (N, T) share of the slot's windows that were measured, 0..1.
        awaited: (N, T) were nothing of the slot there, the office would be without contact: it had been heard of before, and
            its contact was lost or others were heard. What has not arrived yet is not there: who will still come is not known.
        strain: (N, T) the worst figure over its limit, 1 at the limit, 0 at best; NaN where nothing was measured.
            What tells of trouble before it breaks.
        arrived_ns: (N, T) when the slot was known whole; a forecast issued before that must not see it. Of a slot of which
            nothing ever came: a minute after its end; of one in which the office was there and this line was not: when that was known.
        planned: (N, T) works or a holiday were announced for the slot beforehand.
        groups: (N,) each, what lines have in common: `provider`, `region`, `end`; -1 where unknown.
    """

    first_slot: int
    slot_ns: int
    broke: NDArray[np.float32]
    measured: NDArray[np.float32]
    awaited: NDArray[np.bool_]
    strain: NDArray[np.float32]
    arrived_ns: NDArray[np.int64]
    planned: NDArray[np.bool_]
    groups: Mapping[str, NDArray[np.int32]]

    @property
    def start_ns(self) -> int:
        """Start of the first slot."""
        return self.first_slot * self.slot_ns
