"""What of the store's own the newest windows were laid over in the tracks, so that it can be had back.

Without it a fault that was forgiven once would stay forgiven, also when the line is suspect again, or the half hour is over
for which it was: until the past is read again, or somebody starts the hub anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

    from analytics.forecast.track import Track

_WRITTEN: Final = ("broke", "strain", "measured", "silent_until_ns", "arrived_ns")


class _Cells(NamedTuple):
    """Some lines' cells of one slot of a track, as they were; `values` in the order of `_WRITTEN`."""

    track: Track
    slot: int
    lines: NDArray[np.int64]
    values: tuple[NDArray[np.generic], ...]


class LaidOver:
    """Of the tracks of one past, as long as that past is the newest."""

    def __init__(self) -> None:
        self._cells: list[_Cells] = []

    @property
    def slots(self) -> set[int]:
        """Indices of the slots of which something is laid over."""
        return {cells.slot for cells in self._cells}

    def keep(self, track: Track, slot: int, lines: NDArray[np.int64]) -> None:
        """Keep the cells of some lines, which are written over next."""
        if len(lines):
            values = tuple(getattr(track, name)[lines, slot] for name in _WRITTEN)
            self._cells.append(_Cells(track, slot, lines, values))

    def put_back(self, laid_next: Collection[int]) -> None:
        """Write into the tracks what was kept.

        Of slots that are not among the `laid_next` only what the store had something of: of the rest the windows, which are
        seen no more, told all that is known.
        """
        for track, slot, lines, values in reversed(self._cells):  # the tracks share some of it
            back = np.isfinite(values[0]) | (slot in laid_next)
            for name, value in zip(_WRITTEN, values, strict=True):
                getattr(track, name)[lines[back], slot] = value[back]
        self._cells.clear()
