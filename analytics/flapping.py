"""Lines that come and go: how often they were down within the hour, and since when.

Two witnesses, of whom the one that saw more is told: the windows of the last half hour, which show also what came back for less than
half a minute, and the outages that were told within the hour. Neither counts where the line loses much beside them: that is a lossy line.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from analytics.outages import NEARLY_ALL
from telemetry.decisions import Flag, Reason, ReasonCode
from telemetry.windows import MINUTE_NS, SECOND_NS, WINDOW_NS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from analytics.outages import Outages
    from analytics.recent import Recent

COMES_AND_GOES: Final = 3
"""Outages within the hour from which a line is one that comes and goes."""
FLAGGED_NS: Final = 15 * MINUTE_NS
"""It is flagged so long after its last outage."""


@dataclass(frozen=True, slots=True)
class Flapping:
    """Outages of each line, (S, P) each; of those within the hour `count`, and the times (ns, 0 without one) when the first began and the last ended."""

    count: NDArray[np.int64]
    since_ns: NDArray[np.int64]
    until_ns: NDArray[np.int64]
    told: Mapping[tuple[int, int], tuple[tuple[int, int], ...]] = field(default_factory=dict)
    """By line (site, path), when each of the outages that were told began and ended (ns)."""

    def of_line(self, site: int, path: int) -> tuple[tuple[int, int], ...]:
        """When a line was down: the first beginning with the last end, and each outage that was told."""
        first_last = int(self.since_ns[site, path]), int(self.until_ns[site, path])
        return (first_last, *self.told.get((site, path), ()))

    def reason(self, site: int, path: int, name: str) -> Reason | None:
        """How often and since when, of a line that comes and goes; None of any other."""
        if self.count[site, path] < COMES_AND_GOES:
            return None
        return Reason(
            code=ReasonCode.FLAPPING,
            value=float(self.count[site, path]),
            path=name,
            since_ns=int(self.since_ns[site, path]) or None,
        )


def no_outages(shape: tuple[int, int]) -> Flapping:
    """Of lines of which none is known to have been down."""
    return Flapping(*np.zeros((3, *shape), dtype=np.int64))


def flapping(recent: Recent, told: Flapping) -> Flapping:
    """Which lines come and go, by their recent windows and by the outages that were `told`; 0 outages where a line loses much beside them."""
    found, shape = recent.outages, recent.lines.shape
    count, since_ns, until_ns = (_widened(each, shape) for each in (told.count, told.since_ns, told.until_ns))
    for site, path in np.argwhere((_at_most(found) >= COMES_AND_GOES) | (count >= COMES_AND_GOES)).tolist():
        cell = (site, path)
        if not _loses_only_in_outages(recent, cell):
            count[cell] = since_ns[cell] = until_ns[cell] = 0
            continue
        seen = found.of_line(site, path)
        if seen:
            until_ns[cell] = max(until_ns[cell], seen[-1].until_ns or int(found.start_ns[-1]) + WINDOW_NS)
        if len(seen) > count[cell]:
            count[cell], since_ns[cell] = len(seen), seen[0].since_ns
    return Flapping(count, since_ns, until_ns, told.told)


def flapping_flags(recent: Recent, found: Flapping, now_ns: int) -> list[Flag]:
    """News of lines that come and go, in their pauses too, up to a while after their last outage."""
    lately = (found.count >= COMES_AND_GOES) & (now_ns - found.until_ns <= FLAGGED_NS)
    flags = []
    for site, path in np.argwhere(lately).tolist():
        name = recent.lines.paths[path]
        reason = found.reason(site, path, name)
        if reason is not None:
            since_ns, until_ns = (int(each[site, path]) for each in (found.since_ns, found.until_ns))
            flags.append(
                Flag(
                    site=recent.lines.sites[site],
                    path=name,
                    reason=reason,
                    since_ns=since_ns,
                    seen_ns=until_ns,
                )
            )
    return flags


def _at_most(found: Outages) -> NDArray[np.int64]:
    """(S, P): an upper bound of the outages: windows that begin a run of down ones, and those that were down in part only."""
    down = found.down
    if not down.any():
        return np.zeros(down.shape[:2], dtype=np.int64)
    before = np.zeros_like(down)
    before[..., 1:] = down[..., :-1]
    partly = down & (found.run_s < WINDOW_NS / SECOND_NS)
    return np.asarray((down & (~before | partly)).sum(axis=-1))


def _loses_only_in_outages(recent: Recent, cell: tuple[int, int]) -> bool:
    counts = recent.counts
    lost_s = counts.lost[cell] / np.maximum(counts.sent[cell], 1) * (WINDOW_NS / SECOND_NS)
    return bool(recent.outages.run_s[cell].sum() >= NEARLY_ALL * lost_s.sum())


def _widened(array: NDArray[np.int64], shape: tuple[int, int]) -> NDArray[np.int64]:
    """A copy, with zeros for paths that were learnt since."""
    return np.pad(array, ((0, 0), (0, shape[1] - array.shape[1])))
