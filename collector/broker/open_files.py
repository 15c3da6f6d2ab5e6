"""How many files a broker of ours may hold open, and how many of these are left for the offices.

A connection is a file. Were the listener for offices allowed more than the limit leaves, whoever opens that many would
take the hub's own listener too, and a broker that does not answer its hub is killed and started again.
"""

from __future__ import annotations

import logging
import resource
from typing import Final

log = logging.getLogger(__name__)
MOST_PLACES: Final = 20_000
"""On the listener for offices, however many files the machine gives."""
OUR_OWN: Final = 128
"""Kept for the hub's own listener (collectors, who knocks) and for the broker's files: it holds some ten open."""
WANTED: Final = MOST_PLACES + OUR_OWN


def granted() -> int:
    """What a broker that we start gets: as many as are wanted, or as the hard limit lets us give."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return WANTED if hard == resource.RLIM_INFINITY else min(hard, WANTED)


def places() -> int:
    """How many connections the listener for offices takes at once."""
    return max(granted() - OUR_OWN, 1)


def say_if_few() -> None:
    """A line in the log where the machine gives less than is wanted: a stranger fills few places sooner."""
    if places() < MOST_PLACES:
        log.warning(
            "files may be open: %d at most, so offices and strangers together get %d connections at once;"
            " raise the hard limit (LimitNOFILE=%d, or ulimit -Hn)",
            *(granted(), places(), WANTED),
            extra={"event": "broker-process.few-places", "open_files": granted(), "places": places()},
        )
