"""Which way packets were lost, from the reflector's own numbers (RFC 8762 4.3, stateful mode).

Between two replies that came, with sender numbers s0 < s1 and reflector numbers r0 < r1, the reflector got
`r1 - r0 - 1` packets whose replies did not come: lost on the way down. The other `s1 - s0 - 1 - (r1 - r0 - 1)`
never reached it: lost on the way up. So the counts of such a *gap* are exact, though not which packet went which way.

What cannot be known is left unattributed rather than guessed:
* after the last reply, until a later one comes (at most 3 s, then the window is closed);
* a gap with both kinds that reaches across the window's edge: only what is certain for this window is attributed;
* copies made on the way up take numbers too. Once a copy is seen, or there are more missing numbers than missing
  packets, a missing number may belong to a copy, and no loss on the way down is certain any more in this window;
* across a restart of the reflector only the numbers missing since the restart are known to be lost on the way down.
A copy of which nothing is ever seen, in a gap that also has a loss on the way up, cannot be told from a loss on the way
down by anyone.

Packets that overtake each other on the way up are pooled into one gap from the first to the last of them; when there
are any, the edges of the window are pooled as far as packets were seen to move.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from telemetry.arrays import np
from telemetry.metrics.loss_pattern import loss_runs

if TYPE_CHECKING:
    from numpy.typing import NDArray

RESTART_STRIDE: Final = 1 << 40
"""A rank is `restarts * RESTART_STRIDE + FIRST_RANK + number`: rising over restarts and over the wrap of 32-bit numbers."""
FIRST_RANK: Final = 2
BEFORE_FIRST: Final = FIRST_RANK - 1
"""Stands for the state before a session's first reply."""
_NEAR: Final = 32
"""Packets from the window's edge within which an unexplained number casts doubt on it."""
_UNSETTLED: Final = 8
"""Packets from an edge, or from the last reply, that are taken for movable where any were seen to move."""
_REACH: Final = 2
"""Unseen packets may have moved so many times as far as those that were seen to move."""


@dataclass(frozen=True, slots=True)
class Lump:
    """Losses known by count only, somewhere among the packets `first..last` (indices in the window, inclusive)."""

    first: int
    last: int
    up: int
    down: int


@dataclass(frozen=True, slots=True)
class Attribution:
    """The losses of one window by direction; only what is certain."""

    up_lost: NDArray[np.bool_]
    """Packets, shape (n,), known one by one to be lost on the way up."""
    down_lost: NDArray[np.bool_]
    lumps: tuple[Lump, ...] = ()
    up_run: int = 0
    """Longest run of consecutive packets lost on the way up (at least)."""
    down_run: int = 0

    @property
    def up(self) -> int:
        """Packets lost on the way up."""
        return int(np.count_nonzero(self.up_lost)) + sum(lump.up for lump in self.lumps)

    @property
    def down(self) -> int:
        """Packets lost on the way down."""
        return int(np.count_nonzero(self.down_lost)) + sum(lump.down for lump in self.lumps)


@dataclass(frozen=True, slots=True)
class Replies:
    """Distinct packets that were answered, within the window and around it, sorted by sequence."""

    index: NDArray[np.int64]
    """Sequence number, counted from the first packet of the window; negative before it."""
    rank: NDArray[np.int64]
    """The reflector's number of the first reply to each, see `RESTART_STRIDE`."""
    ranks: NDArray[np.int64]
    """All numbers seen, sorted, those of copies too."""
    copies: bool
    """Whether copies made on the way up were seen."""


def longest_run(lost: NDArray[np.bool_]) -> int:
    """Longest run of consecutive losses."""
    first, last = loss_runs(lost)
    return int((last - first).max()) + 1 if len(first) else 0


def unknown(refused: NDArray[np.bool_]) -> Attribution:
    """Nothing is known but what never left this machine."""
    return Attribution(refused, np.zeros_like(refused), up_run=longest_run(refused))


def attribute(replies: Replies, lost: NDArray[np.bool_], refused: NDArray[np.bool_]) -> Attribution:
    """Attribute the losses of a window.

    Args:
        replies: of the window and its surroundings, from the last known before it to those that have come since.
        lost: shape (n,), packets of the window without a reply.
        refused: shape (n,), those among them that never left this machine.
    """
    missing = lost & ~refused
    if len(replies.index) < 2 or not missing.any():
        return unknown(refused)
    gaps = [gap for gap in _gaps(replies, missing) if gap.last >= -_NEAR and gap.first < len(lost) + _NEAR]
    settled = gaps
    if any(gap.pooled for gap in gaps):
        # The last few packets may have got numbers that no reply shows yet.
        settled = [gap for gap in gaps if gap.last < int(replies.index[-1]) - _UNSETTLED]
    if not any(gap.unexplained for gap in gaps):
        return _settle(settled, missing, refused, copies=replies.copies)
    # Some number belongs to a copy, or to a packet that moved from one gap to another unseen; so might the others.
    up = max(sum(gap.inside for gap in settled) - sum(gap.reflected for gap in gaps), 0)
    lumps = (Lump(0, len(lost) - 1, up, 0),) if up else ()
    return Attribution(refused, np.zeros_like(refused), lumps, max(longest_run(refused), min(up, 1)))


