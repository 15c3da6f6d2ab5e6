"""`stored`: telling each probe what is committed, so that it may let go of it.

Said after a commit, at once to a probe that has not been told for an interval, else when that time is over.
Duplicates count too: a probe that sends again has not understood yet.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Final

from telemetry.control import Stored

if TYPE_CHECKING:
    from collections.abc import Iterable

    from telemetry.intervals import IntervalSet

INTERVAL_S: Final = 15.0
MAX_RANGES: Final = 500
"""Missing ranges told at once (about 10 kB)."""

Probe = tuple[str, str]
"""Site and probe."""


def confirmation(epoch: str, accounted: IntervalSet) -> Stored | None:
    """What may be said of an epoch; None when nothing of it is accounted for.

    With more than `MAX_RANGES` holes, `through` stays below the first one that is not listed: what is said is
    always true, and the rest is said when holes have closed.
    """
    top = accounted.top
    if top is None:
        return None
    holes = accounted.holes(1, top) if top >= 1 else []
    if len(holes) > MAX_RANGES:
        top = holes[MAX_RANGES][0] - 1
    return Stored(epoch=epoch, through=top, missing=tuple(holes[:MAX_RANGES]))


class Confirmations:
    """Who is to be told, and when."""

    def __init__(self, interval_s: float = INTERVAL_S) -> None:
        self._interval_s = interval_s
        self._epoch: dict[Probe, str] = {}
        self._told_s: dict[Probe, float] = {}
        self._pending: dict[Probe, None] = {}

    def note(self, probe: Probe, epoch: str) -> None:
        """Something of a probe's epoch was committed, or had been before."""
        self._epoch[probe] = epoch
        self._pending[probe] = None

    def again(self) -> None:
        """The broker may have forgotten what it kept: tell everyone once more."""
        self._pending = dict.fromkeys(self._epoch)
        self._told_s.clear()

    def hand_on(self) -> list[tuple[Probe, str]]:
        """Everyone who waits to be told, for somebody else to tell. Whoever cannot be handed on must be given back."""
        due = [(probe, self._epoch[probe]) for probe in self._pending]
        self._pending.clear()
        return due

    def hurry(self) -> None:
        """Whoever waits may be told now."""
        self._told_s.clear()

    def take(self, now_s: float, limit: int) -> list[tuple[Probe, str]]:
        """Who is to be told now, and of which epoch. Whoever cannot be told must be given back."""
        due = [
            (probe, self._epoch[probe])
            for probe in self._pending
            if now_s - self._told_s.get(probe, -inf) >= self._interval_s
        ][:limit]
        for probe, _ in due:
            del self._pending[probe]
            self._told_s[probe] = now_s
        return due

    def give_back(self, due: Iterable[tuple[Probe, str]]) -> None:
        """These could not be told; they stay due."""
        for probe, _ in due:
            self._pending[probe] = None
            self._told_s.pop(probe, None)

    @property
    def pending(self) -> int:
        """Probes that wait to be told."""
        return len(self._pending)
