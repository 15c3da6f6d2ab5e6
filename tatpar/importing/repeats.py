"""Which samples of one moment were measured, and which were only written again.

Where times are coarser than the rhythm, as of four pings a minute written to the minute, a moment has several packets, and
each counts: with one of them alone, a fourth that is lost would be all of them or none. A logger that starts anew, or a file
that is given twice, writes the very same row of the very same moment again: that was measured once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tatpar.importing.samples import PING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tatpar.importing.samples import Samples


def measured_once(samples: Samples, *, settled: bool = False) -> tuple[Samples, int]:
    """The samples of one office by path and time, each once, and how many others were only written again.

    Rows of a moment that say something different all stay. The very same row counts once, but where a file's times are coarser
    than its rhythm as often as the file has it; what two files have was measured once.

    Args:
        samples: (n,) in the order of the files.
        settled: within each file nothing is written again, as in a trace whose repeated rows are out already.
    """
    ordered: Samples = samples[np.lexsort((samples["time_ns"], samples["path"]))]  # stable
    moment = [ordered[name] for name in ("path", "time_ns", *(["nth"] if samples.dtype == PING else []))]
    if _codes(moment).max(initial=-1) + 1 == len(ordered):
        return ordered, 0
    copy = _place_within(_codes([ordered["file"], ordered["row"], *moment]))
    if not settled:
        copy[~_coarse(ordered, moment)] = 0
    _, first = np.unique(_codes([ordered["row"], copy, *moment]), return_index=True)
    once: Samples = ordered[np.sort(first)]
    return once, len(ordered) - len(once)


def _coarse(samples: Samples, moment: Sequence[NDArray[Any]]) -> NDArray[np.bool_]:
    """(n,) whether a sample's file has times of its path that are coarser than the rhythm.

    So they are where most moments have several rows; or where, of those that have several, at least half have different ones:
    what is written again is the same.
    """
    file, row = samples["file"], samples["row"]
    place, said, line = _codes([file, *moment]), _codes([file, row, *moment]), _codes([file, samples["path"]])
    several = np.bincount(place) > 1
    differ = np.bincount(place[np.unique(said, return_index=True)[1]]) > 1
    of = line[np.unique(place, return_index=True)[1]]
    places, with_several, with_different = (np.bincount(of, weights) for weights in (None, several, differ))
    often = 2 * with_several > places
    coarse = often | ((with_different > 0) & (2 * with_different >= with_several))
    return np.asarray(coarse[line])


def _codes(columns: Sequence[NDArray[Any]]) -> NDArray[np.int64]:
    """(n,) a number from 0 for each row of some columns, the same for rows that are the same."""
    order = np.lexsort(columns)
    new = np.zeros(len(order), np.bool_)
    for column in columns:
        new[1:] |= column[order][1:] != column[order][:-1]
    out = np.empty(len(order), np.int64)
    out[order] = np.cumsum(new)
    return out


def _place_within(group: NDArray[np.int64]) -> NDArray[np.int64]:
    """(n,) how many of the same group stand before each."""
    order = np.argsort(group, kind="stable")
    starts = np.searchsorted(group[order], group[order])
    out = np.empty(len(group), np.int64)
    out[order] = np.arange(len(group)) - starts
    return out