@dataclass(frozen=True, slots=True)
class _Gap:
    """Packets without a reply between two replies, or among several that overtook each other (`pooled`)."""

    first: int
    last: int
    inside: int
    """Missing packets that belong to the window."""
    outside: int
    """Packets without a reply, so far, that belong to its neighbours."""
    reflected: int
    """Numbers given to packets whose replies did not come."""
    pooled: bool
    restarted: bool

    @property
    def unexplained(self) -> bool:
        """More numbers than packets that could have got them."""
        return not self.restarted and self.reflected > self.inside + self.outside

    @property
    def up(self) -> int:
        """Certainly lost on the way up, in the window."""
        return 0 if self.restarted else max(self.inside - self.reflected, 0)

    @property
    def down(self) -> int:
        """Certainly lost on the way down, in the window, when no copies were made."""
        if self.restarted and self.pooled:
            return 0
        return min(max(self.reflected - self.outside, 0), self.inside)


def _settle(
    gaps: list[_Gap], missing: NDArray[np.bool_], refused: NDArray[np.bool_], *, copies: bool
) -> Attribution:
    up_lost, down_lost = refused.copy(), np.zeros_like(refused)
    lumps: list[Lump] = []
    up_run = down_run = 0
    for gap in gaps:
        if not gap.inside:
            continue
        where = slice(max(gap.first, 0), min(gap.last + 1, len(missing)))
        up, down = gap.up, 0 if copies else gap.down
        if up == gap.inside:
            up_lost[where] |= missing[where]
        elif down == gap.inside:
            down_lost[where] |= missing[where]
        elif up or down:
            lumps.append(Lump(where.start, where.stop - 1, up, down))
            up_run = max(up_run, -(-up // (gap.reflected + 1)))
            down_run = max(down_run, min(down, 1) if gap.pooled else down)
    return Attribution(
        up_lost,
        down_lost,
        tuple(lumps),
        up_run=max(up_run, longest_run(up_lost)),
        down_run=max(down_run, longest_run(down_lost)),
    )


def _gaps(replies: Replies, missing: NDArray[np.bool_]) -> list[_Gap]:
    """The gaps with anything missing, in order of sequence."""
    index, rank, n = replies.index, replies.rank, len(missing)
    greatest = np.maximum.accumulate(rank)
    least = np.minimum.accumulate(rank[::-1])[::-1]
    pooled = greatest[:-1] >= least[1:]  # a later packet has a lower number
    if pooled.any():
        pooled |= _near_edge(index, rank, greatest, n)
    begin = np.flatnonzero(np.concatenate(([True], ~(pooled[1:] & pooled[:-1]))))
    end = np.append(begin[1:], len(pooled))  # position of the reply that closes the block
    together = pooled[begin]
    low = np.where(together, least[begin] - 1, greatest[begin])
    high = np.where(together, greatest[end] + 1, least[end])
    restarted = low // RESTART_STRIDE != high // RESTART_STRIDE
    low = np.where(restarted, high // RESTART_STRIDE * RESTART_STRIDE + BEFORE_FIRST, low)
    seen = np.searchsorted(replies.ranks, high, "left") - np.searchsorted(replies.ranks, low, "right")
    reflected = np.maximum(high - low - 1 - seen, 0)
    before = np.concatenate(([0], np.cumsum(missing)))
    gap_missing = before[np.clip(index[1:], 0, n)] - before[np.clip(index[:-1] + 1, 0, n)]
    in_window = np.maximum(np.minimum(index[1:], n) - np.maximum(index[:-1] + 1, 0), 0)
    inside = np.add.reduceat(gap_missing, begin)
    outside = np.add.reduceat(np.diff(index) - 1 - in_window, begin)
    return [
        _Gap(int(index[begin[i]]) + 1, int(index[end[i]]) - 1, int(inside[i]), int(outside[i]),
             int(reflected[i]), bool(together[i]), bool(restarted[i]))
        for i in np.flatnonzero((inside > 0) | (reflected > 0)).tolist()
    ]  # fmt: skip


def _near_edge(
    index: NDArray[np.int64], rank: NDArray[np.int64], greatest: NDArray[np.int64], n: int
) -> NDArray[np.bool_]:
    """Gaps so near an edge of the window that an unseen packet may have moved across it, as seen ones moved."""
    late = rank < greatest
    overtaken_by = np.searchsorted(greatest, rank[late], side="right")
    reach = max(_REACH * int((index[late] - index[overtaken_by]).max()), _UNSETTLED)
    near = np.zeros(len(index) - 1, dtype=np.bool_)
    for edge in (0, n):
        near |= (index[:-1] < edge + reach) & (index[1:] >= edge - reach)
    return near
