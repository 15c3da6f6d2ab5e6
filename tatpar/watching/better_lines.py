"""Which offices have a line that may hold a meeting yet, however bad the one looks that is known best so far.

An office is judged by the line that served it best. When its two lines are reported by two probes, the windows of the better one may come
later, and turn what the other seemed to have decided. So an office has failed for good only when each of its lines has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analytics.outcome import FINAL_AFTER_NS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from analytics.lines import Lines
    from telemetry.store.protocol import StoreReader


def may_hold_yet(
    reader: StoreReader, lines: Lines, end: str, open_lines: NDArray[np.bool_], starts_ns: int
) -> NDArray[np.bool_]:
    """(S,): the offices with a line to the end that may hold a meeting from `starts_ns` on.

    An office's lines are those that reported of a moment since a day before: so long an outcome waits for what comes late. One that has
    been silent for longer is taken to be gone.

    Args:
        reader: where the newest windows of all lines are.
        lines: the offices, and the paths that were heard of in the meeting.
        end: the meeting's.
        open_lines: (S, K) of the paths to that end: which lines may hold it by their windows.
        starts_ns: when the meeting begins.

    Raises:
        StoreError: the store cannot be read.
    """
    found = np.zeros(len(lines.sites), dtype=bool)
    place = {lines.paths[path]: k for k, path in enumerate(lines.to_end(end))}
    for site, path in _reporting(reader, starts_ns - FINAL_AFTER_NS):
        row, k = lines.site_index.get(site), place.get(path)
        if row is not None and path.partition(".")[2] == end:
            found[row] |= k is None or open_lines[row, k]
    return found


def _reporting(reader: StoreReader, since_ns: int) -> Iterator[tuple[str, str]]:
    """(site, path) of the lines whose newest window begins at a moment or later."""
    newest = reader.latest()
    columns = newest.columns
    for row in np.flatnonzero(np.asarray(columns["start_ns"], dtype=np.int64) >= since_ns):
        yield newest.sites[int(columns["site"][row])], newest.paths[int(columns["path"][row])]
