"""The hours of a past, put together block by block: counts are held of all offices, figures of a large fleet lie on a shelf."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

from analytics.history import METRICS, History
from tatpar.watching.shelf import Shelf

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from analytics.lines import Lines
    from tatpar.watching.shelf import Ticket


class ShelvedFigures(Mapping[str, "NDArray[np.float32]"]):
    """Figures (S, P, T) by metric, taken down when they are asked for: what is usual is worked out once an hour."""

    def __init__(self, folder: Path | None) -> None:
        self._shelf = Shelf(folder)
        self._tickets: dict[str, list[Ticket]] = {name: [] for name in METRICS}

    def add(self, figures: Mapping[str, NDArray[np.float32]]) -> None:
        """Of the next block."""
        for name, tickets in self._tickets.items():
            tickets.append(self._shelf.put(figures[name]))

    def of_block(self, number: int) -> dict[str, NDArray[np.float32]]:
        """All metrics of one block."""
        return {name: self._shelf.get(tickets[number]) for name, tickets in self._tickets.items()}

    def __getitem__(self, name: str) -> NDArray[np.float32]:
        return np.concatenate([self._shelf.get(each) for each in self._tickets[name]])

    def __iter__(self) -> Iterator[str]:
        return iter(self._tickets)

    def __len__(self) -> int:
        return len(self._tickets)


class HistoryInBlocks:
    """Collects the history of all lines."""

    def __init__(self, lines: Lines, blocks: int, folder: Path | None) -> None:
        """`blocks`: so many will be added; one is taken as it is."""
        self._lines, self._blocks = lines, blocks
        self._figures = ShelvedFigures(folder)
        self._whole: History | None = None
        self._first = 0

    def add(self, part: History) -> None:
        """The hours of the next block."""
        if self._blocks == 1:
            self._whole = part
            return
        if self._whole is None:
            shape = (*self._lines.shape, part.measured.shape[-1])
            self._whole = History(
                self._lines,
                part.first_hour,
                np.zeros(shape, dtype=np.uint16),
                np.zeros(shape, dtype=np.uint8),
                np.zeros((len(part.broken), *shape), dtype=np.uint16),
                self._figures,
            )
        here = slice(self._first, self._first + len(part.lines.sites))
        self._whole.measured[here] = part.measured
        self._whole.fullest[here] = part.fullest
        self._whole.broken[:, here] = part.broken
        self._figures.add(part.figures)
        self._first = here.stop

    def made(self) -> History:
        """All of it."""
        assert self._whole is not None
        return self._whole


def block_of(
    history: History, number: int, offices: tuple[int, int], *, with_figures: bool = True
) -> History:
    """The hours of one block; without figures, where only counts are asked for."""
    first, last = offices
    if not isinstance(history.figures, ShelvedFigures):
        assert (first, last) == (0, len(history.lines.sites)), "only one block is held as it is"
        return history
    figures = history.figures.of_block(number) if with_figures else {}
    lines = type(history.lines)(history.lines.sites[first:last], history.lines.paths)
    return History(
        lines,
        history.first_hour,
        history.measured[first:last],
        history.fullest[first:last],
        history.broken[:, first:last],
        figures,
    )
