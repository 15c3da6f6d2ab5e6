"""Conditions from what the analysis says: verdicts of coming meetings, open incidents, offices without contact.

All of it is said of live data (late data mends the history only), so nothing that was back-filled ever becomes a condition.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from alerts.condition import Condition
from alerts.expected import Announced
from alerts.quiet import MINUTE_NS
from analytics.shared.tail import STRAIN, is_of_before
from analytics.shared.told import explains, may_explain
from config.sites import SiteStatus
from telemetry.alerting import Kind
from telemetry.decisions import Action, FactorKind, ReasonCode, State

if TYPE_CHECKING:
    from alerts.sight import Sight
    from config.config import Config
    from config.meetings import Occurrence
    from telemetry.alerting import Alert
    from telemetry.decisions import Flag, Incident, Reason, Verdict

_MENDED_AT_THE_OFFICE: Final = frozenset({Action.SWITCH_ON_DEVICE})
"""What an in-charge can mend whoever else has a fault: of that it is told, and never that there is nothing to do."""
_KINDS: Final = {ReasonCode.DARK: Kind.DARK, ReasonCode.ROOM_DEVICE: Kind.ROOM_DEVICE}


def conditions(sight: Sight, config: Config, now_ns: int) -> dict[str, Condition]:
    """By subject, everything that is wrong now and concerns somebody; times in ns since the Unix epoch."""
    return _Finder(sight, config, now_ns).all()


def reach_ns(config: Config) -> int:
    """How far ahead meetings are looked at: as far as the longest-sighted rung."""
    return int(max(rung.from_min for rung in config.settings.alerts.ladder) * MINUTE_NS)


class Meetings:
    """Finds occurrences by their identity, each once."""

    def __init__(self, config: Config) -> None:
        self._calendar = config.calendar
        self._found: dict[tuple[str, int, int], tuple[Occurrence | None, frozenset[str]]] = {}

    def find(self, meeting: str, occurrence_ns: int, near_ns: int, site: str) -> Occurrence | None:
        """The occurrence, when it takes place and the office is invited."""
        key = (meeting, occurrence_ns, near_ns)
        if key not in self._found:
            found = self._calendar.find(*key)
            self._found[key] = (found, frozenset(found.meeting.invited) if found else frozenset())
        found, invited = self._found[key]
        return found if site in invited else None


class _Finder:
    def __init__(self, sight: Sight, config: Config, now_ns: int) -> None:
        self._sight = sight
        self._config = config
        self._settings = config.settings.alerts
        self._now_ns = now_ns
        self._standing = {alert.subject for alert in sight.open}
        troubles = (*sight.recent, *sight.open)
        self._last = {one.site: one for one in troubles if one.fired_ns or one.kind is Kind.NOT_YOUR_LINE}
        """By office, the last trouble that was told or laid to a shared fault, with whatever meeting; it may be over for up to an hour."""
        self._waiting = {alert.site for alert in sight.open if any(one.lasts for one in alert.owed)}
        """Offices of whose silence somebody was told who has not heard yet that it is over."""
        self._ended = {one.id: one for one in sight.ended}
        self._announced = Announced(config.works, now_ns)
        self._meetings = Meetings(config)
        self._severe = {(flag.site, flag.path) for flag in sight.flags if flag.severe}
        self._incidents: dict[str, list[Incident]] = {}
        """By office, what its trouble may be laid to: that nobody here hears it hits no line and no meeting."""
        for incident in (one for one in sight.incidents if one.factor.kind is not FactorKind.HUB):
            for site in incident.sites:
                self._incidents.setdefault(site, []).append(incident)

    def all(self) -> dict[str, Condition]:
        found: dict[str, Condition] = {}
        near: set[str] = set()
        for verdict in self._sight.flagged:  # the next meeting first: of each office only that is told of
            one = self._of_verdict(verdict) if verdict.site not in near else None
            if one is not None:
                found[one.subject] = one
            if one is not None and (not one.muted or one.subject in self._standing):
                near.add(one.site)
        rest = [self._of_incident(incident) for incident in self._sight.incidents]
        rest += [self._of_silence(flag) for flag in self._sight.flags if flag.site not in near]
        return found | {one.subject: one for one in rest if one is not None}

    def _of_verdict(self, verdict: Verdict) -> Condition | None:
        if not self._is_linked(verdict.site):
            return None
        occurrence = self._meetings.find(
            verdict.meeting, verdict.occurrence_ns, verdict.starts_ns, verdict.site
        )
        if occurrence is None or not self._is_near(occurrence):
            return None
        reason, end = _first_reason(verdict), occurrence.meeting.end
        is_own = verdict.action in _MENDED_AT_THE_OFFICE
        incident = None if is_own else self._incident_of_verdict(verdict, end)
        kind, concerns = _kind_of(verdict), self._concerns(verdict, occurrence)
        begins_nothing = self._is_explained(verdict, occurrence) or (
            incident is None and self._is_its_tail(verdict)
        )
        return Condition(
            subject=f"site:{verdict.site}/{verdict.meeting}/{verdict.occurrence_ns}",
            kind=kind if incident is None else Kind.NOT_YOUR_LINE,
            since_ns=self._since(reason.since_ns if reason is not None else None, verdict.issued_ns),
            site=verdict.site,
            incident=incident.id if incident is not None else "",
            meeting=verdict.meeting,
            occurrence_ns=verdict.occurrence_ns,
            starts_ns=occurrence.starts_ns,
            ends_ns=occurrence.ends_ns,
            reason=reason,
            action=verdict.action if incident is None else Action.NONE,
            probability=verdict.probability,
            severe=kind is Kind.DARK or (verdict.site, verdict.path) in self._severe,
            factor=incident.factor if incident is not None else None,
            sites=(verdict.site,),
            may_be_shared=incident is None and not is_own and self._may_be_shared(verdict, end),
            muted=begins_nothing or not concerns,
            is_mild=not begins_nothing and not concerns,
        )

    def _is_explained(self, verdict: Verdict, occurrence: Occurrence) -> bool:
        """Whether it begins nothing by itself: it was announced, or it is we who hear nothing."""
        span_ns, reason = (occurrence.starts_ns, occurrence.ends_ns), _first_reason(verdict)
        return (
            (reason is not None and reason.code is ReasonCode.PLANNED)
            or _is_our_deafness(reason)
            or self._announced.explains(verdict.site, occurrence.meeting.end, span_ns)
        )

    def _is_its_tail(self, verdict: Verdict) -> bool:
        """Whether an office that was told that it is not its line is well now, and only what the shared fault has left behind speaks against it.

        That it stands near a limit still is no trouble beside what is over. It goes by office: the same fault weighs on every meeting of it.
        What began after that was over is its own; of what has no time nobody knows, so it counts while that alert is open, and no longer.
        """
        last = self._last.get(verdict.site)
        reason = next((one for one in verdict.reasons if one.code not in STRAIN), None)
        if last is None or last.kind is not Kind.NOT_YOUR_LINE or reason is None or not _is_over(reason):
            return False
        over_ns = self._over_ns(last)
        if over_ns is None:
            return True
        has_time = reason.since_ns is not None or reason.until_ns is not None
        return is_of_before(over_ns, reason) if has_time else last.resolved_ns is None

    def _over_ns(self, alert: Alert) -> int | None:
        """When a shared fault was over for an office that was told of it: with the fault, or before; None while it lasts."""
        fault = self._ended.get(alert.incident)
        times = (alert.ended_ns, fault.until_ns if fault is not None else None)
        return min((at_ns for at_ns in times if at_ns is not None), default=None)

    def _concerns(self, verdict: Verdict, occurrence: Occurrence) -> bool:
        """Whether anybody is told of a verdict like this so long before the start; other ones only keep up what was told."""
        left_ns = occurrence.starts_ns - self._now_ns
        if verdict.state is State.AT_RISK:
            return left_ns <= self._settings.at_risk_min * MINUTE_NS and self._settings.at_risk_min > 0
        return verdict.state is State.NOT_READY

    def _is_near(self, occurrence: Occurrence) -> bool:
        """It is not over, and starts soon enough for somebody to be told."""
        return occurrence.ends_ns > self._now_ns and occurrence.starts_ns - self._now_ns <= reach_ns(
            self._config
        )

    def _of_incident(self, incident: Incident) -> Condition | None:
        factor = incident.factor
        end = factor.name if factor.kind is FactorKind.END else ""
        sites = tuple(site for site in incident.sites if self._is_linked(site))
        if not sites:
            return None
        coming = self._next_meeting(frozenset(sites), end)
        return Condition(
            subject=f"incident:{incident.id}",
            kind=Kind.HEADQUARTERS if factor.is_headquarters else Kind.SHARED,
            since_ns=incident.since_ns,
            incident=incident.id,
            meeting=coming.meeting.uid if coming else "",
            occurrence_ns=coming.recurrence_ns if coming else None,
            starts_ns=coming.starts_ns if coming else None,
            ends_ns=coming.ends_ns if coming else None,
            factor=factor,
            sites=sites,
            severe=True,  # several offices at once have been seen already, and weighed
            muted=all(self._announced.explains(site, end) for site in sites),
        )

    def _next_meeting(self, sites: frozenset[str], end: str) -> Occurrence | None:
        """The first meeting soon that it threatens.

        With an `end` any that is held there, for who is invited may be spared only so far; else one to which one of the offices is invited.
        """
        until_ns = self._now_ns + int(self._settings.warning_min * MINUTE_NS)
        for occurrence in self._config.calendar.occurrences(self._now_ns, max(until_ns, self._now_ns + 1)):
            meeting = occurrence.meeting
            if meeting.end == end if end else not sites.isdisjoint(meeting.invited):
                return occurrence
        return None

    def _of_silence(self, flag: Flag) -> Condition | None:
        """An office of which nothing is heard, and no meeting near for whose sake it is told of."""
        is_down = self._now_ns - flag.since_ns >= int(self._settings.down_after_min * MINUTE_NS)
        if (
            flag.reason.code is not ReasonCode.DARK
            or not (is_down or flag.site in self._waiting)
            or not self._is_linked(flag.site)
        ):
            return None
        incident = self._explaining(flag.site, "", "", flag.reason)
        return Condition(
            subject=f"site:{flag.site}",
            kind=Kind.DOWN if incident is None else Kind.NOT_YOUR_LINE,
            since_ns=flag.since_ns,
            site=flag.site,
            incident=incident.id if incident is not None else "",
            reason=flag.reason,
            action=Action.CHECK_POWER if incident is None else Action.NONE,
            factor=incident.factor if incident is not None else None,
            begins=is_down and incident is None,  # silent anew, not for long: no trouble yet, no all-clear
            severe=True,
            sites=(flag.site,),
            muted=self._announced.explains(flag.site),
        )

    def _incident_of_verdict(self, verdict: Verdict, end: str) -> Incident | None:
        """The incident that explains an office's trouble with a meeting at this end: the one that its verdict names, while that lasts."""
        told = _first_reason(verdict)
        if told is not None and told.factor is not None:
            for incident in self._incidents.get(verdict.site, ()):
                if incident.factor == told.factor:
                    return incident
        own = next((reason for reason in verdict.reasons if reason.factor is None), None)
        return self._explaining(verdict.site, verdict.path.partition(".")[0], end, own)

    def _may_be_shared(self, verdict: Verdict, end: str) -> bool:
        """Whether a fault that others share may prove to be behind an office's trouble now."""
        site = self._config.registry.by_id[verdict.site]
        path = f"{verdict.path.partition('.')[0]}.{end}"
        listed = {one.id for one in self._incidents.get(verdict.site, ())}
        others = [one for one in self._sight.incidents if one.id not in listed]
        return any(
            may_explain(others, site, path, one.code, self._since(one.since_ns, verdict.issued_ns))
            for one in verdict.reasons
            if one.until_ns is None
        )

    def _explaining(self, site: str, uplink: str, end: str, reason: Reason | None) -> Incident | None:
        code, since_ns = (None, None) if reason is None else (reason.code, reason.since_ns)
        return explains(self._incidents.get(site, ()), site, uplink, end, code, since_ns)

    def _is_linked(self, site: str) -> bool:
        found = self._config.registry.by_id.get(site)
        return found is not None and found.status is SiteStatus.LINKED

    def _since(self, since_ns: int | None, issued_ns: int) -> int:
        return min(since_ns if since_ns is not None else issued_ns, self._now_ns)


def _first_reason(verdict: Verdict) -> Reason | None:
    return verdict.reasons[0] if verdict.reasons else None


def _kind_of(verdict: Verdict) -> Kind:
    """What is wrong, by its first reason where that names another trouble than the line's."""
    reason = _first_reason(verdict)
    of_a_line = Kind.AT_RISK if verdict.state is State.AT_RISK else Kind.NOT_READY
    return of_a_line if reason is None else _KINDS.get(reason.code, of_a_line)


def _is_our_deafness(reason: Reason | None) -> bool:
    """Nothing is known of the office, because headquarters takes nothing in: what was said of its line before stands."""
    return reason is not None and reason.factor is not None and reason.factor.kind is FactorKind.HUB


def _is_over(reason: Reason) -> bool:
    """Whether it tells of what was, and the newest windows hold."""
    return reason.until_ns is not None or reason.code is ReasonCode.RECENT_FAULT
