"""Losses that look like shares of 1 though the mapping says per cent: a hundredth of what was lost would be taken in, and nobody told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tatpar.importing.mapping import LOSSES
from tatpar.importing.numbers import numbers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tatpar.importing.mapping import Mapping
    from tatpar.importing.tables import Chunk


class SmallShares:
    """The greatest of each column of per cent in one file."""

    def __init__(self, mapping: Mapping) -> None:
        told = [] if mapping.summary is None else [getattr(mapping.summary, name) for name in LOSSES]
        self._columns = [share.column for share in told if share is not None and share.unit == "pct"]
        self._greatest: dict[str, float] = {}

    def look(self, chunk: Chunk) -> None:
        """Of some of its rows."""
        for column in self._columns:
            values = numbers(chunk, column)
            self._greatest[column] = float(np.fmax.reduce(values, initial=self._greatest.get(column, 0.0)))

    def doubts(self) -> Iterator[str]:
        """A line for people for each column that never says more than 1 per cent, and says something."""
        for column, greatest in self._greatest.items():
            if 0.0 < greatest <= 1.0:
                yield (
                    f"{column} is {greatest:g} at most, taken for per cent as the mapping says; "
                    'if it is a share of 1, write unit = "ratio" and import it again'
                )
