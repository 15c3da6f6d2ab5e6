"""What is being done about the offices of a meeting that comes: of each the alert that says so, and who of its people has heard."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from telemetry.alerting import INCIDENTS, AlertState, Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

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


def doing(state: StateDb, occurrence: Occurrence, verdicts: Mapping[str, Verdict | None]) -> dict[str, Doing]:
    """By office, what is being done; an office that nothing is done about is left out. `verdicts`: by office that is asked about, what is said of it.

    Raises:
        StateError: the state database cannot be read.
    """
    alerts = _Alerts(occurrence, [alert for alert in state.open_alerts() if alert.state in _SAID])
    chosen = {site: alerts.of(site, verdict) for site, verdict in verdicts.items()}
    named = {one.id: one for one in chosen.values() if one is not None}  # offices share one
    told = {id_: _told(one, state.messages_of(id_)) for id_, one in named.items()}
    return {site: told[alert.id] for site, alert in chosen.items() if alert is not None}


class _Alerts:
    """The alerts that may be about an office of one meeting, by office and by shared fault: an outage of thousands is looked through once."""

    def __init__(self, occurrence: Occurrence, alerts: Iterable[Alert]) -> None:
        self._meeting = occurrence.meeting.uid, occurrence.recurrence_ns
        self._by_site: defaultdict[str, list[Alert]] = defaultdict(list)
        self._by_factor: defaultdict[Factor, list[Alert]] = defaultdict(list)
        for alert in alerts:
            if alert.site and not self._is_of_this(alert) and alert.kind is not Kind.DOWN:
                continue
            for site in {alert.site} if alert.site else set(alert.sites):
                self._by_site[site].append(alert)
            if alert.factor is not None and alert.kind in INCIDENTS:
                self._by_factor[alert.factor].append(alert)

    def of(self, site: str, verdict: Verdict | None) -> Alert | None:
        """The alert of the fault that the verdict names, whichever of its offices that lists by now; else the office's own for this meeting, else one that is about it at large, or a fault it shares.

        One of which somebody was told goes before one that is kept back: what an office shares is told once, for all of them.
        """
        factor = verdict.reasons[0].factor if verdict is not None and verdict.reasons else None
        its_fault = self._by_factor.get(factor, []) if factor is not None else []
        at_large = [each for each in self._by_site.get(site, []) if _may_be_of(each, factor)]
        return max(its_fault or at_large, key=self._rank, default=None)

    def _rank(self, alert: Alert) -> tuple[bool, bool, bool]:
        is_known = bool(alert.told) or alert.state is AlertState.ACKNOWLEDGED
        return is_known, self._is_of_this(alert), bool(alert.site)

    def _is_of_this(self, alert: Alert) -> bool:
        return (alert.meeting, alert.occurrence_ns) == self._meeting


def _may_be_of(alert: Alert, factor: Factor | None) -> bool:
    """Whether an alert of the office may be what ails it; where its fault is named, no other fault's."""
    return bool(alert.site) or factor is None or alert.factor in {None, factor}


def _told(alert: Alert, messages: Iterable[OutboxRow]) -> Doing:
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
    return Doing(alert, tuple(heard), tuple(wait), tuple(given_up))
