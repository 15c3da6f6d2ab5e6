"""What is being done about the offices of a meeting that comes: of each the alert that says so, and who of its people has heard."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from telemetry.alerting import INCIDENTS, AlertState, Kind
from telemetry.decisions import FactorKind

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping

    from config.meetings import Occurrence
    from telemetry.alerting import Alert
    from telemetry.decisions import Factor, Verdict
    from telemetry.state.db import StateDb
    from telemetry.state.outbox import OutboxRow

_SAID: Final = frozenset({AlertState.FIRING, AlertState.ACKNOWLEDGED})


@dataclass(frozen=True, slots=True)
class Doing:
    """An alert, and what has become of its messages: whom it was decided to tell is not who has heard."""

    alert: Alert
    heard: tuple[str, ...] = ()
    """Ids of the people who were sent something."""
    wait: tuple[str, ...] = ()
    """Of those whose message is not sent yet."""
    given_up: tuple[str, ...] = ()
    """Of those whose message was given up."""
    of_another: bool = False
    """They heard of the office's trouble with another meeting in mind: an office has one alert, about the first meeting in danger."""


def doing(state: StateDb, occurrence: Occurrence, verdicts: Mapping[str, Verdict | None]) -> dict[str, Doing]:
    """By office, what is being done; an office that nothing is done about is left out. `verdicts`: by office that is asked about, what is said of it.

    Raises:
        StateError: the state database cannot be read.
    """
    alerts = [alert for alert in state.open_alerts() if alert.state in _SAID]
    over = {alert.id for alert in alerts if alert.kind in INCIDENTS and _is_over(state, alert)}
    about = _Alerts(occurrence, alerts, over)
    chosen = {site: about.of(site, verdict) for site, verdict in verdicts.items()}
    named = {one.id: one for one in chosen.values() if one is not None}  # offices share one
    told = {id_: _told(one, state.messages_of(id_), occurrence) for id_, one in named.items()}
    return {site: told[alert.id] for site, alert in chosen.items() if alert is not None}


def _is_over(state: StateDb, alert: Alert) -> bool:
    """Whether the shared fault itself is over; its alert stands on until it has been well for a while."""
    fault = state.incident(alert.incident)
    return fault is not None and fault.until_ns is not None


class _Alerts:
    """The alerts that may be about an office of one meeting, by office and by shared fault: an outage of thousands is looked through once."""

    def __init__(self, occurrence: Occurrence, alerts: Iterable[Alert], over: Container[str]) -> None:
        """`over`: ids of alerts whose shared fault is over; it explains nothing that the verdict does not lay to it."""
        self._occurrence = occurrence
        self._by_site: defaultdict[str, list[Alert]] = defaultdict(list)
        self._by_factor: defaultdict[Factor, list[Alert]] = defaultdict(list)
        for alert in alerts:
            if alert.factor is not None and alert.kind in INCIDENTS:
                self._by_factor[alert.factor].append(alert)
            if alert.id in over or _is_of_another_end(alert, occurrence):
                continue
            if alert.site and alert.kind is Kind.NOT_YOUR_LINE and not _is_about(alert, occurrence):
                continue  # they heard that it is nothing of theirs
            for site in {alert.site} if alert.site else set(alert.sites):
                self._by_site[site].append(alert)

    def of(self, site: str, verdict: Verdict | None) -> Alert | None:
        """The alert of the fault that the verdict names, whichever of its offices that lists by now; else what may be about the office.

        One of which somebody was told goes before one that is kept back: what an office shares is told once, for all of them. Then one about this
        meeting goes before one about another, of which its people know all the same; then the office's own before a fault that it shares.
        """
        factor = verdict.reasons[0].factor if verdict is not None and verdict.reasons else None
        its_fault = self._by_factor.get(factor, []) if factor is not None else []
        at_large = [each for each in self._by_site.get(site, []) if _may_be_of(each, factor)]
        return max(its_fault or at_large, key=self._rank, default=None)

    def _rank(self, alert: Alert) -> tuple[bool, bool, bool]:
        is_known = bool(alert.told) or alert.state is AlertState.ACKNOWLEDGED
        return is_known, _is_about(alert, self._occurrence), bool(alert.site)


def _is_about(alert: Alert, occurrence: Occurrence) -> bool:
    return (alert.meeting, alert.occurrence_ns) == (occurrence.meeting.uid, occurrence.recurrence_ns)


def _is_of_another_end(alert: Alert, occurrence: Occurrence) -> bool:
    """Whether it is the fault of a headquarters that the meeting does not connect to."""
    factor = alert.factor
    return factor is not None and factor.kind is FactorKind.END and factor.name != occurrence.meeting.end


def _may_be_of(alert: Alert, factor: Factor | None) -> bool:
    """Whether an alert of the office may be what ails it; where its fault is named, no other fault's."""
    return bool(alert.site) or factor is None or alert.factor in {None, factor}


def _told(alert: Alert, messages: Iterable[OutboxRow], occurrence: Occurrence) -> Doing:
    """Who of those who were to be told has been: a person without any message on record had it before records were let go."""
    of: dict[str, list[OutboxRow]] = {}
    for message in messages:
        of.setdefault(message.person, []).append(message)
    wait: list[str] = []
    given_up: list[str] = []
    for person in alert.told:
        theirs = of.get(person, ())
        if not theirs or any(one.sent_ns is not None for one in theirs):
            continue
        (given_up if all(one.dead_ns is not None for one in theirs) else wait).append(person)
    heard = [one for one in alert.told if one not in wait and one not in given_up]
    of_another = bool(alert.site) and alert.starts_ns is not None and not _is_about(alert, occurrence)
    return Doing(alert, tuple(heard), tuple(wait), tuple(given_up), of_another)
