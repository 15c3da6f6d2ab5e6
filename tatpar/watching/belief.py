"""How far each line's probe is still believed when it puts bad windows down to its own trouble.

Ten minutes in the half hour that is looked at would be believed again in every half hour, and a line that is bad a third
of the time would look sound for ever. So what was believed counts on after it has left the ring, and is regained as slowly
as the past forgives it: an hour in a day.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analytics.own_trouble import MOST_SLOTS, MOST_WINDOWS
from telemetry.windows import DAY_NS, WINDOW_NS, WINDOWS_PER_SLOT

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analytics.lines import Lines

REGAINED: Final = MOST_SLOTS * WINDOWS_PER_SLOT * WINDOW_NS / DAY_NS
"""Windows of belief that come back with each window of time: one in 24; all ten minutes in four hours."""


class Belief:
    """Of each of the ring's lines; it lives in memory: after a restart every probe is believed anew."""

    def __init__(self, shape: tuple[int, int], windows: int) -> None:
        """`shape` (S, P) of the lines; `windows` (W) of the ring."""
        self._left_out = np.zeros((*shape, windows), dtype=bool)
        """(S, P, W) by the ring's places: windows that were believed to be the probe's own trouble when they were looked at last."""
        self._spent = np.zeros(shape, dtype=np.float64)
        """(S, P): windows that were believed and have left the ring, less what was regained since."""

    def room(self) -> NDArray[np.int64]:
        """(S, P): how many windows of the ring are believed."""
        return np.asarray(np.clip(MOST_WINDOWS - np.ceil(self._spent), 0, MOST_WINDOWS), dtype=np.int64)

    def left_out(self, windows: NDArray[np.bool_], places: NDArray[np.int64]) -> None:
        """Which windows of the ring, (S, P, W) at these places, are believed as it stands."""
        self._left_out[..., places] = windows

    def advance(self, stale: NDArray[np.int64], steps: int) -> None:
        """So many windows of time have passed; what stood at these places has left the ring."""
        left = self._left_out[..., stale].sum(axis=-1)
        self._left_out[..., stale] = False
        self._spent = np.maximum(self._spent + left - steps * REGAINED, 0.0)

    def widen(self) -> None:
        """For one more path."""
        self._left_out = np.pad(self._left_out, ((0, 0), (0, 1), (0, 0)))
        self._spent = np.pad(self._spent, ((0, 0), (0, 1)))

    def recall(self, lines: Lines, before: Belief, lines_before: Lines) -> None:
        """Take over what was spent from a ring of other lines: a change of the settings forgives nothing. Its windows are taken in anew."""
        sites = [site for site in lines.sites if site in lines_before.site_index]
        paths = [path for path in lines.paths if path in lines_before.path_index]
        at = np.ix_([lines.site_index[one] for one in sites], [lines.path_index[one] for one in paths])
        there = np.ix_(
            [lines_before.site_index[one] for one in sites], [lines_before.path_index[one] for one in paths]
        )
        self._spent[at] = before._spent[there]
