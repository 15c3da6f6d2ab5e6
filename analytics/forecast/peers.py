"""What the lines of the same groups tell of a line: what is usual among them, and how many of them are broken now.

A line of which little is known borrows what is usual of its groups, and they of the fleet.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from analytics.forecast.odds import log_odds
from analytics.forecast.seen import look, newest_slot, slots_in
from telemetry.windows import MINUTE_NS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analytics.forecast.seen import Past
    from analytics.forecast.track import Track

    Floats = NDArray[np.float64]

FLEET_SHARE: Final = 0.03
"""Broken share of a fleet before anything is known of it."""
FLEET_SLOTS: Final = 288.0
"""Slots' worth of it that stand beside what is known."""
GROUP_SLOTS: Final = 288.0
"""Slots' worth of the fleet's share beside a group's own."""
LINE_SLOTS: Final = 144.0
"""Slots' worth of its groups' share beside a line's own."""
NOW_NS: Final = 15 * MINUTE_NS
"""What broke so lately is broken now."""
FLEET_NOW: Final = 10.0
"""Lines' worth of the fleet's usual share beside the lines that are heard now."""
GROUP_NOW: Final = 2.0
"""Lines' worth of the fleet's state now beside a group's others."""
TOLD_BY: Final = ("provider", "end")
"""The groups whose state now tells of a line; what is usual is borrowed of all."""
PEERS_SHARE: Final = 0.1
"""So many of a group may be broken at any time with nothing in common: only what is beyond it tells of the others."""


class Peers:
    """What the lines of the same groups tell, at every time that is asked of."""

    def __init__(self, track: Track, before: Past, now_ns: NDArray[np.int64]) -> None:
        """`track`: of all lines, the last quarter of an hour before each `now_ns` at least; `before`: their sums."""
        self._track = track
        self._times = np.unique(now_ns)
        lines, times = len(track.broke), len(self._times)
        every = np.repeat(np.arange(lines), times)
        broke, count = before.until(every, np.tile(self._times, lines))
        self._broke, self._count = broke.reshape(lines, times), count.reshape(lines, times).astype(np.float64)
        self._groups = {name: of for name, of in track.groups.items() if (of >= 0).any() and shared(of)}
        self.quarter = self._states() if self._groups else None
        """(N, U) each, of the last `NOW_NS`: the share of it that broke, and whether anything is known; None where no lines have anything in common."""
        self._sums: dict[tuple[str, str], Floats] = {}

    def base(self, line: NDArray[np.int64], now_ns: NDArray[np.int64]) -> tuple[Floats, NDArray[np.bool_]]:
        """(M,) each: the line's broken share of all time, shrunk to its groups' and theirs to the fleet's; and whether there is ground."""
        at = np.searchsorted(self._times, now_ns)
        fleet = (self._broke.sum(axis=0)[at] + FLEET_SHARE * FLEET_SLOTS) / (
            self._count.sum(axis=0)[at] + FLEET_SLOTS
        )
        ground = self._count[line, at] > 0
        prior, weight = np.zeros(len(line)), np.zeros(len(line))
        for name, of in self._groups.items():
            broke = self._by_group(name, "broke", self._broke)[:, at]
            count = self._by_group(name, "count", self._count)[:, at]
            group, rows = of[line], np.arange(len(line))
            in_one = group >= 0
            share = (broke[group, rows] + fleet * GROUP_SLOTS) / (count[group, rows] + GROUP_SLOTS)
            prior += np.where(in_one, share, 0.0)
            weight += in_one
            ground |= in_one & (count[group, rows] > 0)
        prior = np.where(weight > 0, prior / np.maximum(weight, 1.0), fleet)
        base = (self._broke[line, at] + prior * LINE_SLOTS) / (self._count[line, at] + LINE_SLOTS)
        return base, ground

    def now(self, line: NDArray[np.int64], now_ns: NDArray[np.int64]) -> dict[str, Floats]:
        """(M,) by name: share broken over the last 15 minutes of the other lines of each group, `PEERS_SHARE` at the least."""
        figures = {}
        few = log_odds(PEERS_SHARE)
        at = np.searchsorted(self._times, now_ns)
        for name in TOLD_BY:
            key = f"peers_{name}"
            of = self._groups.get(name)
            if of is None or self.quarter is None:
                figures[key] = np.full(len(line), few)
                continue
            broke, count = self.quarter
            group, rows = of[line], np.arange(len(line))
            others = self._by_group(name, "broke now", broke)[:, at][group, rows] - broke[line, at]
            known = self._by_group(name, "count now", count)[:, at][group, rows] - count[line, at]
            fleet = (broke.sum(axis=0)[at] + FLEET_SHARE * FLEET_NOW) / (count.sum(axis=0)[at] + FLEET_NOW)
            share = np.where(group >= 0, (others + GROUP_NOW * fleet) / (known + GROUP_NOW), fleet)
            figures[key] = np.maximum(log_odds(share), few)
        return figures

    def _by_group(self, group: str, what: str, values: Floats) -> Floats:
        """Sums of a group's lines, added up once."""
        if (group, what) not in self._sums:
            self._sums[group, what] = _summed(values, self._groups[group])
        return self._sums[group, what]

    def _states(self) -> tuple[Floats, Floats]:
        """(N, U) each: share broken of each line's last quarter of an hour, and whether anything was measured."""
        track, lines = self._track, len(self._track.broke)
        back = np.arange(slots_in(track, NOW_NS) + 1)  # one more: the newest may still be on its way
        broke, count = np.zeros((2, lines, len(self._times)))
        every = np.arange(lines)
        for number, now_ns in enumerate(self._times):
            now = np.full(lines, now_ns)
            slots = look(track, every, newest_slot(track, now)[:, None] - back, now)
            known = slots.known.sum(axis=1)
            # A dark line tells of its peers' trouble as a broken one does.
            dark = slots.dark.any(axis=1) & (known == 0)
            broke[:, number] = np.where(dark, 1.0, slots.broke.sum(axis=1) / np.maximum(known, 1))
            count[:, number] = (known > 0) | dark
        return broke, count


def shared(of: NDArray[np.int32]) -> bool:
    """Whether any group of `of` (N,) has two lines; -1 is none."""
    return bool((np.bincount(of[of >= 0]) > 1).any())


def _summed(values: Floats, of: NDArray[np.int32]) -> Floats:
    """(G, U) sums of values (N, U) over the lines of each group; lines of none are left out."""
    sums = np.zeros((int(of.max()) + 1, values.shape[1]))
    np.add.at(sums, of[of >= 0], values[of >= 0])
    return sums


@dataclass(frozen=True, slots=True)
class Among:
    """The peers of a track's lines, of whom its own first is number `first_line`."""

    peers: Peers
    first_line: int = 0
