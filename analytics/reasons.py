"""Why: the model's own terms as reasons, worst first. Nothing is told that cost no probability.

That a line is silent or dark now is told where it weighs, as any other reason; `verdicts.what_is_first` puts it in front then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analytics.ground import Standing
from analytics.hours import hours_of_week_between
from analytics.line_faults import fault_reasons, fault_weight, is_silent, silence
from analytics.others import others_broken
from analytics.strained import strained
from analytics.works import announced, planned, works_now
from telemetry.decisions import READY_FROM, Reason, ReasonCode
from telemetry.windows import DAY_NS, SECOND_NS

if TYPE_CHECKING:
    from analytics.case import Case

MOST_REASONS: Final = 3
WORTH_TELLING: Final = 0.03
"""A term that costs less probability is no reason."""
LEAST_HOURS: Final = 8
"""With fewer hours of history a line's usual trouble is the prior's, not its own."""
LEAST_WEEKS_TOLD: Final = 2
"""From so many known weeks on an hour's own record is told; before, and where it never failed itself, the chance."""


def reasons(case: Case) -> tuple[Reason, ...]:
    """Reasons of a case, at least one; when it is ready none but that works or a holiday were announced."""
    if case.standing is Standing.READY:
        return announced(case)
    alone = _without_number(case)
    if alone or case.probability is None:
        return alone or (silence(case, ReasonCode.NO_DATA),)  # whoever is heard has a number
    missing = _missing(case)
    if missing and case.probability >= READY_FROM:
        return tuple(missing)
    if not case.has_ever_reported:
        return (*missing, *_never_measured(case))[:MOST_REASONS]
    if case.is_not_believed:  # whoever reads it shall see that the probe claims to be the cause
        claim = Reason(code=ReasonCode.PROBE_FAULT, path=case.path_name)
        return (*(*missing, *_of_the_line(case))[: MOST_REASONS - 1], claim)
    return (*missing, *_of_the_line(case))[:MOST_REASONS]


def works_go_on(case: Case) -> bool:
    """Whether the line has fallen silent while works go on that were announced and reach into the meeting: nobody need look at the router then."""
    return case.path >= 0 and is_silent(case) and bool(works_now(case))


def _without_number(case: Case) -> tuple[Reason, ...]:
    """Why nothing more is known of an office; none where there is a number to explain."""
    if not case.ground.linked[case.site]:
        return (Reason(code=ReasonCode.NOT_LINKED),)
    if case.ground.dark[case.site] and case.probability is None:
        return (*works_now(case), silence(case, ReasonCode.DARK))
    if case.is_explained and case.standing is Standing.UNKNOWN:
        return (Reason(code=ReasonCode.PROBE_FAULT, path=case.path_name),)
    if case.path < 0:
        return (Reason(code=ReasonCode.NO_DATA),)
    return ()


def _never_measured(case: Case) -> tuple[Reason, ...]:
    """That nothing was ever measured: the number is borrowed of the office's groups, and says nothing of its own line."""
    code = ReasonCode.DARK if case.ground.dark[case.site] else ReasonCode.NO_DATA
    return (*works_now(case), silence(case, code))


def _of_the_line(case: Case) -> tuple[Reason, ...]:
    """Why the line itself is expected to fail."""
    faults, cost = fault_reasons(case), fault_weight(case)
    is_told_broken = any(_lasts(each) for each in faults)
    is_habit = not (case.is_just_back or _broke_lately(case))
    if faults[0].code is ReasonCode.RECENT_FAULT and is_habit:
        faults, usual = [], _usual(case, cost)
    else:
        usual = _usual(case, 0.0)
    weighed = [
        *((cost, each) for each in faults),
        *usual,
        *strained(case, is_told_broken=is_told_broken),
        *others_broken(case),
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


def _lasts(fault: Reason) -> bool:
    """Whether a fault of the line, or its silence, is told as one of now; what comes and goes may be well now."""
    comes_and_goes = fault.code in (ReasonCode.FLAPPING, ReasonCode.RECENT_FAULT)
    return fault.since_ns is not None and fault.until_ns is None and not comes_and_goes


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
