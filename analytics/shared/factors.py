"""What offices may have in common, as a membership matrix over lines: provider, region, end, uplink, headquarters itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from analytics.shared.onsets import EARLIER_NS
from telemetry.decisions import Factor, FactorKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from analytics.lines import Lines

LEAST_OFFICES: Final = 2
"""What a single office has is its own."""
LOG_PRIOR: Final = {
    FactorKind.HUB: -4.6,
    FactorKind.END: -6.9,
    FactorKind.PROVIDER_REGION: -6.9,
    FactorKind.PROVIDER: -7.6,
    FactorKind.REGION: -8.0,
    FactorKind.UPLINK: -9.0,
    FactorKind.HEADQUARTERS: -7.6,
}
"""Natural logarithm of the share of time in which one factor of a kind is at fault: an outage of half an hour, one to two
a month, is e**-6.9. Nothing hangs on the digits: one office more that suffers weighs about 3.5."""
LOG_PRIOR_BESIDE: Final = -4.6
"""Providers share cables and exchanges: where one fails, one time in a hundred another fails with it."""


@dataclass(frozen=True, slots=True)
class Factors:
    """F candidate factors over lines (S, P).

    `members` (F, S, P): the line depends on the factor; `log_prior` (F,). In the order of `FactorKind`: of two factors
    that cover the same lines nothing can tell them apart, and the first is kept. `failed_ns`: when providers failed that are left out.
    """

    names: tuple[Factor, ...]
    members: NDArray[np.bool_]
    log_prior: NDArray[np.float64]
    failed_ns: tuple[int, ...] = ()

    def without(self, number: int, failed_ns: int) -> Factors:
        """All but one, which failed at a time."""
        names = (*self.names[:number], *self.names[number + 1 :])
        is_provider = self.names[number].kind is FactorKind.PROVIDER
        return Factors(
            names,
            np.delete(self.members, number, axis=0),
            np.delete(self.log_prior, number),
            (*self.failed_ns, failed_ns) if is_provider else self.failed_ns,
        )

    def log_prior_at(self, onset_ns: int) -> NDArray[np.float64]:
        """(F,): what is expected of each at a moment: of a provider more, when another has just failed."""
        if all(abs(onset_ns - failed_ns) > EARLIER_NS for failed_ns in self.failed_ns):
            return self.log_prior
        is_provider = [name.kind is FactorKind.PROVIDER for name in self.names]
        return np.where(is_provider, LOG_PRIOR_BESIDE, self.log_prior)


def factors(
    lines: Lines, providers: Sequence[str], regions: Sequence[str], linked: NDArray[np.bool_]
) -> Factors:
    """Every factor that at least two linked offices share.

    Args:
        lines: the axes S and P.
        providers: of each site, empty where unknown; it is the provider of the office's first uplink.
        regions: of each site.
        linked: (S,) the office has a probe.
    """
    uplinks = [path.partition(".")[0] for path in lines.paths]
    ends = [path.partition(".")[2] for path in lines.paths]
    provider, region = np.array(providers, dtype=object), np.array(regions, dtype=object)
    everyone = np.ones(len(lines.sites), dtype=bool)
    all_paths = np.ones(len(lines.paths), dtype=bool)
    first_uplink = np.array([uplink == uplinks[0] for uplink in uplinks], dtype=bool)
    found: list[tuple[Factor, NDArray[np.bool_], NDArray[np.bool_]]] = [
        (Factor(FactorKind.HUB), everyone, all_paths),
    ]
    found += [(Factor(FactorKind.END, end), everyone, _equal(ends, end)) for end in dict.fromkeys(ends)]
    found.append((Factor(FactorKind.HEADQUARTERS), everyone, all_paths))
    for name in sorted({*provider.tolist()} - {""}):
        mine = np.asarray(provider == name, dtype=bool)
        found.append((Factor(FactorKind.PROVIDER, name), mine, first_uplink))
        found += [
            (
                Factor(FactorKind.PROVIDER_REGION, name, where),
                mine & np.asarray(region == where, bool),
                first_uplink,
            )
            for where in sorted({*region[mine].tolist()} - {""})
        ]
    found += [
        (Factor(FactorKind.REGION, where), np.asarray(region == where, dtype=bool), all_paths)
        for where in sorted({*region.tolist()} - {""})
    ]
    if len(set(uplinks)) > 1:
        found += [
            (Factor(FactorKind.UPLINK, name), everyone, _equal(uplinks, name))
            for name in dict.fromkeys(uplinks)
        ]
    return _distinct(found, linked)


def is_part_of(part: Factor, whole: Factor) -> bool:
    """Whether what is at fault is a part of something greater: a provider in one region, of that provider."""
    kinds = (part.kind, whole.kind)
    return kinds == (FactorKind.PROVIDER_REGION, FactorKind.PROVIDER) and part.name == whole.name


def _distinct(
    found: list[tuple[Factor, NDArray[np.bool_], NDArray[np.bool_]]], linked: NDArray[np.bool_]
) -> Factors:
    """Without those of one office, and without those that cover what an earlier one does."""
    order = list(FactorKind)
    names, members, seen = [], [], set()
    for factor, sites, paths in sorted(found, key=lambda each: order.index(each[0].kind)):
        mask = (sites & linked)[:, None] & paths
        key = mask.tobytes()
        if mask.any(axis=1).sum() < LEAST_OFFICES or (factor.kind is not FactorKind.HUB and key in seen):
            continue
        if factor.kind is not FactorKind.HUB:  # it is told by silence, the others by trouble
            seen.add(key)
        names.append(factor)
        members.append(mask)
    shape = (0, len(linked), 0) if not found else (0, *found[0][1].shape, len(found[0][2]))
    stacked = np.stack(members) if members else np.zeros(shape, dtype=bool)
    return Factors(
        tuple(names), stacked, np.array([LOG_PRIOR[name.kind] for name in names], dtype=np.float64)
    )


def _equal(values: Sequence[str], wanted: str) -> NDArray[np.bool_]:
    return np.array([value == wanted for value in values], dtype=bool)
