"""Windows of an office that are missing though somebody listened: it had been heard before, and its silence is its own.

A window that is missing because nobody was heard is not the office's fault, nor is one that works explain, nor one of an office
that has only just begun to report.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analytics.runs import runs
from telemetry.windows import DAY_NS, SLOT_NS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analytics.forecast.track import Track
    from analytics.recent import Recent

KNOWN_SLOTS: Final = DAY_NS // SLOT_NS
"""An office that was heard within so many slots before the windows is waited for from the first of them on."""


def unheard_windows(recent: Recent, track: Track, listened: NDArray[np.bool_] | None) -> NDArray[np.bool_]:
    """(S, W): nothing of an office came, of any of its lines, though it was heard before and no works were announced.

    Args:
        recent: windows (S, P, W) of the last half hour, however late they came.
        track: of the same lines, in the order site, path; what was measured in the day before the windows is looked at.
        listened: (S, W) what is missing was missed; None: nobody listened.
    """
    there = np.asarray(recent.present.any(axis=1))
    if listened is None or there.all():
        return np.zeros(there.shape, dtype=bool)
    sites, paths, _ = recent.present.shape
    slot = recent.start_ns // SLOT_NS - track.first_slot
    first = max(int(slot[0]), 0)
    day = track.measured[:, max(first - KNOWN_SLOTS, 0) : first].reshape(sites, paths, -1)
    heard = np.asarray(day.any(axis=(1, 2)))[:, None] | np.maximum.accumulate(there, axis=1)
    slot = np.clip(slot, 0, track.planned.shape[1] - 1)
    planned = track.planned[:, slot].reshape(sites, paths, -1).any(axis=1)
    return np.asarray(~there & heard & listened & ~planned)


def longest_run(said: NDArray[np.bool_]) -> NDArray[np.int64]:
    """(...): of the last axis of (..., W), how many in a row it has been so at most."""
    return np.asarray(runs(said).max(axis=-1))
