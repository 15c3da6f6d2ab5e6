"""The shared faults that are open: found anew at each look, followed, and written when they change."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from msgspec import structs

from analytics.shared.factors import Factors, factors
from analytics.shared.find import shared_faults
from analytics.shared.follow import follow
from analytics.shared.opened import recalled
from analytics.shared.sighting import sight
from telemetry.decisions import FactorKind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from analytics.lines import Lines
    from analytics.shared.follow import Followed
    from analytics.shared.opened import Open
    from analytics.shared.sighting import Heard
    from tatpar.watching.offices import Offices
    from telemetry.decisions import Flag, Incident
    from telemetry.state.db import StateDb


class OpenIncidents:
    """Keeps what is open in the state database."""

    def __init__(self, offices: Offices, state: StateDb) -> None:
        self._offices = offices
        self._state = state
        self._candidates: tuple[Lines, Factors] | None = None
        self._written: dict[str, Incident] = {each.id: each for each in state.open_incidents()}
        self._open: tuple[Open, ...] = tuple(recalled(each, offices.sites) for each in self._written.values())

    @property
    def told(self) -> tuple[Incident, ...]:
        """Those that have been told and last."""
        said = (each.incident(self._offices.sites) for each in self._open)
        return tuple(each for each in said if each is not None)

    def unheard_because_of_us(self) -> NDArray[np.bool_]:
        """(S,): offices that fell silent with all others, since the headquarters' own collector or broker takes nothing in."""
        out = np.zeros(len(self._offices.sites), dtype=bool)
        for each in self._open:
            if each.factor.kind is FactorKind.HUB:
                out |= each.now
        return out

    def silenced(self, silent: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """(S,): the `silent` offices, (S,), of each fault that was told and has silenced most who suffer from it, and is not headquarters' own.

        What nobody knows the cause of may be headquarters' own.
        """
        out = np.zeros(len(self._offices.sites), dtype=bool)
        for each in self._open:
            theirs = each.now & silent
            if (
                each.told_ns is not None
                and not each.factor.is_headquarters
                and each.factor.kind is not FactorKind.AT_ONCE
                and 2 * theirs.sum() > each.now.sum()
            ):
                out |= theirs
        return out

    def look(
        self, lines: Lines, flags: Iterable[Flag], heard: Heard, now_ns: int, *, taken_in: bool = False
    ) -> bool:
        """Find, follow, write what changed, and say whether anything has; while anything is taken in nobody is silent because of us."""
        candidates = self._factors(lines)
        sighting = sight(lines, flags, heard, now_ns)
        found = shared_faults(_of_kind(candidates, hub=False) if taken_in else candidates, sighting)
        followed = follow(self._open, found, sighting, candidates, now_ns)
        self._open = followed.open
        return self._write(followed)

    def look_blind(self, lines: Lines, heard: Heard, now_ns: int) -> None:
        """Follow only that headquarters takes nothing in: of all others nothing new is known."""
        candidates = _of_kind(self._factors(lines), hub=True)
        ours = [each for each in self._open if each.factor.kind is FactorKind.HUB]
        theirs = [each for each in self._open if each.factor.kind is not FactorKind.HUB]
        sighting = sight(lines, (), heard, now_ns)
        found = [each for each in shared_faults(candidates, sighting) if each.factor.kind is FactorKind.HUB]
        followed = follow(ours, found, sighting, candidates, now_ns)
        self._open = (*theirs, *followed.open)
        self._write(followed)

    def _factors(self, lines: Lines) -> Factors:
        if self._candidates is None or self._candidates[0] != lines:
            sites = self._offices.config.registry.sites
            found = factors(
                lines,
                self._offices.providers,
                [site.region for site in sites],
                self._offices.linked,
            )
            self._candidates = lines, found
        return self._candidates[1]

    def _write(self, followed: Followed) -> bool:
        told = {each.id: each for each in self.told}
        over = (one.over(self._offices.sites, until_ns) for one, until_ns in followed.ended)
        ended = [each for each in over if each is not None]
        news = [each for id_, each in told.items() if _is_news(self._written.get(id_), each)]
        # Surer evidence alone is no news, but whoever reads the record while the fault lasts reads what is kept of it.
        surer = [each for id_, each in told.items() if _differs(self._written.get(id_), each)]
        if ended or surer:
            self._state.put_incidents([*ended, *surer])
            changed = {each.id: each for each in surer}
            self._written = {
                id_: changed.get(id_, self._written.get(id_, each)) for id_, each in told.items()
            }
        return bool(ended or news)


def _is_news(before: Incident | None, now: Incident) -> bool:
    return before is None or (before.factor, before.sites) != (now.factor, now.sites)


def _differs(before: Incident | None, now: Incident) -> bool:
    """Whether anything is to be said of it otherwise than was written, but when it was last seen."""
    return before is None or structs.replace(before, seen_ns=now.seen_ns) != now


def _of_kind(candidates: Factors, *, hub: bool) -> Factors:
    """Only the factor that headquarters takes nothing in, or all but that."""
    wanted = np.array([(name.kind is FactorKind.HUB) is hub for name in candidates.names], dtype=bool)
    names = tuple(name for name, keep in zip(candidates.names, wanted, strict=True) if keep)
    return Factors(names, candidates.members[wanted], candidates.log_prior[wanted])
