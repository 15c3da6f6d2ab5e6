"""Why: the model's own terms as reasons, worst first. Nothing is told that cost no probability.

That a line is silent or dark now is told where it weighs, as any other reason; `verdicts.what_is_first` puts it in front then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analytics.breaches import last_breach, one_voice
from analytics.broke_last import broke_until_ns
from analytics.cause_since import last_outage, since
from analytics.causes import CAUSES, REASON, Cause, limit_of, unit_of
from analytics.condition import FILTER_WINDOWS, SUSPECT
from analytics.flags import usual_of, value_of, value_within
from analytics.ground import Standing
from analytics.hours import hours_of_week_between
from analytics.readiness import NEVER_READY, READY
from analytics.shared.tail import came_and_went_with_them
from analytics.strained import strain_now, strained
from analytics.works import planned, works_now
from telemetry.decisions import Factor, FactorKind, Reason, ReasonCode
from telemetry.windows import DAY_NS, SECOND_NS, SILENT_NS, WINDOW_NS

if TYPE_CHECKING:
    from analytics.breaches import Breach
    from analytics.case import Case
    from analytics.outages import Outage

MOST_REASONS: Final = 3
WORTH_TELLING: Final = 0.03
"""A term that costs less probability is no reason."""
LEAST_HOURS: Final = 8
"""With fewer hours of history a line's usual trouble is the prior's, not its own."""
LEAST_WEEKS_TOLD: Final = 2
"""From so many known weeks on an hour's own record is told; before, and where it never failed itself, the chance."""
TRACE: Final = 0.02
"""A cause less likely than this is not named, not even as past."""
AGAIN: Final = 3
"""Spells of one reason in the last hour from which it is told how often it came back."""


def reasons(case: Case) -> tuple[Reason, ...]:
    """Reasons of a case; none when it is ready, at least one otherwise."""
    if case.standing is Standing.READY:
        return ()
    alone = _without_number(case)
    if alone or case.probability is None:
        return alone or (_silent(case, ReasonCode.NO_DATA),)  # whoever is heard has a number
    missing = _missing(case)
    if missing and case.probability >= READY:
        return tuple(missing)
    if case.is_not_believed:  # whoever reads it shall see that the probe claims to be the cause
        claim = Reason(code=ReasonCode.PROBE_FAULT, path=case.path_name)
        return (*(*missing, *_of_the_line(case))[: MOST_REASONS - 1], claim)
    return (*missing, *_of_the_line(case))[:MOST_REASONS]


def works_go_on(case: Case) -> bool:
    """Whether the line has fallen silent while works go on that were announced and reach into the meeting: nobody need look at the router then."""
    return case.path >= 0 and _is_silent(case) and bool(works_now(case))


def _without_number(case: Case) -> tuple[Reason, ...]:
    """Why nothing more is known of an office; none where there is a number to explain."""
    if not case.ground.linked[case.site]:
        return (Reason(code=ReasonCode.NOT_LINKED),)
    if case.ground.dark[case.site] and case.probability is None:
        return (*works_now(case), _silent(case, ReasonCode.DARK))
    if case.is_explained and case.standing is Standing.UNKNOWN:
        return (Reason(code=ReasonCode.PROBE_FAULT, path=case.path_name),)
    if case.path < 0:
        return (Reason(code=ReasonCode.NO_DATA),)
    return ()


def _of_the_line(case: Case) -> tuple[Reason, ...]:
    """Why the line itself is expected to fail."""
    faults, cost = _fault_reasons(case), _fault_weight(case)
    if faults[0].code is ReasonCode.RECENT_FAULT and not _broke_lately(case):  # the line's habit, then
        faults, usual = [], _usual(case, cost)
    else:
        usual = _usual(case, 0.0)
    weighed = [
        *((cost, each) for each in faults),
        *usual,
        *strained(case),
        *_peers(case),
        *planned(case),
        *_capacity(case),
        *_rehearsed(case),
    ]
    # Nothing that has a name: what is left is what the number itself says.
    weighed = weighed or [(0.0, Reason(code=ReasonCode.EXPECTED_STRAIN, path=case.path_name))]
    weighed.sort(key=lambda pair: -pair[0])
    telling = [each for weight, each in weighed if weight >= WORTH_TELLING]
    if works_go_on(case):
        telling = [*works_now(case), *(each for each in telling if each.code is not ReasonCode.PLANNED)]
    if not telling:
        # Many small terms, or lines that usually fail so often: the heaviest, else the line's record.
        telling = [(usual or weighed)[0][1] if weighed[0][0] <= 0.0 else weighed[0][1]]
    return tuple(_each_once(telling)[:MOST_REASONS])


