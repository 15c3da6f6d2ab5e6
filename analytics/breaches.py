"""The windows of one line that were past a limit, and the last spell of them: what a reason's figure is drawn from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from analytics.bursts import burst_of
from analytics.causes import BURST_CAUSES, DELAY_CAUSES, Cause
from analytics.delays import delay_of
from analytics.judge import LEAST_BURST_LOST, LEAST_BURST_SENT
from telemetry.windows import WINDOW_NS

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

    from analytics.losses import Losses
    from analytics.outages import Outages
    from analytics.recent import Recent

JOINED_WINDOWS: Final = 4
"""Windows past the limit that lie no further apart than a minute, with no outage between them, are one spell."""
JOINED_NS: Final = (JOINED_WINDOWS - 1) * WINDOW_NS
"""The same from the end of one window to the beginning of the next."""
MOSTLY_KNOWN: Final = 0.1
"""A direction is told while no more than this share of what was lost is of an unknown one."""
_DIRECTED: Final = {
    Cause.LOSS: (Cause.LOSS_UP, Cause.LOSS_DOWN),
    Cause.BURST: (Cause.BURST_UP, Cause.BURST_DOWN),
}


@dataclass(frozen=True, slots=True)
class Breach:
    """The last spell of windows past a limit, `first` to `last` (indices); `over` when a window within it came since.

    `unseen`: nobody saw it begin, and it may have begun before `first`.
    """

    first: int
    last: int
    over: bool
    unseen: bool = False


def last_breach(
    recent: Recent, line: tuple[int, int], cause: Cause, limit: float | None, windows: int
) -> Breach | None:
    """The last spell of a cause on a line (site, path), from its very beginning on, that reached into the newest `windows` of the grid; None without one."""
    past = past_limit(recent, line, cause, limit)
    found = np.flatnonzero(past)
    if not len(found) or found[-1] < len(past) - windows:
        return None
    outages = (
        np.cumsum(recent.outages.down[line])[found] if cause is not Cause.OUTAGE else np.zeros(len(found))
    )
    gaps = np.flatnonzero((np.diff(found) > JOINED_WINDOWS) | (np.diff(outages) > 0))
    first = int(found[gaps[-1] + 1]) if len(gaps) else int(found[0])
    last = int(found[-1])
    unseen = not seen_to_begin(recent.outages, line, first)
    return Breach(first, last, over=last < int(recent.newest[line]), unseen=unseen)


def seen_to_begin(outages: Outages, line: tuple[int, int], first: int, oldest: int = 0) -> bool:
    """Whether anybody saw a spell past a limit begin in its `first` window (index) on a line (site, path), when windows were looked at from the `oldest` on.

    The window before was measured, and all that would still be of the same spell was looked at. After an outage every spell begins anew.
    """
    if not first or not outages.present[line][first - 1]:
        return False
    return bool(outages.down[line][first - 1]) or first - oldest >= JOINED_WINDOWS


def past_limit(recent: Recent, line: tuple[int, int], cause: Cause, limit: float | None) -> NDArray[np.bool_]:
    """Which windows (W,) of a line have a figure past the limit, proved or not."""
    shape = recent.present.shape[-1:]
    outage = recent.outages.down[line]
    if cause is Cause.OUTAGE:
        return np.asarray(outage)
    if limit is None:
        return np.zeros(shape, dtype=bool)
    with np.errstate(invalid="ignore"):
        if cause & DELAY_CAUSES:
            found = delay_of(recent.values, cause)[line] > limit
        elif cause & BURST_CAUSES:
            lost, sent = (each[line] for each in burst_of(recent.values, cause))
            found = (sent >= LEAST_BURST_SENT) & (lost >= LEAST_BURST_LOST) & (lost > limit * sent)
        else:
            lost, sent = loss_counts(recent.counts, cause)
            found = lost[line] > limit * sent[line]
    return np.asarray(found & ~outage)


def loss_counts(counts: Losses, cause: Cause) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(lost, sent) in packets, of the shape of the counts, as they are told: of one direction, or all that was lost when the direction is not known."""
    if cause is Cause.LOSS_UP:
        return counts.up_lost, counts.sent
    if cause is Cause.LOSS_DOWN:
        return counts.down_lost, counts.down_sent
    return counts.lost, counts.sent


def family(cause: Cause) -> tuple[Cause, ...]:
    """The cause, and those whose place it takes in `one_voice`."""
    return (cause, *_DIRECTED.get(cause, ()))


def told_as(cause: Cause) -> tuple[Cause, ...]:
    """The cause, and those under which it may have been told while less was known of its direction, or more."""
    return (*family(cause), *(each for each, directed in _DIRECTED.items() if cause in directed))


def one_voice(counts: Losses, causes: Collection[Cause]) -> set[Cause]:
    """One fault, one reason: its direction where that is known, the total where too much of it is not.

    Args:
        counts: of the windows that the reason is about.
        causes: what could be told of one line.
    """
    known = int(counts.unattributed.sum()) <= MOSTLY_KNOWN * int(counts.lost.sum())
    told = set(causes)
    for undirected, directed in _DIRECTED.items():
        if undirected in told and told.intersection(directed):
            told -= {undirected} if known else set(directed)
    return told
