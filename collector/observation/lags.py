"""How old reports are when they are committed, and how much of that was ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from collector.observation.buckets import COMMIT_S, INTAKE_S, LAG_S, Buckets
from telemetry.windows import LATE_NS, SECOND_NS, WINDOW_NS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from collector.batch import Batch, Fresh

_NO_AGE_MS = -WINDOW_NS  # far below every real age: the hub's clock alone decides


class Lags:
    """Three histograms of live reports and commits, filled once a commit."""

    def __init__(self) -> None:
        self.report = Buckets(LAG_S)
        self.intake = Buckets(INTAKE_S)
        self.commit = Buckets(COMMIT_S)

    def note(self, batch: Batch, committed_ns: int) -> None:
        """Take what a commit holds; it was through at `committed_ns`, by the hub's clock."""
        self.commit.add([batch.took_s])
        if batch.fresh:
            lag_s, intake_s = lags_s(batch.fresh, committed_ns)
            self.report.add(lag_s)
            self.intake.add(intake_s)


def lags_s(
    fresh: Sequence[Fresh], committed_ns: int
) -> tuple[np.ndarray[tuple[int], np.dtype[np.float64]], np.ndarray[tuple[int], np.dtype[np.float64]]]:
    """Per report, seconds from its closing and from its receipt to the commit; each of shape (n,).

    A report is closed 3 s after its window's end, by the probe's clock. Where the probe's clock runs ahead, that
    would make a report younger than it can be: its age at sending (monotonic) and its time with us are a floor.
    """
    start_ns = np.array([one.start_ns for one in fresh], np.int64)
    waited_ns = committed_ns - np.array([one.received_ns for one in fresh], np.int64)
    age_ms = np.array([_NO_AGE_MS if one.age_ms is None else one.age_ms for one in fresh], np.float64)
    by_clock_s = (committed_ns - (start_ns + (WINDOW_NS + LATE_NS))) / SECOND_NS
    waited_s = waited_ns / SECOND_NS
    return np.maximum(by_clock_s, age_ms / 1e3 + waited_s), waited_s
