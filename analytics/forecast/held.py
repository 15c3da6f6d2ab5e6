"""What came true of asks, from the track itself: the rule of a meeting's outcome (`analytics.outcome`), slot by slot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from analytics.climatology import BROKEN_SHARE, LEAST_SAMPLES
from analytics.forecast.seen import dark_by
from analytics.outcome import LEAST_COUNTED
from analytics.proof import proves_above
from analytics.rhythm import MOST_SPARSE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analytics.forecast.track import Asks, Track

_ROUNDING: Final = 1e-6
"""Of sums of slots: just 5 % broken is held."""


@dataclass(frozen=True, slots=True)
class CameTrue:
    """Of M asks, (M,) each: `held`; and `known`: enough of the span counted to say so."""

    held: NDArray[np.bool_]
    known: NDArray[np.bool_]


def has_failed(broke: NDArray[np.floating], counted: NDArray[np.number]) -> NDArray[np.bool_]:
    """Whether more than `BROKEN_SHARE` of what counts of a span broke; sums of slots, of one shape."""
    return np.asarray(broke > BROKEN_SHARE * counted + _ROUNDING)


def came_true(
    track: Track, asks: Asks, *, as_of_ns: int | None = None, works_excuse: bool = True
) -> CameTrue:
    """Held when at most 5 % of the windows that count broke.

    What was measured counts; what was not counts as broken while the office was dark, unless works explain it. Slots
    that the span touches in part weigh by that part. A line that is measured seldom shows samples of the span: what too few
    of them say, or what they do not prove, is not known (decision 192).

    Args:
        track: what is known of the lines.
        asks: the spans; when they were asked does not matter.
        works_excuse: False for lessons. An outcome holds nobody's dark office against it while works explain it, but it held no
            meeting; a model that saw only works that left the line up would learn that they do no harm (decision 216).
        as_of_ns: only what had arrived by then is seen, and spans that end later are not known; None for all.
    """
    measured = track.measured
    if as_of_ns is not None:
        measured = np.where(track.arrived_ns <= as_of_ns, measured, 0.0)
    blamed = dark_by(track, as_of_ns)
    if works_excuse:
        blamed &= ~track.planned
    broken = np.nan_to_num(track.broke) * measured
    length = (asks.end_ns - asks.start_ns) / track.slot_ns
    counted = _over(measured + blamed, track, asks)
    failed = _over(broken + blamed, track, asks)
    known = counted >= LEAST_COUNTED * length
    if as_of_ns is not None:
        known &= asks.end_ns <= as_of_ns
    held = ~has_failed(failed, counted)
    dark = has_failed(_over(blamed.astype(np.float32), track, asks), counted)
    known &= dark | ~_unproven(track, asks, measured, held)
    return CameTrue(held=held, known=known & (length > 0))


def _unproven(
    track: Track, asks: Asks, measured: NDArray[np.floating], held: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """(M,): of a line that is measured seldom: the samples of the span are too few, or say that it failed and do not prove it."""
    if track.windows is None:
        return np.zeros(len(held), dtype=np.bool_)
    windows = np.where(measured > 0, track.windows, 0)
    samples = _over(windows, track, asks)
    seldom = samples <= MOST_SPARSE * _over(measured, track, asks)
    count = np.rint(samples).astype(np.int64)
    broke = np.rint(_over(np.nan_to_num(track.broke) * windows, track, asks)).astype(np.int64)
    proved = held | proves_above(broke, count, BROKEN_SHARE)
    return np.asarray(seldom & ((count < LEAST_SAMPLES) | ~proved))


def _over(values: NDArray[np.floating], track: Track, asks: Asks) -> NDArray[np.float64]:
    """(M,): the sum of a (N, T) quantity over each ask's span, in slots; beyond the track there is nothing."""
    total = np.zeros((values.shape[0], values.shape[1] + 1))
    np.cumsum(values, axis=1, dtype=np.float64, out=total[:, 1:])
    return _at(total, track, asks.line, asks.end_ns) - _at(total, track, asks.line, asks.start_ns)


def _at(
    total: NDArray[np.float64], track: Track, line: NDArray[np.int64], time_ns: NDArray[np.int64]
) -> NDArray[np.float64]:
    slots = total.shape[1] - 1
    slot, rest = np.divmod(time_ns - track.start_ns, track.slot_ns)
    low = np.clip(slot, 0, slots)
    part = np.where((slot >= 0) & (slot < slots), rest / track.slot_ns, 0.0)
    high = np.minimum(low + 1, slots)
    return np.asarray(total[line, low] + part * (total[line, high] - total[line, low]))
