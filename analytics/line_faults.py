"""What is wrong with the line itself, now or not long ago, as reasons: silence, an outage, causes past their limits, a line that comes and goes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from msgspec.structs import replace

from analytics.breaches import last_breach, one_voice
from analytics.broke_last import broke_until_ns
from analytics.cause_since import began, breach_began, is_unseen, last_outage, since
from analytics.causes import CAUSES, REASON, Cause, limit_of, unit_of
from analytics.condition import FILTER_WINDOWS, SUSPECT
from analytics.flags import usual_of, value_of, value_within
from analytics.guards import NEVER_READY
from analytics.shared.tail import came_and_went_with_them
from analytics.strained import strain_now
from telemetry.decisions import Reason, ReasonCode
from telemetry.windows import SECOND_NS, SILENT_NS, WINDOW_NS

if TYPE_CHECKING:
    from analytics.breaches import Breach
    from analytics.case import Case
    from analytics.outages import Outage

TRACE: Final = 0.02
"""A cause less likely than this is not named, not even as past."""
AGAIN: Final = 3
"""Spells of one reason in the last hour from which it is told how often it came back."""


def fault_reasons(case: Case) -> list[Reason]:
    """What stands behind a fault: silence, causes that the filter suspects, or a line that keeps coming back."""
    ground = case.ground
    if is_silent(case):
        return [silence(case, ReasonCode.DARK if ground.dark[case.site] else ReasonCode.NO_DATA)]
    by_cause = ground.condition.by_cause[case.limit_set, case.site, case.path]
    ranked = sorted(range(len(CAUSES)), key=lambda c: (-by_cause[c], c))
    down, again = last_outage(case), ground.flapping.reason(case.site, case.path, case.path_name)
    comes_and_goes = [] if again is None or came_and_went_with_them(case) else [again]
    if down is not None and down.until_ns is None:
        return [_outage_reason(case, down), *comes_and_goes]
    suspects = [CAUSES[c] for c in ranked if by_cause[c] >= SUSPECT]
    if down is not None:  # what only the outage's own windows broke, or what it ended, is no more
        suspects = [cause for cause in suspects if _broke_since(case, cause, down)]
    if not suspects:
        return comes_and_goes or [_past_reason(case, [CAUSES[c] for c in ranked if by_cause[c] >= TRACE])]
    first = int(np.searchsorted(ground.recent.start_ns, min(since(case, cause) for cause in suspects)))
    told = one_voice(ground.recent.counts.of_line(case.site, case.path, first), suspects)
    return [_line_reason(case, cause) for cause in suspects if cause in told]


def fault_weight(case: Case) -> float:
    """What a fault or silence costs; of a silent line also what keeps it from being ready, where nothing else does so already."""
    terms, site = case.expectation.terms, case.site
    cost = float(terms.fault[site])
    if not is_silent(case):
        # Past its limit strain is part of the fault.
        return max(cost, float(terms.strain[site])) if strain_now(case) >= 1.0 else cost
    # What was suspected of the line before hides behind its silence.
    cost = max(cost, float(terms.silence[site]))
    return max(cost, 1.0 - NEVER_READY) if _is_held_back(case) else cost


def is_silent(case: Case) -> bool:
    """Silence takes more than any fault, and there is one: not only a gap earlier in the day."""
    ground, terms = case.ground, case.expectation.terms
    if ground.silent[case.site, case.path]:
        return True
    silent_ns = ground.now_ns - int(ground.silent_since_ns[case.site, case.path])
    return silent_ns > SILENT_NS and bool(terms.silence[case.site] >= terms.fault[case.site])


def silence(case: Case, code: ReasonCode) -> Reason:
    """Since the office's last window; of one path when the others are heard."""
    if code is ReasonCode.NO_DATA and not case.has_ever_reported:
        return Reason(code=code, path=case.path_name)  # nothing can be back
    whole = code is ReasonCode.DARK
    silent = case.ground.silent_since_ns[case.site]
    since_ns = int(silent.max() if whole else silent[case.path])
    return Reason(
        code=code,
        value=float((case.ground.now_ns - since_ns) // SECOND_NS),
        limit=case.ground.dark_after_ns / SECOND_NS if whole else None,
        unit="s",
        path="" if whole else case.path_name,
        since_ns=since_ns,
    )


def _is_held_back(case: Case) -> bool:
    """Whether the chance is as high as one of a silent line can be: it would be higher if the line were heard."""
    if not case.ground.silent[case.site, case.path] or case.probability is None:
        return False
    most = NEVER_READY * (1.0 - float(case.expectation.terms.capacity[case.site]))
    return case.probability >= most - 1e-9


def _outage_reason(case: Case, down: Outage) -> Reason:
    """An outage by its own times, whatever ailed the line before: from its very beginning, and of one that nobody saw begin that it may have lasted longer."""
    since_ns, unseen = began(case, down)
    until_ns = down.until_ns
    if since_ns == down.since_ns and until_ns is not None:
        lasted_ns: int | None = down.lost_ns
    elif until_ns is not None:
        lasted_ns = None if since_ns is None else until_ns - since_ns
    else:
        lasted_ns = case.ground.now_ns - (since_ns or down.since_ns)
    value = None if lasted_ns is None else float(round(lasted_ns / SECOND_NS))
    return replace(_reason(case, Cause.OUTAGE, value, since_ns, until_ns), unseen=unseen)


def _broke_since(case: Case, cause: Cause, down: Outage) -> bool:
    breach = _last_breach(case, cause)
    return breach is not None and breach.last > down.last


def _line_reason(case: Case, cause: Cause) -> Reason:
    """A cause that holds now: over its newest windows, or over its last spell when those alone are within the limit."""
    since_ns = since(case, cause)
    limit = limit_of(cause, case.profile.alarm)
    value = _figure(case, cause, since_ns)
    if limit is not None and value is not None and value <= limit:
        breach = _last_breach(case, cause)
        if breach is not None:
            return _breach_reason(case, cause, breach)
    return replace(_reason(case, cause, value, since_ns or None), unseen=is_unseen(case, since_ns))


def _past_reason(case: Case, causes: list[Cause]) -> Reason:
    """No cause is more likely than not just now: what was past its limit some minutes ago, an outage before all else."""
    down = last_outage(case)
    if down is not None:
        return _outage_reason(case, down)
    found = {cause: breach for cause in causes if (breach := _last_breach(case, cause)) is not None}
    ranked = [cause for cause in causes if cause in found]
    if not ranked:
        return _recent_fault(case)
    first = min(found[cause].first for cause in ranked)
    told = one_voice(case.ground.recent.counts.of_line(case.site, case.path, first), ranked)
    cause = next(cause for cause in ranked if cause in told)
    return _breach_reason(case, cause, found[cause])


def _recent_fault(case: Case) -> Reason:
    """What came back within the hour and is well just now: until when, and of what came back several times how often and since when."""
    at, since_ns = (case.site, case.path), case.ground.relapsing_since_ns
    until_ns = broke_until_ns(case) or None
    if since_ns is None or case.ground.relapses[at] < AGAIN:
        return Reason(code=ReasonCode.RECENT_FAULT, path=case.path_name, until_ns=until_ns)
    return Reason(
        code=ReasonCode.RECENT_FAULT,
        value=float(case.ground.relapses[at]),
        path=case.path_name,
        since_ns=int(since_ns[at]) or None,
        until_ns=until_ns,
    )


def _last_breach(case: Case, cause: Cause) -> Breach | None:
    limit = limit_of(cause, case.profile.alarm)
    return last_breach(case.ground.recent, (case.site, case.path), cause, limit, FILTER_WINDOWS)


def _breach_reason(case: Case, cause: Cause, breach: Breach) -> Reason:
    """A cause with the figure of the spell that broke the limit, and from when to when that was: from its very beginning, as of an outage."""
    recent = case.ground.recent
    since_ns, unseen = breach_began(case, cause, breach)
    until_ns = int(recent.start_ns[breach.last]) + WINDOW_NS
    value = round(value_within(recent, case.site, case.path, cause, (breach.first, breach.last)), 5)
    return replace(_reason(case, cause, value, since_ns, until_ns if breach.over else None), unseen=unseen)


def _figure(case: Case, cause: Cause, since_ns: int) -> float | None:
    recent, newest = case.ground.recent, int(case.ground.recent.newest[case.site, case.path])
    first = int(np.searchsorted(recent.start_ns, since_ns)) if since_ns else newest - 1
    return round(value_of(recent, case.site, case.path, cause, min(first, newest)), 5)


def _reason(
    case: Case, cause: Cause, value: float | None, since_ns: int | None, until_ns: int | None = None
) -> Reason:
    return Reason(
        code=REASON[cause],
        value=value,
        limit=limit_of(cause, case.profile.alarm),
        usual=usual_of(case.ground.usual, case.ground.recent, (case.site, case.path), cause),
        unit=unit_of(cause),
        path=case.path_name,
        since_ns=since_ns,
        until_ns=until_ns,
    )
