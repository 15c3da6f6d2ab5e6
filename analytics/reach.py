"""What a call needs beside the line: the room's own device, and the meeting platform's edge, by the newest answers.

A thing is away when everything that it was asked lately stayed without an answer, each at least `LEAST_FAILURES` times in a row: a
device that speaks H.323 and no SIP is on. What was not asked lately is not known, and nothing is said of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEAST_FAILURES: Final = 2
EVERYWHERE: Final = 0.5
"""The platform fails, not an office, when it is away for more than this share of the offices that ask it;"""
LEAST_OFFICES: Final = 3
"""of at least so many."""


@dataclass(frozen=True, slots=True)
class Replies:
    """Q questions that were asked lately, (Q,) each: whose (index of the site), how often in a row unanswered, since when (ns)."""

    site: NDArray[np.int64]
    failures: NDArray[np.int64]
    since_ns: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Reached:
    """Of S sites, (S,): since when the room's device and the platform's edge have been away, ns; 0 where they are there, or nobody knows.

    It counts from `lead_ns` before a meeting on. `edge_everywhere`: the platform is away for so many that it is no office's fault.
    """

    room_off_ns: NDArray[np.int64]
    edge_off_ns: NDArray[np.int64]
    edge_everywhere: bool
    lead_ns: int

    def missing(self, lead_ns: int) -> NDArray[np.bool_]:
        """(S,): something is away for a meeting that begins in `lead_ns`, and it is the office's own."""
        edge = (self.edge_off_ns > 0) & (not self.edge_everywhere)
        return np.asarray(((self.room_off_ns > 0) | edge) & (lead_ns <= self.lead_ns))

    def doubtful(self, lead_ns: int) -> NDArray[np.bool_]:
        """(S,): the platform is away, for many."""
        return np.asarray((self.edge_off_ns > 0) & self.edge_everywhere & (lead_ns <= self.lead_ns))


def reached(room: Replies, edge: Replies, sites: int, lead_ns: int) -> Reached:
    """What is away, by the newest answers of the questions about rooms' devices and about the platform's edge."""
    room_off, _ = _away(room, sites)
    edge_off, asking = _away(edge, sites)
    away = int((edge_off > 0).sum())
    everywhere = away >= LEAST_OFFICES and away > EVERYWHERE * int(asking.sum())
    return Reached(room_off, edge_off, everywhere, lead_ns)


def _away(replies: Replies, sites: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """(S,) since when a thing has been away at each site, 0 where it is not, and (S,) whether it was asked at all."""
    failing = replies.failures >= LEAST_FAILURES
    asked = np.bincount(replies.site, minlength=sites)
    silent = np.bincount(replies.site[failing], minlength=sites)
    since = np.zeros(sites, dtype=np.int64)
    np.maximum.at(since, replies.site[failing], replies.since_ns[failing])
    return np.where((asked > 0) & (silent == asked), since, 0), np.asarray(asked > 0)
