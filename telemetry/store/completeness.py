"""Data completeness: of the windows that should be in the store, how many are, and what became of the others.

Definition. A window of 15 s of an office is *expected* from the office's first contact on (the start of the first
window that ever came from one of its probes), up to the end of the span. It is *stored* when a report of at least
one of its probes for that window is in the store. Each other window is missing, and counted under one of:

* **lost** on the way: the report was made, since its number was passed over, and has not arrived; it may still come;
* **dropped** by the probe: its number was written off by a tombstone (spool full, refused by the hub, …);
* **never** measured: no number was used up: the probe did not run, or nobody knows of it. Planned maintenance is not
  known yet and counts here.

A number does not say which window it was of, so the missing windows of a probe are divided thus: a tombstone of k
reports takes the first k silent windows of the time that it tells of, and what it cannot find there, like a hole of
k, the last k silent windows that were closed when it was noticed (live reports come in order: what the next one has passed
over was just before it). Only windows that are silent are taken, each once; so the parts sum up to the whole.

`ratio` = stored / expected; NaN where nothing was expected.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from telemetry.windows import LATE_NS, WINDOW_NS, window_start

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from telemetry.store.protocol import Gaps, SeqHole

ABSENT: Final = 0
STORED: Final = 1
LOST: Final = 2
DROPPED: Final = 3
NEVER: Final = 4
"""States of a window of a probe; of several probes of an office the least that is not ABSENT counts."""
_STATES: Final = 5
SETTLES_NS: Final = 60 * 10**9
"""A window that ended less than a minute ago may be on its way: it is not expected yet."""


@dataclass(frozen=True, slots=True)
class Completeness:
    """Numbers of windows; `expected` is the sum of the others."""

    stored: int = 0
    lost: int = 0
    dropped: int = 0
    never: int = 0

    @property
    def expected(self) -> int:
        """Windows that should be in the store."""
        return self.stored + self.missing

    @property
    def missing(self) -> int:
        """Windows that are not."""
        return self.lost + self.dropped + self.never

    @property
    def ratio(self) -> float:
        """Stored of expected, 0..1; NaN where nothing was expected."""
        return self.stored / self.expected if self.expected else float("nan")

    def __add__(self, other: Completeness) -> Completeness:
        return Completeness(
            self.stored + other.stored,
            self.lost + other.lost,
            self.dropped + other.dropped,
            self.never + other.never,
        )


def total(parts: Iterable[Completeness]) -> Completeness:
    """Of several offices together: their windows summed, not their ratios averaged."""
    return sum(parts, Completeness())


def settled_until(now_ns: int) -> int:
    """The end of the last window that is expected at a moment."""
    return window_start(now_ns - SETTLES_NS)


def completeness(gaps: Gaps, start_ns: int, until_ns: int, reach_ns: int) -> dict[str, Completeness]:
    """Completeness by site over `[start_ns, until_ns)`; sites without a contact are not in it.

    Args:
        gaps: read over `[start_ns, reach_ns)`: holes of the span may be noticed after its end.
        start_ns: begin of the span; windows that lie in it whole count.
        until_ns: end of the span.
        reach_ns: end of what was read, at least `until_ns`.
    """
    count = (until_ns - _grid(start_ns)) // WINDOW_NS
    planes: dict[str, NDArray[np.uint8]] = {}
    for (site, _), states in _planes(gaps, _grid(start_ns), reach_ns).items():
        own = np.where(states[:count] == ABSENT, _STATES, states[:count]).astype(np.uint8)
        planes[site] = own if site not in planes else np.minimum(planes[site], own)
    return {site: _counted(plane) for site, plane in planes.items()}


def _grid(start_ns: int) -> int:
    return window_start(start_ns + WINDOW_NS - 1)


def _counted(plane: NDArray[np.uint8]) -> Completeness:
    counts = np.bincount(plane, minlength=_STATES + 1).tolist()
    return Completeness(counts[STORED], counts[LOST], counts[DROPPED], counts[NEVER])


def _planes(gaps: Gaps, start_ns: int, reach_ns: int) -> dict[tuple[str, str], NDArray[np.uint8]]:
    """Per (site, probe), the state of every window from `start_ns` on, shape (W,)."""
    width = max((reach_ns - start_ns) // WINDOW_NS, 0)
    planes = {}
    for contact in gaps.contacts:
        plane = np.full(width, STORED, np.uint8)
        plane[: max(_index(contact.first_ns, start_ns), 0)] = ABSENT
        planes[contact.site, contact.probe] = plane
    for silence in gaps.silences:
        first, end = (max(_index(at, start_ns), 0) for at in (silence.from_ns, silence.until_ns))
        planes[silence.site, silence.probe][first:end] = NEVER
    for hole in sorted(gaps.holes, key=_order):
        if (hole.site, hole.probe) in planes:
            _explain(planes[hole.site, hole.probe], hole, start_ns)
    return planes


def _order(hole: SeqHole) -> tuple[bool, int, str, int]:
    """Tombstones first, since they tell their time; then as they were noticed."""
    return (not hole.tombstone, hole.noticed_ns, hole.epoch, hole.first_seq)


def _explain(plane: NDArray[np.uint8], hole: SeqHole, start_ns: int) -> None:
    """Give a hole or tombstone the silent windows that it explains."""
    left = hole.last_seq - hole.first_seq + 1
    state = DROPPED if hole.tombstone else LOST
    if hole.from_ns is not None and hole.until_ns is not None:
        first = max((hole.from_ns - start_ns) // WINDOW_NS, 0)
        span = plane[first : max(_index(hole.until_ns, start_ns), first)]
        own = np.flatnonzero(span == NEVER)[:left]
        span[own] = state
        left -= len(own)
    if left:
        closed = (hole.noticed_ns - LATE_NS - start_ns) // WINDOW_NS
        before = plane[: max(closed, 0)]
        before[np.flatnonzero(before == NEVER)[-left:]] = state


def _index(time_ns: int, start_ns: int) -> int:
    """Of the first window that begins at or after a time; negative before the span."""
    return -((start_ns - time_ns) // WINDOW_NS)
