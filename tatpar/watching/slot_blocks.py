"""The slots of a past by blocks of offices: one block is held as it is; of a larger fleet all lie on a shelf, and one at a time is taken down.

On the shelf strain is kept as it is of the newest days only: of what lies further back, what is asked as of now looks at no
more than whether it was beyond half or twice the limit (`analytics.forecast.coming`, `margins`), and it is nine tenths of the
bytes. What is learnt from long ago is read out of the store again.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from analytics.forecast.coming import DAYS
from analytics.forecast.deployment import hearing_slots
from analytics.forecast.margins import coarse, strain_of
from analytics.forecast.slots import SlotGrid, empty_slots, joined_slots
from analytics.lines import Lines
from tatpar.watching.shelf import Shelf
from telemetry.windows import SLOTS_PER_DAY

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from tatpar.watching.shelf import Ticket

MOST_WHOLE: Final = 128
"""So many offices are held whole; the reference deployment is."""
OFFICES_PER_BLOCK: Final = 64
"""Of a larger fleet: a block that is laid out takes a few hundred megabytes at most."""
STRAIN_SLOTS: Final = (DAYS + 4) * SLOTS_PER_DAY
"""Days that strain is looked back to from a meeting, which may have begun a day ago; the shelf is filled some hours before it is asked."""


@dataclass(frozen=True, slots=True)
class _Put:
    """A block on the shelf."""

    measured: Ticket
    broken: Ticket
    received_ns: Ticket
    strain: Ticket
    early_strain: Ticket


class SlotBlocks:
    """The slots of all lines, by blocks of consecutive offices."""

    def __init__(
        self, lines: Lines, first_slot: int, slots: int, folder: Path | None = None, size: int | None = None
    ) -> None:
        """To be filled by `add`, block by block.

        Args:
            lines: all lines.
            first_slot: of the axis T.
            slots: length of the axis T.
            folder: where a larger fleet's shelf is; None: in memory.
            size: offices a block, if not as `bounds` would have it.
        """
        self.lines, self.first_slot, self.slots, self.folder = lines, first_slot, slots, folder
        self.hearing: NDArray[np.bool_] = np.zeros(slots, dtype=bool)
        """(T,): anybody was heard in time."""
        self._bounds = bounds(len(lines.sites), size)
        self._shelf = Shelf(folder)
        self._held: list[SlotGrid | _Put] = []

    @classmethod
    def of(
        cls, grids: Iterable[SlotGrid], lines: Lines, folder: Path | None = None, size: int | None = None
    ) -> SlotBlocks:
        """Filled with the grids of all blocks, over the same slots."""
        made: SlotBlocks | None = None
        for grid in grids:
            made = made or cls(lines, grid.first_slot, grid.measured.shape[-1], folder, size)
            made.add(grid)
        assert made is not None
        return made

    @classmethod
    def nothing(cls, empty: SlotGrid) -> SlotBlocks:
        """Of a grid without slots."""
        made = cls(empty.lines, empty.first_slot, 0)
        for first, last in made.bounds():
            lines = Lines(empty.lines.sites[first:last], empty.lines.paths)
            made.add(empty_slots(lines, len(empty.broken), empty.first_slot, 0))
        return made

    @property
    def end_slot(self) -> int:
        """The slot after the last one."""
        return self.first_slot + self.slots

    @property
    def is_whole(self) -> bool:
        """All lines are one block, which is held as it is."""
        return len(self._bounds) == 1

    def bounds(self) -> Sequence[tuple[int, int]]:
        """(first, last) office of each block."""
        return self._bounds

    def add(self, grid: SlotGrid) -> None:
        """The next block."""
        self.hearing |= hearing_slots(grid)
        if self.is_whole:
            self._held.append(grid)
            return
        tickets = {each.name: self._shelf.put(self._kept(grid, each.name)) for each in fields(_Put)}
        self._held.append(_Put(**tickets))

    def _kept(self, grid: SlotGrid, name: str) -> NDArray[Any]:
        if name == "early_strain":
            return coarse(grid.strain[..., :-STRAIN_SLOTS])
        plane: NDArray[Any] = getattr(grid, name)
        return plane[..., -STRAIN_SLOTS:] if name == "strain" else plane

    def grid(self, number: int) -> SlotGrid:
        """One block; of one that lay on the shelf the arrays are the caller's own."""
        held = self._held[number]
        if isinstance(held, SlotGrid):
            return held
        first, last = self._bounds[number]
        early, late = strain_of(self._shelf.get(held.early_strain)), self._shelf.get(held.strain)
        strain = np.concatenate([early, late], axis=-1)
        measured, broken, received_ns = (
            self._shelf.get(each) for each in (held.measured, held.broken, held.received_ns)
        )
        lines = Lines(self.lines.sites[first:last], self.lines.paths)
        return SlotGrid(lines, self.first_slot, measured, broken, strain, received_ns)

    def joined(self) -> SlotGrid:
        """All of it at once."""
        if self.is_whole:
            return self.grid(0)
        return joined_slots(self.lines, [self.grid(number) for number in range(len(self._bounds))])


def bounds(offices: int, size: int | None = None) -> list[tuple[int, int]]:
    """(first, last) office of each block of so many, or by default of all or `OFFICES_PER_BLOCK`; of no office one empty block."""
    if size is None:
        size = offices if offices <= MOST_WHOLE else OFFICES_PER_BLOCK
    size = max(size, 1)
    return [(first, min(first + size, offices)) for first in range(0, max(offices, 1), size)]
