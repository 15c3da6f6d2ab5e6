"""What a call needs beside the line: the room's own device, and the meeting platform's edge, by the newest answers.

A thing is off when everything that it was asked lately stayed without an answer, each at least `LEAST_FAILURES` times in a row: a device
that speaks H.323 and no SIP is on. What was not asked lately is not known, and nothing is said of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEAST_FAILURES: Final = 2
EVERYWHERE: Final = 0.5
"""The platform fails, not an office, when it does at more than this share of the offices that ask it;"""
LEAST_OFFICES: Final = 3
"""of at least so many."""


@dataclass(frozen=True, slots=True)
class Replies:
    """Q questions, (Q,) each: whose (index of the site), how often in a row it stayed unanswered, since when, when last asked (ns)."""

    site: NDArray[np.int64]
    failures: NDArray[np.int64]
    since_ns: NDArray[np.int64]
    told_ns: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Reached:
    """Of S sites: since when the room's device and the platform's edge have been away, ns; 0 where they are there, or nobody knows.

    `edge_everywhere`: the platform is away for so many offices that it is no office's fault. It counts `lead_ns` before a meeting.
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


def off_since(replies: Replies, sites: int, now_ns: int, fresh_ns: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """(S,) since when a thing has been away at each site, 0 where it is not, and (S,) whether anything is known of it."""
    fresh = now_ns - replies.told_ns <= fresh_ns
    failing = fresh & (replies.failures >= LEAST_FAILURES)
    asked = np.bincount(replies.site[fresh], minlength=sites)
    silent = np.bincount(replies.site[failing], minlength=sites)
    since = np.zeros(sites, dtype=np.int64)
    np.maximum.at(since, replies.site[failing], replies.since_ns[failing])
    return np.where((asked > 0) & (silent == asked), since, 0), np.asarray(asked > 0)


def reached(room: Replies, edge: Replies, sites: int, now_ns: int, *, fresh_ns: int, lead_ns: int) -> Reached:
    """What is away now; answers older than `fresh_ns` are not looked at."""
    room_off, _ = off_since(room, sites, now_ns, fresh_ns)
    edge_off, asking = off_since(edge, sites, now_ns, fresh_ns)
    away, all_asking = int((edge_off > 0).sum()), int(asking.sum())
    everywhere = away >= LEAST_OFFICES and away > EVERYWHERE * all_asking
    return Reached(room_off, edge_off, everywhere, lead_ns)

