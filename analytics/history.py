"""The past by the hour: how many windows of each line were measured, how many broke, what the figures were.

Made from five-minute roll-ups, block by block, in bounded memory.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from analytics.hours import local_hours
from analytics.outage_hours import LOSSES, says_of_loss
from analytics.ranks import medians
from analytics.rhythm import windows_expected
from telemetry.windows import SLOT_NS, SLOTS_PER_HOUR, WINDOWS_PER_HOUR

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from analytics.hours import HourSpan
    from analytics.lines import Lines
    from analytics.losses import Values
    from telemetry.store.tables import RollupTable

METRICS: Final = (
    "up_loss_ratio",
    "down_loss_ratio",
    "loss_ratio",
    "up_jitter_ms",
    "down_jitter_ms",
    "rtt_p95_ms",
)


@dataclass(frozen=True, slots=True)
class History:
    """Cells of local hours `first_hour .. first_hour + T - 1`.

    `measured` (S, P, T) and `broken` (L, S, P, T) count windows, `fullest` (S, P, T) those of the hour's fullest slot;
    `figures` holds per metric the median over the hour's slots, (S, P, T), NaN where nothing was measured; of losses either
    over an outage that filled half of the hour or over the rest of it (`outage_hours`).
    """

    lines: Lines
    first_hour: int
    measured: NDArray[np.uint16]
    fullest: NDArray[np.uint8]
    broken: NDArray[np.uint16]
    figures: Mapping[str, NDArray[np.float32]]

    @property
    def hours(self) -> NDArray[np.int64]:
        """(T,) local hours."""
        return self.first_hour + np.arange(self.measured.shape[-1], dtype=np.int64)

    @property
    def end_hour(self) -> int:
        """The local hour after the last one."""
        return self.first_hour + int(self.measured.shape[-1])


def empty_history(lines: Lines, profiles: int, first_hour: int, hours: int) -> History:
    """A history that has seen nothing."""
    shape = (*lines.shape, hours)
    return History(
        lines=lines,
        first_hour=first_hour,
        measured=np.zeros(shape, dtype=np.uint16),
        fullest=np.zeros(shape, dtype=np.uint8),
        broken=np.zeros((profiles, *shape), dtype=np.uint16),
        figures={name: np.full(shape, np.nan, dtype=np.float32) for name in METRICS},
    )


def of_slots(
    lines: Lines,
    span: HourSpan,
    slots: tuple[NDArray[np.int64], NDArray[np.uint8], NDArray[np.uint8]],
    figures: NDArray[np.float32],
) -> History:
    """The hours of a span out of slots that are judged already; where the clock is set back, an hour has 24 of them.

    Args:
        lines: the axes S and P.
        span: the hours.
        slots: start of each slot (T,) in ns; windows measured (S, P, T); broken (L, S, P, T).
        figures: (6, S, P, T) in the order of `METRICS`.
    """
    start_ns, measured, broken = slots
    out = empty_history(lines, len(broken), span.first, span.count)
    hour = local_hours(start_ns, span.zone) - span.first
    rows = np.flatnonzero((hour >= 0) & (hour < span.count))
    hour, slot = hour[rows], start_ns[rows] // SLOT_NS % SLOTS_PER_HOUR

    if not len(rows):
        return out
    starts = np.flatnonzero(np.diff(hour, prepend=-1))
    for total, counts in ((out.measured, measured), (out.broken, broken)):
        total[..., hour[starts]] = np.add.reduceat(counts[..., rows], starts, axis=-1, dtype=np.uint16)
    out.fullest[..., hour[starts]] = np.maximum.reduceat(measured[..., rows], starts, axis=-1)
    says = says_of_loss(_by_hour(out, hour, slot, figures[METRICS.index("loss_ratio")][..., rows]))
    for index, name in enumerate(METRICS):
        grid = _by_hour(out, hour, slot, figures[index][..., rows])
        if name in LOSSES:
            grid[~says] = np.nan
        out.figures[name][...] = medians(grid)[0]
    return out


def _by_hour(
    out: History, hour: NDArray[np.int64], slot: NDArray[np.int64], figures: NDArray[np.float32]
) -> NDArray[np.float32]:
    """(S, P, T, 12): the figures (S, P, R) of slots at their places in their hours, NaN elsewhere."""
    grid = np.full((*out.measured.shape, SLOTS_PER_HOUR), np.nan, dtype=np.float32)
    grid[..., hour, slot] = figures
    return grid


def merged(old: History, new: History, keep_hours: int) -> History:
    """`old` with the hours of `new` put in place of its own, and at most the newest `keep_hours` kept."""
    end = max(old.end_hour, new.end_hour)
    first = max(min(old.first_hour, new.first_hour), end - keep_hours)
    out = empty_history(new.lines, len(new.broken), first, end - first)
    for source in (old, new):
        low, high = max(source.first_hour, first), min(source.end_hour, end)
        if high <= low:
            continue
        here, there = (
            slice(low - first, high - first),
            slice(low - source.first_hour, high - source.first_hour),
        )
        out.measured[..., here] = source.measured[..., there]
        out.fullest[..., here] = source.fullest[..., there]
        out.broken[..., here] = source.broken[..., there]
        for name in METRICS:
            out.figures[name][..., here] = source.figures[name][..., there]
    return out


def joined(lines: Lines, blocks: Sequence[History]) -> History:
    """The histories of consecutive blocks of sites, over the same hours, as one."""
    return History(
        lines=lines,
        first_hour=blocks[0].first_hour,
        measured=np.concatenate([block.measured for block in blocks], axis=0),
        fullest=np.concatenate([block.fullest for block in blocks], axis=0),
        broken=np.concatenate([block.broken for block in blocks], axis=1),
        figures={name: np.concatenate([block.figures[name] for block in blocks], axis=0) for name in METRICS},
    )


def with_contact_lost(history: History, lost_windows: NDArray[np.integer]) -> History:
    """Windows that were never measured while the office had lost contact, (S, T), count as broken on all its lines.

    On a line that is measured seldom they count as so many of its samples as it would have had in that time.
    """
    expected = windows_expected(history.measured, history.fullest).astype(np.int64)
    room = np.maximum(expected - history.measured.astype(np.int64), 0)
    lost = np.asarray(lost_windows, dtype=np.int64)[:, None, :] * expected // WINDOWS_PER_HOUR
    used = np.asarray(history.measured.any(axis=-1))[..., None]  # lines that exist at all
    add = np.where(used, np.minimum(room, lost), 0).astype(np.uint16)
    return replace(history, measured=history.measured + add, broken=history.broken + add)


def slot_figures(
    table: RollupTable, rows: NDArray[np.int64], windows: Values
) -> dict[str, NDArray[np.float64]]:
    """The figures of `METRICS` of some rows of a table, (n,) each, NaN where there is none; `windows` are theirs."""
    sent, lost, up_lost, down_lost = (
        _total(windows[name]) for name in ("sent", "lost", "up_lost", "down_lost")
    )
    columns = {name: np.asarray(table.columns[name], dtype=np.float64)[rows] for name in METRICS[3:]}
    with np.errstate(divide="ignore", invalid="ignore"):
        return {
            "up_loss_ratio": up_lost / sent,
            "down_loss_ratio": down_lost / (sent - up_lost),
            "loss_ratio": lost / sent,
        } | columns


def _total(counts: NDArray[np.floating]) -> NDArray[np.float64]:
    """Sum of each row's counts, NaN left out.

    By a product with ones: twenty times as fast as a sum over so short an axis, and exact for whole numbers below 2**24.
    """
    total = (counts @ np.ones(counts.shape[-1], dtype=counts.dtype)).astype(np.float64)
    gaps = np.flatnonzero(~np.isfinite(total))
    total[gaps] = np.nan_to_num(counts[gaps]).sum(axis=-1, dtype=np.float64)
    return total
