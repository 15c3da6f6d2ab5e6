"""Where the level of an office's lines moved, out of the store's five-minute figures."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np
from msgspec import Struct

from analytics.changes.offline import changes, standing
from analytics.changes.series import METRICS, Metric
from analytics.ranks import medians
from tatpar.level_trees import shipped_trees
from telemetry.store.grid import slot_grid
from telemetry.store.protocol import Selection
from telemetry.windows import DAY_NS, SLOT_NS, slot_start

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from telemetry.store.protocol import StoreReader

LEAST_STEP: Final[dict[Metric, float]] = {"rtt": 2.0, "jitter": 1.0, "loss": 0.002}
LEAST_SHARE: Final = 0.1
"""A move is told when it is at least so large, and that share of the level before."""
LEAST_DAYS: Final = 5
"""Days of which a rhythm is believed."""
SLOTS_PER_DAY: Final = DAY_NS // SLOT_NS
_COLUMNS: Final = ("sent", "lost", "up_jitter_ms", "down_jitter_ms", "rtt_p50_ms")


class Move(Struct, frozen=True, kw_only=True):
    """A level that moved: the medians of the slots between this change and its neighbours, in ms, or a ratio for loss."""

    site: str
    path: str
    metric: Metric
    at_ns: int
    before: float
    after: float


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
    moves: tuple[Move, ...]


def moves(reader: StoreReader, asked: Asked, progress: Callable[[int], None] = lambda _: None) -> Found:
    """All moves over whole slots; `progress` is told each line done."""
    found: list[Move] = []
    measured = 0
    span = slot_start(asked.start_ns), asked.end_ns
    for path in asked.paths:
        table = reader.rollups(
            Selection(*span, (asked.site,), (path,)), histograms=False, columns=_COLUMNS, window_values=()
        )
        grid = slot_grid(table, (asked.site,), (path,), *span, _COLUMNS)
        figures = _figures({name: plane[0, 0] for name, plane in grid.items()})
        measured += int(np.isfinite(figures["loss"]).sum())
        for metric in asked.metrics:
            found += _moves(asked.site, path, metric, figures[metric], span[0])
        progress(1)
    found.sort(key=lambda move: (move.at_ns, move.path, METRICS.index(move.metric)))
    return Found(site=asked.site, since_ns=span[0], measured_slots=measured, moves=tuple(found))


def _figures(slots: dict[str, NDArray[np.float64]]) -> dict[Metric, NDArray[np.float64]]:
    with np.errstate(invalid="ignore", divide="ignore"):
        loss = slots["lost"] / slots["sent"]
    jitter = np.fmax(slots["up_jitter_ms"], slots["down_jitter_ms"])
    return {"rtt": slots["rtt_p50_ms"], "jitter": jitter, "loss": np.where(slots["sent"] > 0, loss, np.nan)}


def _moves(site: str, path: str, metric: Metric, values: NDArray[np.float64], first_ns: int) -> list[Move]:
    """Where the level moved apart from the day's own rhythm; levels are of the figures as measured."""
    if not np.isfinite(values).any():
        return []
    plain = _without_habit(values)
    found = changes(plain, shipped_trees()) if metric == "rtt" else standing(plain, metric)
    while True:  # a cut that is not told joins its two sides, and their neighbours are weighed anew
        cuts = [0, *found.tolist(), len(values)]
        level = np.array([_median(values[low:high]) for low, high in pairwise(cuts)])
        before, after = level[:-1], level[1:]
        told = np.abs(after - before) >= np.maximum(LEAST_STEP[metric], LEAST_SHARE * before)
        if told.all():
            break
        found = found[told]
    return [
        Move(site=site, path=path, metric=metric, at_ns=first_ns + cut * SLOT_NS, before=low, after=high)
        for cut, low, high in zip(found.tolist(), before.tolist(), after.tolist(), strict=True)
    ]


def _without_habit(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Figures less what the time of day adds to them: the median of that slot of all days over that of all slots."""
    days = -(-len(values) // SLOTS_PER_DAY)
    if days < LEAST_DAYS:
        return values
    whole = np.full(days * SLOTS_PER_DAY, np.nan)
    whole[: len(values)] = values
    by_day = whole.reshape(days, SLOTS_PER_DAY)
    habit, known = medians(by_day.T)
    added = np.where(known >= LEAST_DAYS, habit - medians(values)[0], 0.0)
    return np.asarray(np.maximum(by_day - added, 0.0).ravel()[: len(values)])


def _median(values: NDArray[np.float64]) -> float:
    return round(float(medians(values)[0]), 5)