def _each_once(telling: list[Reason]) -> list[Reason]:
    """Without what another one says already: that an hour which usually fails will, and that little is known."""
    codes = [each.code for each in telling]
    said = {ReasonCode.NO_HISTORY} if len(telling) > 1 else set()
    if ReasonCode.USUAL_HOUR in codes:
        before = codes.index(ReasonCode.USUAL_HOUR)
        said |= {code for code in codes[before:] if code is ReasonCode.EXPECTED_STRAIN}
    return [each for each in telling if each.code not in said]


def _missing(case: Case) -> list[Reason]:
    """What a call needs beside the line and what is away: the room's own device before the meeting platform."""
    found = case.ground.reached
    if found is None or case.lead_ns > found.lead_ns:
        return []
    since = (
        (ReasonCode.ROOM_DEVICE, int(found.room_off_ns[case.site])),
        (ReasonCode.PLATFORM_EDGE, int(found.edge_off_ns[case.site])),
    )
    return [
        Reason(code=code, value=float((case.ground.now_ns - ns) // SECOND_NS), unit="s", since_ns=ns)
        for code, ns in since
        if ns
    ]


def _is_silent(case: Case) -> bool:
    """Silence takes more than any fault, and there is one: not only a gap earlier in the day."""
    ground, terms = case.ground, case.expectation.terms
    if ground.silent[case.site, case.path]:
        return True
    silent_ns = ground.now_ns - int(ground.silent_since_ns[case.site, case.path])
    return silent_ns > SILENT_NS and bool(terms.silence[case.site] >= terms.fault[case.site])


def _fault_weight(case: Case) -> float:
    """What a fault or silence costs; of a silent line also what keeps it from being ready, where nothing else does so already."""
    terms, site = case.expectation.terms, case.site
    cost = float(terms.fault[site])
    if not _is_silent(case):
        # Past its limit strain is part of the fault.
        return max(cost, float(terms.strain[site])) if strain_now(case) >= 1.0 else cost
    # What was suspected of the line before hides behind its silence.
    cost = max(cost, float(terms.silence[site]))
    return max(cost, 1.0 - NEVER_READY) if _is_held_back(case) else cost


def _is_held_back(case: Case) -> bool:
    """Whether the chance is as high as one of a silent line can be: it would be higher if the line were heard."""
    if not case.ground.silent[case.site, case.path] or case.probability is None:
        return False
    most = NEVER_READY * (1.0 - float(case.expectation.terms.capacity[case.site]))
    return case.probability >= most - 1e-9


def _fault_reasons(case: Case) -> list[Reason]:
    """What stands behind a fault: silence, causes that the filter suspects, or a line that keeps coming back."""
    ground = case.ground
    if _is_silent(case):
        return [_silent(case, ReasonCode.DARK if ground.dark[case.site] else ReasonCode.NO_DATA)]
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
    return [_line_reason(case, cause) for cause in suspects if cause in told][:MOST_REASONS]


def _outage_reason(case: Case, down: Outage) -> Reason:
    """An outage by its own times, whatever ailed the line before; of one that lasts, since when, where its beginning was seen."""
    since_ns: int | None = down.since_ns
    if down.until_ns is None and not case.ground.recent.present[case.site, case.path, : down.first].any():
        since_ns = int(case.ground.fault_since_ns[case.limit_set, case.site, case.path]) or None
    lasted_ns = (
        down.lost_ns if down.until_ns is not None else case.ground.now_ns - (since_ns or down.since_ns)
    )
    value = float(round(lasted_ns / SECOND_NS))
    return _reason(case, Cause.OUTAGE, value, since_ns, down.until_ns)


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
    return _reason(case, cause, value, since_ns or None)


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
    """A cause with the figure of the spell that broke the limit, and from when to when that was."""
    recent = case.ground.recent
    since_ns = int(recent.start_ns[breach.first])
    until_ns = int(recent.start_ns[breach.last]) + WINDOW_NS
    value = round(value_within(recent, case.site, case.path, cause, (breach.first, breach.last)), 5)
    return _reason(case, cause, value, since_ns, until_ns if breach.over else None)


def _figure(case: Case, cause: Cause, since_ns: int) -> float | None:
    recent, newest = case.ground.recent, int(case.ground.recent.newest[case.site, case.path])
    first = int(np.searchsorted(recent.start_ns, since_ns)) if since_ns else newest - 1
    return round(value_of(recent, case.site, case.path, cause, min(first, newest)), 5)


def _broke_lately(case: Case) -> bool:
    """Whether a window of the last day broke, or spells of an hour ago are counted."""
    day = max(case.newest_slot + 1 - DAY_NS // case.track.slot_ns, 0)
    broke = np.nan_to_num(case.track.broke[case.line, day : case.newest_slot + 1])
    return bool((broke > 0.0).any()) or bool(case.ground.relapses[case.site, case.path])


def _usual(case: Case, more: float) -> list[tuple[float, Reason]]:
    """What the meeting's hours and `more` bring on this line; nothing where they have hardly ever failed."""
    climate, meeting = case.ground.climate, case.rest
    cost = float(case.expectation.terms.usual[case.site]) + more
    if climate.hours_known(case.site, case.path) < LEAST_HOURS:
        return [(cost, Reason(code=ReasonCode.NO_HISTORY, path=case.path_name))]
    hours = hours_of_week_between(meeting.starts_ns, meeting.ends_ns, case.ground.zone)
    line = case.limit_set, case.site, case.path
    hour = hours[climate.fails[(*line, hours)].argmax()]
    chance = float(climate.fails[(*line, hour)])
    if chance < WORTH_TELLING:
        return []
    failed = int(climate.failed[(*line, hour)])
    weeks = int(climate.known[case.site, case.path, hour] - climate.open[(*line, hour)])
    record = (failed, weeks) if failed and weeks >= LEAST_WEEKS_TOLD else None
    reason = Reason(
        code=ReasonCode.USUAL_HOUR, value=round(chance, 4), unit="ratio", path=case.path_name, record=record
    )
    return [(cost, reason)]


def _peers(case: Case) -> list[tuple[float, Reason]]:
    """The share that is broken now, when any is, of those that the term goes by: the others of the same provider or to the same end."""
    ground, provider = case.ground, case.track.groups.get("provider")
    others = ground.heard[:, case.path].copy()
    others[case.site] = False
    broken = ground.condition.suspicion[case.limit_set, :, case.path] >= SUSPECT
    groups = [(others, Factor(FactorKind.END, case.path_name.partition(".")[2]))]
    if provider is not None and (own := provider[case.line]) >= 0:
        theirs = others & (provider[case.path :: len(ground.lines.paths)] == own)
        name = ground.providers[case.site] if ground.providers else ""
        groups.append((theirs, Factor(FactorKind.PROVIDER, name)))
    share, among = max(
        ((float(broken[group].mean()) if group.any() else 0.0, of) for group, of in groups),
        key=lambda each: each[0],
    )
    if share <= 0.0:
        return []
    reason = Reason(
        code=ReasonCode.SHARED_FAULT,
        value=round(share, 4),
        unit="ratio",
        path=case.path_name,
        among=among if among.name else None,
    )
    return [(float(case.expectation.terms.peers[case.site]), reason)]


def _capacity(case: Case) -> list[tuple[float, Reason]]:
    """The direction that falls shorter of what is needed, of a line that is registered as too slow."""
    cost = float(case.expectation.terms.capacity[case.site])
    if cost <= 0.0:
        return []
    up, down = (float(rate) for rate in case.ground.link_bps[case.site])
    need_up, need_down = case.profile.alarm.bitrate_up_bps, case.profile.alarm.bitrate_down_bps
    short_up, short_down = (need_up or 0.0) / max(up, 1.0), (need_down or 0.0) / max(down, 1.0)
    if np.isnan(down) or short_up >= short_down:
        return [(cost, Reason(code=ReasonCode.BITRATE_UP, value=up, limit=need_up, unit="bps"))]
    return [(cost, Reason(code=ReasonCode.BITRATE_DOWN, value=down, limit=need_down, unit="bps"))]


def _rehearsed(case: Case) -> list[tuple[float, Reason]]:
    """What the way that broke in the rehearsal carried, of what the profile needs."""
    broke = case.ground.rehearsed.get(case.occurrence.meeting.profile)
    cost = float(case.expectation.terms.rehearsal[case.site])
    if broke is None or not cost:
        return []
    at, alarm = (case.site, case.path), case.profile.alarm
    down, got = bool(broke.is_down[at]), float(broke.got_bps[at])
    reason = Reason(
        code=ReasonCode.REHEARSAL_DOWN if down else ReasonCode.REHEARSAL_UP,
        value=None if np.isnan(got) else round(got),
        limit=alarm.bitrate_down_bps if down else alarm.bitrate_up_bps,
        unit="bps",
        path=case.path_name,
        since_ns=int(broke.began_ns[at]),
    )
    return [(cost, reason)]


def _silent(case: Case, code: ReasonCode) -> Reason:
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
