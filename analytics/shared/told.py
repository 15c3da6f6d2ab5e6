"""What a shared fault means for one office at one meeting: the reason that names it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analytics.ground import Standing
from telemetry.decisions import FactorKind, Reason, ReasonCode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analytics.case import Case
    from telemetry.decisions import Incident

_NOW = frozenset(code for code in ReasonCode if code.value.startswith(("loss", "burst", "jitter", "rtt"))) | {
    ReasonCode.OUTAGE,
    ReasonCode.DARK,
    ReasonCode.NO_DATA,
    ReasonCode.RECENT_FAULT,
    ReasonCode.FLAPPING,
}
"""Trouble of the line now: what a shared fault can explain."""


def shared_with(case: Case, code: ReasonCode | None = None) -> Incident | None:
    """The shared fault that an office's line to the meeting suffers from; None without one.

    `code`: what the line suffers from. Of several an outage is laid to its end: it is among that one's offices only while its
    other ends answer, so neither a provider nor a region has cut it off.
    """
    site, (uplink, _, end) = case.ground.lines.sites[case.site], case.path_name.partition(".")
    suffers: list[Incident] = []
    for each in case.ground.incidents:
        if site not in each.sites or (each.factor.kind is FactorKind.END and each.factor.name != end):
            continue
        if each.factor.kind is FactorKind.UPLINK and each.factor.name != uplink:
            continue
        suffers.append(each)
    if code is ReasonCode.OUTAGE:
        suffers.sort(key=lambda each: each.factor.kind is not FactorKind.END)
    return suffers[0] if suffers else None


def with_shared(case: Case, told: Sequence[Reason]) -> tuple[Reason, ...]:
    """The reasons of a case, led by the shared fault where that explains the first of them."""
    if case.standing is Standing.READY or not told or told[0].code not in _NOW:
        return tuple(told)
    incident = shared_with(case, told[0].code)
    if incident is None or _was_before(told[0], incident):
        return tuple(told)
    shared = Reason(
        code=ReasonCode.SHARED_FAULT,
        value=float(len(incident.sites)),
        limit=float(max(incident.evidence.members, len(incident.sites))),
        path=case.path_name,
        since_ns=incident.since_ns,
        factor=incident.factor,
    )
    return (shared, *told[:2])


def _was_before(reason: Reason, incident: Incident) -> bool:
    """Trouble that was over when the fault began is not of it; what paused while the fault goes on is."""
    return reason.until_ns is not None and reason.until_ns <= incident.since_ns
