"""The last replies before a window, so that its first losses are seen between two replies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from probes.metering.loss_direction import BEFORE_FIRST, FIRST_RANK, RESTART_STRIDE, Replies
from telemetry.arrays import np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from probes.metering.tally import Tally

KEPT: Final = 64
AHEAD: Final = 256


class ReplyHistory:
    """Replies of one session around the window at hand. Sequence numbers are whole, not 32 bits."""

    def __init__(self) -> None:
        none = np.zeros(0, dtype=np.int64)
        self._sequence, self._rank, self._copies = none, none, none
        self._begun = False

    def around(self, tally: Tally, base: int) -> Replies:
        """Replies before, in and after the window whose first packet has the number `base`."""
        ahead = slice(0, AHEAD)
        index = np.concatenate((self._sequence - base, tally.distinct.index, tally.ahead.index[ahead]))
        rank = np.concatenate((self._rank, tally.rank, tally.ahead_rank[ahead]))
        if not self._begun:
            index, rank = _with_start(index, rank)
        copies = np.concatenate((self._copies, tally.copy_ranks))
        return Replies(index, rank, np.unique(np.concatenate((rank, copies))), copies=bool(len(copies)))

    def add(self, tally: Tally, base: int) -> None:
        """The window is done: keep its last replies."""
        if not len(tally.rank):
            return
        self._begun = True
        self._sequence = np.concatenate((self._sequence, tally.distinct.index + base))[-KEPT:]
        self._rank = np.concatenate((self._rank, tally.rank))[-KEPT:]
        copies = np.concatenate((self._copies, tally.copy_ranks))
        self._copies = copies[copies >= self._rank.min()]


def _with_start(
    index: NDArray[np.int64], rank: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The state before the first reply of a session: nothing sent, nothing numbered.

    Left out where the reflector began elsewhere than at 0, as one does that counts over sessions.
    """
    if not len(rank):
        return index, rank
    least = int(rank.min())
    if least % RESTART_STRIDE - FIRST_RANK > int(index.max()):
        return index, rank
    before = least // RESTART_STRIDE * RESTART_STRIDE + BEFORE_FIRST
    return np.concatenate(([-1], index)), np.concatenate(([before], rank))
