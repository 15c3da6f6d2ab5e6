"""What is being done about the offices of a meeting that comes: of each the alert that says so, and who of its people has heard."""

from __future__ import annotations

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
    chosen = {site: _alert_of(site, verdict, alerts, over, occurrence) for site, verdict in verdicts.items()}
    named = {one.id: one for one in chosen.values() if one is not None}  # offices share one
    told = {id_: _told(one, state.messages_of(id_), occurrence) for id_, one in named.items()}
    return {site: told[alert.id] for site, alert in chosen.items() if alert is not None}


def _is_over(state: StateDb, alert: Alert) -> bool:
    """Whether the shared fault itself is over; its alert stands on until it has been well for a while."""
    fault = state.incident(alert.incident)
    return fault is not None and fault.until_ns is not None


def _alert_of(
    site: str,
    verdict: Verdict | None,
    alerts: Iterable[Alert],
    over: Container[str],
    occurrence: Occurrence,
) -> Alert | None:
    """The alert of the fault that the verdict names; else the office's own for this meeting, else one that is about it at large, or a fault it shares.

    One of which somebody was told goes before one that is kept back: what an office shares is told once, for all of them. Where there is
    none of these, the office's own with another meeting in mind: its people know of it. A shared fault that is `over` (ids of alerts)
    explains nothing that the verdict does not lay to it.
    """
    factor = verdict.reasons[0].factor if verdict is not None and verdict.reasons else None
    found: Alert | None = None
    best = (False, False, False, False)
    for alert in alerts:
        is_of_this = _is_about(alert, occurrence)
        is_its_fault = _is_of(factor, alert)
        if not (is_its_fault or _may_be_of(site, alert, factor)):
            continue
        if not is_its_fault and (alert.id in over or _is_of_another_end(alert, occurrence)):
            continue
        is_of_another = bool(alert.site) and not is_of_this and alert.kind is not Kind.DOWN
        if is_of_another and alert.kind is Kind.NOT_YOUR_LINE:
            continue  # they heard that it is nothing of theirs
        is_known = bool(alert.told) or alert.state is AlertState.ACKNOWLEDGED
        rank = is_its_fault, is_known, is_of_this, bool(alert.site)
        if found is None or rank > best:
            found, best = alert, rank
    return found


def _is_about(alert: Alert, occurrence: Occurrence) -> bool:
    return (alert.meeting, alert.occurrence_ns) == (occurrence.meeting.uid, occurrence.recurrence_ns)


def _is_of(factor: Factor | None, alert: Alert) -> bool:
    """Whether it is the shared fault's own alert, whichever of its offices that lists by now."""
    return factor is not None and alert.kind in INCIDENTS and alert.factor == factor


def _is_of_another_end(alert: Alert, occurrence: Occurrence) -> bool:
    """Whether it is the fault of a headquarters that the meeting does not connect to."""
    factor = alert.factor
    return factor is not None and factor.kind is FactorKind.END and factor.name != occurrence.meeting.end


def _may_be_of(site: str, alert: Alert, factor: Factor | None) -> bool:
    """Whether it is about the office; of an office whose fault is named, no other fault's."""
    if alert.site:
        return alert.site == site
    return site in alert.sites and (factor is None or alert.factor in {None, factor})


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
