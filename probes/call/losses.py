"""What is missing of a flow's numbers, window by window: each number is decided once, when its window closes.

A window answers for the numbers above the highest of the window before, up to its own highest. Packets that come late
but before the window is closed (two seconds after its end) still fill it; what comes later yet mends only the total.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

REMEMBERED: Final = 10_000
"""Missing numbers of closed windows that a very late packet may still prove wrong."""
MOST_EXPECTED: Final = 1_000_000
"""More numbers in a window are no call."""


@dataclass(frozen=True, slots=True)
class Toll:
    """One window's numbers."""

    lost: NDArray[np.bool_]
    """Per number of the window, in order: it never came."""
    first: int
    """The number of the first."""
    duplicated: int
    came_late: int
    """Numbers that an earlier window had counted as lost."""


class Losses:
    """The running account of one flow."""

    def __init__(self) -> None:
        self._highest: int | None = None
        self._missing: NDArray[np.int64] = np.zeros(0, dtype=np.int64)

    def close(self, extended: NDArray[np.int64], inside: int, seen: int) -> Toll:
        """Settle a window.

        Args:
            extended: numbers of all packets at hand in order of arrival, shape (n,); at least one.
            inside: so many of them, the first, arrived within the window; the others fill it.
            seen: so many of them, the first, were at hand when the window before was closed.
        """
        base = int(extended.min()) - 1 if self._highest is None else self._highest
        top = max(int(extended[:inside].max(initial=base)), base)
        if top - base > MOST_EXPECTED:
            base = top - MOST_EXPECTED
        due = extended[(extended > base) & (extended <= top)]
        lost = np.ones(top - base, dtype=bool)
        lost[due - base - 1] = False
        copies = len(due) - int(len(lost) - lost.sum())
        late = extended[seen:][extended[seen:] <= (base if self._highest is not None else base - 1)]
        found = np.intersect1d(late, self._missing)
        if len(found):
            self._missing = np.setdiff1d(self._missing, found, assume_unique=True)
        gone = base + 1 + np.flatnonzero(lost)
        self._missing = np.concatenate([self._missing, gone])[-REMEMBERED:]
        self._highest = top
        return Toll(lost, base + 1, copies + len(late) - len(found), len(found))
