"""Time without any report, on the window grid."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from telemetry.store.protocol import Silence
from telemetry.windows import WINDOW_NS, window_start

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from telemetry.store.protocol import Selection


def silences(
    site: str, probe: str, first_ns: int, starts_ns: NDArray[np.int64], selection: Selection
) -> Iterator[Silence]:
    """The spans of a selection in which a probe has no window.

    Args:
        site: whose.
        probe: whose.
        first_ns: start of the first window that ever came; silence begins behind it.
        starts_ns: (n,) starts of the windows that are there, in any order.
        selection: the span; only windows that lie in it whole count, and ended by `as_of_ns`.
    """
    begin = window_start(max(first_ns, selection.start_ns + WINDOW_NS - 1))
    until = selection.end_ns if selection.as_of_ns is None else min(selection.end_ns, selection.as_of_ns)
    end = window_start(until)
    inside = np.unique(starts_ns // WINDOW_NS * WINDOW_NS)
    inside = inside[(inside >= begin) & (inside < end)]
    edges = np.concatenate(([begin - WINDOW_NS], inside, [max(end, begin)]))
    for i in np.flatnonzero(np.diff(edges) > WINDOW_NS):
        yield Silence(site, probe, int(edges[i]) + WINDOW_NS, int(edges[i + 1]))
