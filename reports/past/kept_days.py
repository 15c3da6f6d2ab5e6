"""Judged days as bytes: what is kept of an office's day beside the store, and the names under which.

A name is a digest of everything that the figures depend on beside the roll-ups: the lines, the limits, and the code that judges.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final, Self

import msgspec
import numpy as np

from analytics.floor import asks_floor
from analytics.history import METRICS
from reports.past.judging_code import files_that_judge
from telemetry.windows import SLOT_NS, SLOTS_PER_DAY

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from analytics.forecast.slots import SlotGrid
    from config.profiles import Limits
    from telemetry.store.derived import DerivedDays

_GRID_FIELDS: Final = ("received_ns", "strain", "measured", "broken")


@dataclass(frozen=True, slots=True)
class KeptDays:
    """One office's days, as they are kept and found again."""

    derived: DerivedDays
    slots_kind: str
    slots_type: np.dtype[np.void]
    figures_kind: str
    figures_type: np.dtype[np.void]

    @classmethod
    def of(cls, derived: DerivedDays, paths: Sequence[str], limits: Sequence[Limits]) -> Self | None:
        """None where nothing can be kept: a limit above the line's own floor looks at the days before as well."""
        if asks_floor(limits):
            return None
        line = (len(paths), SLOTS_PER_DAY)
        slots = np.dtype([
            ("received_ns", "<i8", line),
            ("strain", "<f4", (len(limits), *line)),
            ("measured", "u1", line),
            ("broken", "u1", (len(limits), *line)),
        ])  # fmt: skip
        figures = np.dtype([("figures", "<f4", (len(METRICS), *line))])
        return cls(
            derived, "slots." + _digest(paths, limits), slots, "figures." + _digest(paths, ()), figures
        )

    def found(
        self, grid: SlotGrid, figures: NDArray[np.float32] | None, marks: Mapping[int, int]
    ) -> set[int]:
        """Fill in the days that are kept under these marks; which they were.

        Args:
            grid: of one office, over whole days.
            figures: (6, 1, P, T) of the grid; None where they are not wanted.
            marks: by the start of the day.
        """
        (site,) = grid.lines.sites
        days = self.derived.get(site, self.slots_kind, marks)
        if figures is not None and days:
            more = self.derived.get(site, self.figures_kind, {day: marks[day] for day in days})
            days = {day: data for day, data in days.items() if day in more}
            _lay(figures, "figures", _array(more, days, self.figures_type), _at(grid, days))
        rows = _array(days, days, self.slots_type)
        for name in _GRID_FIELDS:
            _lay(getattr(grid, name), name, rows, _at(grid, days))
        return set(days)

    def keep(
        self, grid: SlotGrid, figures: NDArray[np.float32], days: Mapping[int, int], first_ns: int
    ) -> None:
        """Keep these days (their marks by their start) of a grid of one office; older ones than `first_ns` go."""
        if not days:
            return
        (site,) = grid.lines.sites
        slots, said = {}, {}
        for (day, mark), at in zip(days.items(), _at(grid, days), strict=True):
            here = slice(at * SLOTS_PER_DAY, (at + 1) * SLOTS_PER_DAY)
            row = np.zeros((), self.slots_type)
            for name in _GRID_FIELDS:
                row[name] = _one_office(getattr(grid, name))[..., here]
            slots[day] = mark, row.tobytes()
            said[day] = mark, _one_office(figures)[..., here].astype("<f4").tobytes()
        self.derived.put(site, self.slots_kind, slots, first_ns)
        self.derived.put(site, self.figures_kind, said, first_ns)


def _digest(paths: Sequence[str], limits: Sequence[Limits]) -> str:
    said = msgspec.json.encode([_code(), list(paths), list(limits)])
    return hashlib.sha256(said).hexdigest()[:24]


@cache
def _code() -> str:
    """A digest of the source that judges and keeps: under another release, or a developer's change, nothing is found."""
    found = hashlib.sha256()
    for file in files_that_judge():
        found.update(file.read_bytes())
    return found.hexdigest()


def _at(grid: SlotGrid, days: Mapping[int, Any]) -> list[int]:
    """The place of each day in a grid of whole days."""
    return [(day // SLOT_NS - grid.first_slot) // SLOTS_PER_DAY for day in days]


def _array(kept: Mapping[int, bytes], days: Mapping[int, Any], dtype: np.dtype[np.void]) -> NDArray[np.void]:
    return np.frombuffer(b"".join(kept[day] for day in days), dtype)


def _one_office(plane: NDArray[Any]) -> NDArray[Any]:
    """(…, P, T) out of (…, 1, P, T)."""
    return plane[..., 0, :, :]


def _lay(plane: NDArray[Any], name: str, rows: NDArray[np.void], at: list[int]) -> None:
    """Put days into a plane (…, 1, P, T) of one office, T whole days."""
    if not at:
        return
    by_day = _one_office(plane).reshape(*plane.shape[:-3], plane.shape[-2], -1, SLOTS_PER_DAY)  # a view
    by_day[..., at, :] = np.moveaxis(rows[name], 0, -2)
