"""`tatpar changes --site`: the moves of an office's lines, line by line out of the store."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct

from analytics.changes.moved import Moved, level_moves
from analytics.changes.series import METRICS, Metric
from tatpar.shipped.level_trees import shipped_trees
from telemetry.store.line_figures import line_figures
from telemetry.windows import slot_start

if TYPE_CHECKING:
    from collections.abc import Callable

    from telemetry.store.protocol import StoreReader


class Asked(Struct, frozen=True, kw_only=True):
    """Which lines and figures of an office, from when to when."""

    site: str
    paths: tuple[str, ...]
    metrics: tuple[Metric, ...]
    start_ns: int
    end_ns: int


class Found(Struct, frozen=True, kw_only=True):
    """The moves by time, and of how many slots of all lines anything is known: of none, nothing can be said."""

    site: str
    since_ns: int
    measured_slots: int
    moves: tuple[Moved, ...]


def moves(reader: StoreReader, asked: Asked, progress: Callable[[int], None] = lambda _: None) -> Found:
    """All moves over whole slots; `progress` is told each line done."""
    found: list[Moved] = []
    measured = 0
    since_ns = slot_start(asked.start_ns)
    for path in asked.paths:
        figures = line_figures(reader, (asked.site,), (path,), since_ns, asked.end_ns)
        measured += int(np.isfinite(figures["loss"]).sum())
        wanted = {metric: figures[metric] for metric in asked.metrics}
        found += level_moves(wanted, (asked.site,), (path,), since_ns, shipped_trees())
        progress(1)
    found.sort(key=lambda move: (move.when_ns, move.path, METRICS.index(move.metric)))
    return Found(site=asked.site, since_ns=since_ns, measured_slots=measured, moves=tuple(found))
