"""What is known of many lines, slot by slot: what the forecast's model looks at, and what the lab draws."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

NEVER: Final = 2**63 - 1
"""No time of any clock comes after it, ns."""


@dataclass(frozen=True, slots=True)
class LineSlots:
    """N lines over T slots of `slot_ns` on the UTC grid, oldest first; slot i begins at `(first_slot + i) * slot_ns`.

    Attributes:
        first_slot: number of the first slot since the epoch.
        slot_ns: length of a slot.
        broke: (N, T) share of the slot's measured windows that broke the profile, 0..1; NaN where none was measured.
        measured: (N, T) share of the slot's windows that were measured, 0..1.
        silent_until_ns: (N, T) until then, and from the slot's closing on, nothing of its office was there though it was
            awaited: the time at which the first of any of its lines came, `NEVER` while none has. At most the slot's closing
            where the office was heard in time, or nobody awaited it.
        strain: (N, T) the worst figure over its limit, 1 at the limit, 0 at best; NaN where nothing was measured.
            What tells of trouble before it breaks.
        arrived_ns: (N, T) when the slot was known whole; a forecast issued before that must not see it. Of a slot of which
            nothing ever came: a minute after its end.
        planned: (N, T) works or a holiday were announced for the slot beforehand.
        groups: (N,) each, what lines have in common: `provider`, `region`, `end`; -1 where unknown.
    """

    first_slot: int
    slot_ns: int
    broke: NDArray[np.float32]
    measured: NDArray[np.float32]
    silent_until_ns: NDArray[np.int64]
    strain: NDArray[np.float32]
    arrived_ns: NDArray[np.int64]
    planned: NDArray[np.bool_]
    groups: Mapping[str, NDArray[np.int32]]

    @property
    def start_ns(self) -> int:
        """Start of the first slot."""
        return self.first_slot * self.slot_ns
