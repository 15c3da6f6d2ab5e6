"""The worst 200 ms of a window: most packets lost of those sent in any interval of that length."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from telemetry.arrays import np
from telemetry.windows import MS_NS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

INTERVAL_NS: Final = 200 * MS_NS


def worst_interval(
    sent_ns: NDArray[np.int64],
    lost: NDArray[np.bool_],
    sent: NDArray[np.bool_] | None = None,
    lumps: Sequence[tuple[int, int, int]] = (),
) -> tuple[int, int]:
    """Most lost, and of how many sent, in any 200 ms of sending; of equals the one with fewest sent.

    Args:
        sent_ns: times of sending, not falling, shape (n,).
        lost: packets lost.
        sent: packets that count as sent; all when left out.
        lumps: `(first, last, count)`: so many lost somewhere among these packets, counted only in intervals that
            hold all of them.

    Returns:
        `(lost, sent)`. Intervals begin at a packet; those that would reach past the last packet end with it instead,
        so that none is judged by fewer packets than 200 ms hold. (0, 0) when nothing is lost.
    """
    if not len(sent_ns) or not (lost.any() or lumps):
        return 0, 0
    start = np.minimum(sent_ns, max(int(sent_ns[-1]) - INTERVAL_NS + 1, int(sent_ns[0])))
    first = np.searchsorted(sent_ns, start, "left")
    stop = np.searchsorted(sent_ns, start + INTERVAL_NS, "left")
    lost_in = _counts(lost, first, stop)
    for begin, end, count in lumps:
        lost_in += count * ((first <= begin) & (stop > end))
    sent_in = stop - first if sent is None else _counts(sent, first, stop)
    worst = int(np.lexsort((sent_in, -lost_in))[0])
    if not lost_in[worst]:
        return 0, 0
    return int(lost_in[worst]), int(sent_in[worst])


def _counts(mask: NDArray[np.bool_], first: NDArray[np.int64], stop: NDArray[np.int64]) -> NDArray[np.int64]:
    before = np.concatenate(([0], np.cumsum(mask)))
    counts: NDArray[np.int64] = before[stop] - before[first]
    return counts
