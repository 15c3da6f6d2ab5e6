"""Replies of a window counted: distinct packets, copies made on either way, order of arrival at either end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from telemetry.arrays import np
from telemetry.metrics.reordering import reordering

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from probes.metering.exchanges import Exchanges


@dataclass(frozen=True, slots=True)
class Tally:
    """What came back of one window, and what has come back of the packets after it."""

    distinct: Exchanges
    """First replies, in sending order."""
    rank: NDArray[np.int64]
    """The reflector's number of each."""
    ahead: Exchanges
    """First replies to packets after the window, in sending order."""
    ahead_rank: NDArray[np.int64]
    copy_ranks: NDArray[np.int64]
    """Numbers that went to copies made on the way up, of the window and ahead."""
    up_order: NDArray[np.int64]
    """Indices into `distinct` in order of arrival at the reflector."""
    down_order: NDArray[np.int64]
    """Indices into `distinct` in order of arrival here."""
    up_copies: int
    down_copies: int
    up_reordered: int
    """Type-P-reordered (RFC 4737 3), by the reflector's numbers, or by T2 where it has none of its own."""
    down_reordered: int
    arrivals: int
    octets: int
    """UDP payload of all arrivals."""


def tally(
    window: Exchanges,
    rank: NDArray[np.int64],
    ahead: Exchanges,
    ahead_rank: NDArray[np.int64],
    *,
    numbered: bool,
) -> Tally:
    """Count a window's replies.

    Args:
        window: replies to the window's packets, in order of arrival, copies included.
        rank: the reflector's number of each, rising over restarts.
        ahead: replies to later packets, likewise.
        ahead_rank: their numbers.
        numbered: the reflector numbers replies itself.
    """
    first, up_copies, down_copies, copy_ranks = _copies(window, rank)
    ahead_first, _, _, ahead_copy_ranks = _copies(ahead, ahead_rank)
    distinct, later = window.part(first), ahead.part(ahead_first)
    distinct_rank, later_rank = rank[first], ahead_rank[ahead_first]
    index = np.concatenate((distinct.index, later.index))
    at_reflector = (
        np.concatenate((distinct_rank, later_rank))
        if numbered
        else np.concatenate((distinct.t2_ns, later.t2_ns))
    )
    leaving = at_reflector if numbered else np.concatenate((distinct.t3_ns, later.t3_ns))
    here = np.concatenate((first, ahead_first + len(rank)))
    n = len(first)
    return Tally(
        distinct=distinct,
        rank=distinct_rank,
        ahead=later,
        ahead_rank=later_rank,
        copy_ranks=np.concatenate((copy_ranks, ahead_copy_ranks)),
        up_order=np.argsort(at_reflector[:n], kind="stable"),
        down_order=np.argsort(first, kind="stable"),
        up_copies=up_copies,
        down_copies=down_copies,
        up_reordered=_reordered(index, at_reflector, n),
        down_reordered=_reordered(leaving, here, n),
        arrivals=len(rank),
        octets=int(window.rows["octets"].sum(dtype=np.int64)),
    )


def _copies(
    replies: Exchanges, rank: NDArray[np.int64]
) -> tuple[NDArray[np.int64], int, int, NDArray[np.int64]]:
    """Positions of first replies in sending order; copies made on the way up and down; numbers of the former.

    The same packet answered twice by the reflector was copied on the way up: another number, or other stamps.
    """
    index, first = np.unique(replies.index, return_index=True)
    copies = len(rank) - len(index)
    if not copies:
        return first, 0, 0, rank[:0]
    at = _distinct((replies.index, rank, replies.t2_ns, replies.t3_ns))
    up = len(at) - len(index)
    return first, up, copies - up, rank[np.setdiff1d(at, first)]


def _distinct(keys: tuple[NDArray[np.int64], ...]) -> NDArray[np.int64]:
    """Positions of the first of each combination of keys."""
    order = np.lexsort(keys)
    new = np.zeros(len(order), dtype=np.bool_)
    new[:1] = True
    for key in keys:
        new[1:] = new[1:] | (np.diff(key[order]) != 0)
    return order[new]


def _reordered(value: NDArray[np.int64], arrival: NDArray[np.int64], n: int) -> int:
    """Of the first n packets, how many arrived after one with a greater value."""
    order = np.argsort(arrival, kind="stable")
    return int(np.count_nonzero(order[reordering(value[order]).reordered] < n))
