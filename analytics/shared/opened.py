"""One shared fault that is open, as it is followed from look to look, told, and remembered over a restart."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from msgspec import structs

from telemetry.decisions import Incident

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from telemetry.decisions import EndBegan, Evidence, Factor


@dataclass(frozen=True, slots=True)
class Open:
    """A fault that is followed. `ever` (S,): every office that has suffered; `now` (S,): those that do."""

    id: str
    factor: Factor
    since_ns: int
    first_ns: int
    seen_ns: int
    ever: NDArray[np.bool_]
    now: NDArray[np.bool_]
    evidence: Evidence
    told_ns: int | None = None
    calm_ns: int | None = None
    """Since when most of its offices have been seen to be well."""
    ill_until_ns: NDArray[np.int64] | None = None
    """(S,): until when each office was seen to suffer; None before anybody has looked."""
    first_end: Factor | None = None
    """The end whose fault it is, or was before it was named after headquarters as a whole."""
    alone_ns: int | None = None
    """Of headquarters' fault: since when only one end has been left of it."""
    went_back: int = 0
    """How often it has had the name of one end again."""
    ends: tuple[EndBegan, ...] = ()
    """The ends of headquarters at which it has been seen, and since when (`each_end`)."""

    def incident(self, sites: Sequence[str]) -> Incident | None:
        """As it is told; None before it is."""
        if self.told_ns is None:
            return None
        return Incident(
            id=self.id,
            factor=self.factor,
            since_ns=self.since_ns,
            told_ns=self.told_ns,
            seen_ns=self.seen_ns,
            sites=tuple(site for site, suffers in zip(sites, self.now, strict=True) if suffers),
            evidence=self.evidence,
            ends=self.ends,
        )

    def over(self, sites: Sequence[str], until_ns: int) -> Incident | None:
        """As it is kept when it is over, with every office that has suffered."""
        said = replace(self, now=self.ever).incident(sites)
        return None if said is None else structs.replace(said, until_ns=max(until_ns, said.since_ns))


def recalled(incident: Incident, sites: Sequence[str]) -> Open:
    """An open incident as an earlier run left it, on today's axis of offices."""
    suffered = np.isin(np.array(sites, dtype=object), list(incident.sites))
    return Open(
        id=incident.id,
        factor=incident.factor,
        since_ns=incident.since_ns,
        first_ns=incident.told_ns,
        seen_ns=incident.seen_ns,
        ever=suffered,
        now=suffered,
        evidence=incident.evidence,
        told_ns=incident.told_ns,
        ends=incident.ends,
    )
