"""What a shared fault means for one office at one meeting: the reason that names it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analytics.ground import Standing
from analytics.shared.onsets import AGE_NS, EARLIER_NS
from telemetry.decisions import FactorKind, Reason, ReasonCode

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from analytics.case import Case
    from config.sites import Site
    from telemetry.decisions import Factor, Incident

_NOW = frozenset(code for code in ReasonCode if code.value.startswith(("loss", "burst", "jitter", "rtt"))) | {
    ReasonCode.OUTAGE,
    ReasonCode.DARK,
    ReasonCode.NO_DATA,
    ReasonCode.RECENT_FAULT,
    ReasonCode.FLAPPING,
}
"""Trouble of the line now: what a shared fault can explain."""
_OF_PROVIDERS = frozenset({FactorKind.PROVIDER, FactorKind.PROVIDER_REGION})
_UNHEARD = frozenset({ReasonCode.DARK, ReasonCode.NO_DATA})
"""What headquarters' own deafness can explain: a fault that was measured is the line's."""


def explains(  # noqa: PLR0913, PLR0917 - what is known of a trouble
    incidents: Iterable[Incident],
    site: str,
    uplink: str,
    end: str,
    code: ReasonCode | None,
    since_ns: int | None,
) -> Incident | None:
    """The shared fault that explains an office's trouble best, on a line of `uplink` (empty: any) to `end` (empty: no end's); None without one.

    An outage is laid to its end before anything else: the office is among that one's only while its other ends answer, so neither
    a provider nor a region has cut it off. Otherwise the one that began with the trouble comes first, then one that has a name, then
    the surest.
    """

    def misfit(each: Incident) -> tuple[bool, int, bool, float]:
        of_end = code is ReasonCode.OUTAGE and each.factor.kind is not FactorKind.END
        apart_ns = abs(since_ns - each.since_at_ns(end)) if since_ns is not None else 0
        nameless = each.factor.kind is FactorKind.AT_ONCE
        return of_end, apart_ns if apart_ns > EARLIER_NS else 0, nameless, -each.evidence.log_odds

    theirs = (each for each in incidents if site in each.sites and covers(each.factor, uplink, end, code))
    return min(theirs, key=misfit, default=None)


def may_explain(
    incidents: Iterable[Incident], site: Site, path: str, code: ReasonCode, since_ns: int
) -> bool:
    """Whether one of the shared faults that last and do not list an office may prove to be behind its trouble on a line (`path`) since `since_ns`.

    The office depends on the factor, and fell ill in the fault's time (`membership`). It is listed once most of its lines have shown it,
    a window or two after the verdict on one of them.
    """
    uplink, _, end = path.partition(".")
    return code in _NOW and any(
        covers(each.factor, uplink, end, code)
        and _depends(site, each.factor)
        and _in_its_time(each, since_ns)
        for each in incidents
    )


def _depends(site: Site, factor: Factor) -> bool:
    """Whether an office has what a factor stands for. Of what fell silent at once, or with our own deafness, the others are known not to be."""
    if factor.kind in {FactorKind.HUB, FactorKind.AT_ONCE}:
        return False
    provider = factor.name if factor.kind in _OF_PROVIDERS else site.provider
    region = {FactorKind.REGION: factor.name, FactorKind.PROVIDER_REGION: factor.region}
    return site.provider == provider and site.region == region.get(factor.kind, site.region)


def _in_its_time(incident: Incident, since_ns: int) -> bool:
    """Who is cut off from headquarters is of that fault whenever it happens, of any other within its first half hour, or while most of its offices suffer."""
    after_ns = since_ns - incident.since_ns
    suffer = 2 * len(incident.sites) > incident.evidence.members
    return after_ns >= -EARLIER_NS and (after_ns <= AGE_NS or incident.factor.is_headquarters or suffer)


def covers(factor: Factor, uplink: str, end: str, code: ReasonCode | None) -> bool:
    """Whether a shared fault can hit a line of `uplink` (empty: any) to `end`, and look like `code` there."""
    if factor.kind is FactorKind.HUB:
        return code in _UNHEARD
    if factor.kind is FactorKind.END:
        return factor.name == end
    return factor.kind is not FactorKind.UPLINK or not uplink or factor.name == uplink


def shared_with(case: Case, reason: Reason | None = None) -> Incident | None:
    """The shared fault that an office's line to the meeting suffers from; None without one. `reason`: what the line suffers from."""
    site, (uplink, _, end) = case.ground.lines.sites[case.site], case.path_name.partition(".")
    code, since_ns = (None, None) if reason is None else (reason.code, reason.since_ns)
    return explains(case.ground.incidents, site, uplink, end, code, since_ns)


def with_shared(case: Case, told: Sequence[Reason]) -> tuple[Reason, ...]:
    """The reasons of a case, led by the shared fault where that explains the first of them."""
    if case.standing is Standing.READY or not told or told[0].code not in _NOW:
        return tuple(told)
    incident = shared_with(case, told[0])
    if incident is None:
        return tuple(told)
    since_ns = incident.since_at_ns(case.path_name.partition(".")[2])
    # What was over when the fault began there is not of it; what paused while the fault goes on is.
    if told[0].until_ns is not None and told[0].until_ns <= since_ns:
        return tuple(told)
    shared = Reason(
        code=ReasonCode.SHARED_FAULT,
        value=float(len(incident.sites)),
        limit=float(max(incident.evidence.members, len(incident.sites))),
        path=case.path_name,
        since_ns=since_ns,
        factor=incident.factor,
    )
    return (shared, *told[:2])
