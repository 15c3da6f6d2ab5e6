"""Which samples of one moment were measured, and which were only written again.

Where times are coarser than the rhythm, as of four pings a minute written to the minute, a moment has several packets, and
each counts: with one of them alone, a fourth that is lost would be all of them or none. A logger that starts anew, or a file
that is given twice, writes the very same row of the very same moment again: that was measured once.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from tatpar.importing.samples import PING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from tatpar.importing.samples import Samples


def measured_once(samples: Samples, coarse: Callable[[Samples], NDArray[np.bool_]]) -> tuple[Samples, int]:
    """The samples of one office by path and time, each once, and how many rows were only written again.

    Rows of a moment that say something different all stay. The very same row counts once, but where times are coarse as often
    as the file has it; what two files have was measured once.

    Args:
        samples: (n,) in the order of the files.
        coarse: says of samples (n,) where each file has a row as often as it was measured: `Coarse.of`, or everywhere in a
            trace, whose repeated rows are out already.
    """
    ordered: Samples = samples[np.lexsort((samples["time_ns"], samples["path"]))]  # stable
    moment = _moment(ordered)
    if _codes(moment).max(initial=-1) + 1 == len(ordered):
        return ordered, 0
    copy = np.where(coarse(ordered), _place_within(_codes([ordered["file"], ordered["row"], *moment])), 0)
    _, first = np.unique(_codes([ordered["row"], copy, *moment]), return_index=True)
    again = np.ones(len(ordered), np.bool_)
    again[first] = False
    return ordered[~again], int(np.count_nonzero(again & _begins_row(ordered)))


class Coarse:
    """In which files the times of one office's paths are coarser than the rhythm, once all its samples were looked at.

    So they are where most moments of the file have several rows of the path; or where, of those that have several, at least
    half have different ones: what is written again is the same.
    """

    def __init__(self) -> None:
        self._counts: Counter[tuple[int, str]] = Counter()

    def look(self, samples: Samples) -> None:
        """Count the moments of some samples (n,); those of one moment come in one call."""
        moment = _moment(samples)
        place = _codes([samples["file"], *moment])
        rows = np.bincount(place)
        line = np.empty(len(rows), np.int64)
        line[place] = _line(samples)
        self._count("all", line)
        if (rows > 1).any():
            said = _codes([samples["file"], samples["row"], *moment])
            different = np.bincount(place[np.unique(said, return_index=True)[1]])
            self._count("several", line[rows > 1])
            self._count("different", line[different > 1])

    def of(self, samples: Samples) -> NDArray[np.bool_]:
        """(n,) whether a sample's file has times of its path that are coarse."""
        lines, of = np.unique(_line(samples), return_inverse=True)
        return np.array([self._is_coarse(line) for line in lines.tolist()], np.bool_)[of]

    def _count(self, what: str, line: NDArray[np.int64]) -> None:
        for each, count in zip(*np.unique(line, return_counts=True), strict=True):
            self._counts[int(each), what] += int(count)

    def _is_coarse(self, line: int) -> bool:
        moments, several, different = (self._counts[line, what] for what in ("all", "several", "different"))
        return 2 * several > moments or (different > 0 and 2 * different >= several)


def _line(samples: Samples) -> NDArray[np.int64]:
    """(n,) one number for file and path."""
    return np.asarray(samples["file"].astype(np.int64) * (np.iinfo(np.int16).max + 1) + samples["path"])


def _moment(samples: Samples) -> list[NDArray[Any]]:
    """What samples of one moment have in common; packets of one row are told apart by their place in it."""
    return [samples[name] for name in ("path", "time_ns", *(["nth"] if samples.dtype == PING else []))]


def _begins_row(samples: Samples) -> NDArray[np.bool_]:
    """(n,) the first sample of each row."""
    return np.asarray(samples["nth"] == 0) if samples.dtype == PING else np.ones(len(samples), np.bool_)


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
