"""Which samples of one moment were measured, and which were only written again.

Where times are coarser than the rhythm, as of four pings a minute written to the minute, a moment has several packets, and
each counts: with one of them alone, a fourth that is lost would be all of them or none. A logger that starts anew, or a file
that is given twice, writes the very same row of the very same moment again: that was measured once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from tatpar.importing.samples import PING, known_ns
from telemetry.store.told import first_to_close
from telemetry.windows import SLOT_NS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from tatpar.importing.samples import Samples


EXACT: Final = 5
"""So many moments of one row each speak for a file before its first: at its beginning what is written again would be most."""


def measured_once(samples: Samples, coarse: Callable[[Samples], NDArray[np.bool_]]) -> tuple[Samples, int]:
    """The samples of one office by path and time, each once, and how many rows were only written again.

    Rows of a moment that say something different all stay. The very same row counts once, but where times are coarse as often
    as the file has it; what two files have was measured once.

    Args:
        samples: (n,) in the order of the files. Of the same row that which came first stays.
        coarse: says of samples (n,) where each file has a row as often as it was measured: `Coarse.of`, or everywhere in a
            trace, whose repeated rows are out already.
    """
    ordered: Samples = samples[np.lexsort((known_ns(samples), samples["time_ns"], samples["path"]))]  # stable
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
    half have different ones: what is written again is the same. At first a file is taken for one with `EXACT` exact moments.

    Each row is judged by what the file had of the path until its slot was told: a replay must not know from later rows how
    those before them count.
    """

    def __init__(self) -> None:
        self._counts: dict[tuple[int, str], list[tuple[NDArray[np.int64], NDArray[np.int64]]]] = {}

    def look(self, samples: Samples) -> None:
        """Count the moments of some samples (n,); those of one moment come in one call."""
        rows = samples[_begins_row(samples)]
        came = rows[np.argsort(known_ns(rows), kind="stable")]
        moment = [came["file"], *_moment(came)]
        place = _codes(moment)
        nth = _place_within(place)
        self._count("all", came[nth == 0])
        if not nth.any():
            return
        self._count("several", came[nth == 1])
        other = came[_place_within(_codes([came["row"], *moment])) == 0]
        self._count("different", other[_place_within(_codes([other["file"], *_moment(other)])) == 1])

    def of(self, samples: Samples) -> NDArray[np.bool_]:
        """(n,) whether a sample's file had times of its path that are coarse, as far as was known when its slot was told."""
        line, until = _line(samples), _known_slot(samples)
        out = np.zeros(len(samples), np.bool_)
        for each in np.unique(line).tolist():
            mine = line == each
            moments, several, different = (
                self._until(each, what, until[mine]) for what in ("all", "several", "different")
            )
            most = 2 * several > moments + EXACT
            out[mine] = most | ((different > 0) & (2 * different >= several))
        return out

    def _count(self, what: str, samples: Samples) -> None:
        line, slot = _line(samples), first_to_close(known_ns(samples))
        for each in np.unique(line).tolist():
            counted = np.unique(slot[line == each], return_counts=True)
            self._counts.setdefault((each, what), []).append(counted)

    def _until(self, line: int, what: str, slot: NDArray[np.int64]) -> NDArray[np.int64]:
        """(n,) how many were counted of a line up to each slot."""
        counted = self._counts.get((line, what))
        if counted is None:
            return np.zeros(len(slot), np.int64)
        slots, counts = (np.concatenate(parts) for parts in zip(*counted, strict=True))
        order = np.argsort(slots, kind="stable")
        total = np.append(0, np.cumsum(counts[order]))
        return np.asarray(total[np.searchsorted(slots[order], slot, side="right")])


def _known_slot(samples: Samples) -> NDArray[np.int64]:
    """(n,) the last slot that was told when each is known: its own, or of one that came later the last before it came."""
    own, came = samples["time_ns"] // SLOT_NS, first_to_close(known_ns(samples))
    return np.asarray(np.where(came <= own, own, came - 1))


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
