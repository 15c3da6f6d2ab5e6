"""How far each line's probe is still believed when it puts bad windows down to its own trouble.

Ten minutes in the half hour that is looked at would be believed again in every half hour, and a line that is bad a third
of the time would look sound for ever. So what was believed counts on after it has left the ring, and is regained as slowly
as the past forgives it: an hour in a day.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analytics.own_trouble import MOST_SLOTS, MOST_WINDOWS
from telemetry.state.beliefs import Believed
from telemetry.windows import DAY_NS, WINDOW_NS, WINDOWS_PER_SLOT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from analytics.lines import Lines

REGAINED: Final = MOST_SLOTS * WINDOWS_PER_SLOT * WINDOW_NS / DAY_NS
"""Windows of belief that come back with each window of time: one in 24; all ten minutes in four hours."""


class Belief:
    """Of each of the ring's lines; what it comes to is written down (`telemetry.state.beliefs`), so that a restart forgives nothing."""

    def __init__(self, shape: tuple[int, int], windows: int) -> None:
        """`shape` (S, P) of the lines; `windows` (W) of the ring."""
        self._left_out = np.zeros((*shape, windows), dtype=bool)
        """(S, P, W) by the ring's places: windows that were believed to be the probe's own trouble when they were looked at last."""
        self._spent = np.zeros(shape, dtype=np.float64)
        """(S, P): windows that were believed and have left the ring, less what was regained since."""
        self.is_news = False
        """Whether a window has been believed that is not written down: whatever else changes follows from time alone."""

    def room(self) -> NDArray[np.int64]:
        """(S, P): how many windows of the ring are believed."""
        return np.asarray(np.clip(MOST_WINDOWS - np.ceil(self._spent), 0, MOST_WINDOWS), dtype=np.int64)

    def left_out(self, windows: NDArray[np.bool_], places: NDArray[np.int64]) -> None:
        """Which windows of the ring, (S, P, W) at these places, are believed as it stands."""
        self.is_news |= bool((windows & ~self._left_out[..., places]).any())
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

    def written(self, lines: Lines, head: int) -> list[Believed]:
        """What is to be written down, of the lines of which anything was believed; `head`: number of the ring's newest window."""
        self.is_news = False
        numbers = head - self._left_out.shape[-1] + 1 + np.arange(self._left_out.shape[-1])
        by_time = self._left_out[..., numbers % len(numbers)]
        return [
            Believed(
                site=lines.sites[site],
                path=lines.paths[path],
                at_ns=head * WINDOW_NS,
                spent=float(self._spent[site, path]),
                windows_ns=tuple((numbers[by_time[site, path]] * WINDOW_NS).tolist()),
            )
            for site, path in np.argwhere(by_time.any(axis=-1) | (self._spent > 0.0))
        ]

    def remember(self, lines: Lines, written: Iterable[Believed], head: int) -> None:
        """Go on from what was written down: what has left the ring since is spent. What is in it still is taken in anew, with the ring."""
        for one in written:
            if one.site in lines.site_index and one.path in lines.path_index:
                cell = lines.site_index[one.site], lines.path_index[one.path]
                self._spent[cell] = _spent_by(one, head, self._left_out.shape[-1])


def _spent_by(one: Believed, head: int, windows: int) -> float:
    """What is spent when the ring (of so many windows) has come to `head`: each window is, when it leaves, and from then on it is regained."""
    spent, at = one.spent, one.at_ns // WINDOW_NS
    for left in (start_ns // WINDOW_NS + windows for start_ns in one.windows_ns):
        if at <= left <= head:
            spent, at = max(spent - (left - at) * REGAINED, 0.0) + 1.0, left
    return max(spent - max(head - at, 0) * REGAINED, 0.0)
