"""`stored`: telling each probe what is committed, so that it may let go of it.

Said after a commit, at once to a probe that has not been told for an interval, else when that time is over.
Duplicates count too: a probe that sends again has not understood yet.
"""

from __future__ import annotations

from collections import OrderedDict
from itertools import chain
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
    """Who is to be told, and when. A step costs what is told in it, however many are known or wait."""

    def __init__(self, interval_s: float = INTERVAL_S) -> None:
        self._interval_s = interval_s
        self._epoch: dict[Probe, str] = {}
        self._due: OrderedDict[Probe, None] = OrderedDict()
        self._resting: OrderedDict[Probe, float] = OrderedDict()
        """Told less than an interval ago, and when: the earliest first."""
        self._noted: dict[Probe, None] = {}
        """Those of them that are to be told again."""

    def note(self, probe: Probe, epoch: str) -> None:
        """Something of a probe's epoch was committed, or had been before."""
        self._epoch[probe] = epoch
        waiting = self._noted if probe in self._resting else self._due
        waiting[probe] = None

    def again(self) -> None:
        """The broker may have forgotten what it kept: tell everyone once more."""
        self._resting.clear()
        self._noted.clear()
        self._due = OrderedDict.fromkeys(self._epoch)

    def hand_on(self) -> list[tuple[Probe, str]]:
        """Everyone who waits to be told, for somebody else to tell. Whoever cannot be handed on must be given back."""
        due = [(probe, self._epoch[probe]) for probe in chain(self._due, self._noted)]
        self._due.clear()
        self._noted.clear()
        return due

    def hurry(self) -> None:
        """Whoever waits may be told now."""
        self._due |= self._noted
        self._resting.clear()
        self._noted.clear()

    def take(self, now_s: float, limit: int) -> list[tuple[Probe, str]]:
        """Who is to be told now, and of which epoch. Whoever cannot be told must be given back.

        Args:
            now_s: never less than at the call before.
            limit: so many at most.
        """
        self._let_rested(now_s)
        due: list[tuple[Probe, str]] = []
        while self._due and len(due) < limit:
            probe, _ = self._due.popitem(last=False)
            self._resting[probe] = now_s
            due.append((probe, self._epoch[probe]))
        return due

    def give_back(self, due: Iterable[tuple[Probe, str]]) -> None:
        """These could not be told; they stay due."""
        for probe, _ in due:
            self._resting.pop(probe, None)
            self._noted.pop(probe, None)
            self._due[probe] = None

    @property
    def pending(self) -> int:
        """Probes that wait to be told."""
        return len(self._due) + len(self._noted)

    def _let_rested(self, now_s: float) -> None:
        """Those told an interval ago or longer may be told again."""
        while self._resting:
            probe, told_s = self._resting.popitem(last=False)
            if now_s - told_s < self._interval_s:
                self._resting[probe] = told_s
                self._resting.move_to_end(probe, last=False)
                return
            if probe in self._noted:
                del self._noted[probe]
                self._due[probe] = None
