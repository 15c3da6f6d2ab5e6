"""What follows for people from an alert as it stands: who is to be told which step of it now."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct, structs

from alerts.facts import Audience
from alerts.ladder import wait_ns
from alerts.laid import is_wrong_now, with_laid
from alerts.quiet import MINUTE_NS, is_quiet, quiet_until_ns
from config.people import Person, Role
from telemetry.alerting import Alert, Kind, Owed, Severity, Step
from telemetry.windows import SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Container, Iterable
    from zoneinfo import ZoneInfo

    from alerts.ladder import Ladder
    from config.alert_settings import Alerts, Rung

_AUDIENCES = {Role.IN_CHARGE: Audience.IN_CHARGE, Role.REGIONAL: Audience.REGIONAL}


def owing(alert: Alert) -> tuple[Owed, ...]:
    """All who have heard of an office's trouble and not yet that it is over, each once for each alert."""
    lasts = alert.occurrence_ns is None
    own = (Owed(person, alert.id, lasts) for person in (*alert.told, *alert.eased))
    return tuple(dict.fromkeys((*own, *alert.owed)))


def without_meeting(alert: Alert) -> Alert:
    """What is left of an office's alert when its meeting is over or cancelled: the words owed to those who were told with no meeting in mind."""
    return structs.replace(
        alert,
        kind=Kind.DOWN,
        severity=Severity.NOTICE,
        meeting="",
        occurrence_ns=None,
        starts_ns=None,
        ends_ns=None,
        told=(),
        eased=(),
        owed=tuple(one for one in owing(alert) if one.lasts),
    )


class Telling(Struct, frozen=True, kw_only=True):
    """One message that is to be written: of which alert, to whom, which step."""

    alert: Alert
    person: Person
    step: Step
    kind: Kind
    """Of the message; of somebody who was told of the office's own trouble it stays that."""
    key: str
    due_ns: int
    urgent: bool = False
    unanswered: tuple[Person, ...] = ()
    """Who has not acknowledged, of an escalation."""

    @property
    def audience(self) -> Audience:
        """How it is said."""
        return _AUDIENCES.get(self.person.role, Audience.NOC)


class Told(NamedTuple):
    """The alert after telling, and what was told."""

    alert: Alert
    tellings: tuple[Telling, ...] = ()


class Teller:
    """Decides at one time, with one configuration."""

    def __init__(
        self, ladder: Ladder, settings: Alerts, zone: ZoneInfo, now_ns: int, *, over: Container[str] = ()
    ) -> None:
        """`over`: ids of incidents that are."""
        self._over = over
        self._ladder = ladder
        self._settings = settings
        self._zone = zone
        self._now_ns = now_ns

    def tell(self, alert: Alert) -> Told:
        """What is to be told now of an alert that fires, and the alert with that noted on it."""
        if alert.kind is Kind.NOT_YOUR_LINE:
            return self._ease(alert)
        climbed = self._climb(alert)
        if climbed.tellings:
            return climbed
        return self._remind(climbed.alert)

    def worse(self, alert: Alert) -> Told:
        """Everybody who was told hears that it has got worse."""
        people = [person for person in self._people(alert.told) if self._hears(person, alert)]
        tellings = [self._telling(alert, person, Step.WORSE) for person in people]
        return self._said(alert, tellings)

    def correct(self, alert: Alert) -> Told:
        """The in-charges hear that what they were told to do no longer helps; nobody else was told what to do."""
        people = [
            person
            for person in self._people(alert.told)
            if person.role is Role.IN_CHARGE and self._hears(person, alert)
        ]
        tellings = [self._telling(alert, person, Step.WORSE, alert.action.value) for person in people]
        return self._said(alert, tellings) if tellings else Told(alert)

    def over(self, alert: Alert) -> tuple[Telling, ...]:
        """The all-clear, to those alone who were told; in quiet hours it waits for their end."""
        people = self._people(dict.fromkeys(one.person for one in owing(alert)))
        return tuple(filter(None, (self._all_clear(alert, person) for person in people)))

    def _all_clear(self, alert: Alert, person: Person) -> Telling | None:
        due_ns = self._now_ns
        if alert.severity is not Severity.URGENT:
            due_ns = quiet_until_ns(person, self._now_ns, self._zone)
            if alert.ends_ns is not None and due_ns >= alert.ends_ns:
                return None
        kind = alert.kind
        if person.id in alert.eased:
            kind = Kind.NOT_YOUR_LINE
        elif kind is Kind.NOT_YOUR_LINE:
            kind = Kind.NOT_READY if alert.starts_ns is not None else Kind.DOWN
        return self._telling(alert, person, Step.RESOLVED, kind=kind, due_ns=due_ns)

    def _climb(self, alert: Alert) -> Told:
        """The next rung that is due, or whoever on a rung below it could not be told at its time.

        A rung on which nobody can be reached gives its place to the one above; one on which all are in their quiet hours
        does not hold up those who are awake, and is told when it is day.
        """
        below: list[Person] = []
        waited: Rung | None = None
        reach_min = 0.0
        for number, rung in enumerate(self._ladder.rungs_of(alert), 1):
            people = self._ladder.people(Role(rung.role), *alert.sites)
            reach_min = max(reach_min, rung.from_min)
            if not people:
                continue
            is_next = number > alert.rung
            if is_next and not self._is_due(alert, reach_min, waited):
                break
            new = [one for one in people if one.id not in alert.told and self._hears(one, alert)]
            told = [one for one in people if one.id in alert.told]
            if is_next and (new or told):
                alert = structs.replace(alert, rung=number, rung_ns=self._now_ns)
            if new:
                return self._said(alert, [self._first(alert, one, below) for one in new])
            if told:
                below, waited = told, rung
            reach_min = 0.0
        return Told(alert)

    def _first(self, alert: Alert, person: Person, below: list[Person]) -> Telling:
        """The first that somebody hears of an alert."""
        step = Step.ESCALATED if below else Step.RAISED
        return self._telling(alert, person, step, unanswered=tuple(below))

    def _is_due(self, alert: Alert, reach_min: float, waited: Rung | None) -> bool:
        """Whether the next rung is to be told now: the meeting is near enough, and the rung below has had its time."""
        if alert.starts_ns is not None and alert.starts_ns - self._now_ns > reach_min * MINUTE_NS:
            return False
        if waited is None or alert.rung_ns is None:
            return True
        return self._now_ns - alert.rung_ns >= wait_ns(waited, alert.severity)

    def _remind(self, alert: Alert) -> Told:
        """A reminder at its time before the start, unless something was said shortly before."""
        if alert.starts_ns is None or self._now_ns >= alert.starts_ns or alert.said_ns is None:
            return Told(alert)
        gap_ns = int(self._settings.reminder_gap_min * MINUTE_NS)
        tellings: list[Telling] = []
        for rung in self._ladder.rungs_of(alert)[: alert.rung]:
            times = [alert.starts_ns - int(minutes * MINUTE_NS) for minutes in rung.reminders_min]
            passed = [at_ns for at_ns in times if at_ns <= self._now_ns]
            if not passed or max(passed) - alert.said_ns < max(gap_ns, 1):
                continue
            tag = f"{(alert.starts_ns - max(passed)) // MINUTE_NS}@{alert.starts_ns // SECOND_NS}"
            people = self._ladder.people(Role(rung.role), *alert.sites)
            tellings += [
                self._telling(alert, one, Step.REMINDED, tag)
                for one in people
                if one.id in alert.told and self._hears(one, alert)
            ]
        return self._said(alert, tellings) if tellings else Told(alert)

    def _ease(self, alert: Alert) -> Told:
        """In-charges hear that it is not their line: when the meeting is near, or when they were told otherwise before.

        Whoever was told of a fault that it is no longer hears of the one that it is.
        """
        near_ns = int(self._settings.not_your_line_min * MINUTE_NS)
        is_near = alert.starts_ns is not None and alert.starts_ns - self._now_ns <= near_ns
        concerned = [
            one
            for one in self._ladder.people(Role.IN_CHARGE, *alert.sites)
            if (is_near or one.id in alert.told) and self._hears(one, alert)
        ]
        new = [one for one in concerned if one.id not in alert.eased]
        misled = [one for one in concerned if one not in new and is_wrong_now(alert, one.id, self._over)]
        if not (new or misled):
            return Told(alert)
        again = f"not-yours@{self._now_ns // SECOND_NS}"
        tellings = [self._telling(alert, one, Step.RAISED, "not-yours") for one in new]
        tellings += [self._telling(alert, one, Step.RAISED, again) for one in misled]
        people = [one.person.id for one in tellings]
        said = structs.replace(
            alert,
            eased=tuple(dict.fromkeys((*alert.eased, *people))),
            laid=with_laid(alert, people, self._now_ns),
            said_ns=self._now_ns,
        )
        return Told(said, tuple(tellings))

    def _hears(self, person: Person, alert: Alert) -> bool:
        return alert.severity is Severity.URGENT or not is_quiet(person, self._now_ns, self._zone)

    def _people(self, ids: Iterable[str]) -> list[Person]:
        """Those of them who are still there and can be reached."""
        found = [self._ladder.by_id.get(one) for one in ids]
        return [one for one in found if one is not None and self._ladder.ways[one.id] is not None]

    def _said(self, alert: Alert, tellings: list[Telling]) -> Told:
        told = tuple(dict.fromkeys((*alert.told, *(one.person.id for one in tellings))))
        steps = {one.step for one in tellings}
        said_ns = alert.said_ns if steps <= {Step.ESCALATED} and alert.said_ns else self._now_ns
        alert = structs.replace(alert, told=told, said_ns=said_ns)
        if any(one.person.role is Role.IN_CHARGE for one in tellings):
            alert = structs.replace(alert, advised=alert.action, misled_ns=None)
        return Told(alert, tuple(tellings))

    def _telling(  # noqa: PLR0913 - what differs
        self,
        alert: Alert,
        person: Person,
        step: Step,
        tag: str = "",
        *,
        kind: Kind | None = None,
        due_ns: int | None = None,
        unanswered: tuple[Person, ...] = (),
    ) -> Telling:
        parts = (alert.id, str(alert.turn), step.value, tag, person.id)
        return Telling(
            alert=alert,
            person=person,
            step=step,
            kind=kind or alert.kind,
            key="/".join(part for part in parts if part),
            due_ns=self._now_ns if due_ns is None else due_ns,
            urgent=alert.severity is Severity.URGENT,
            unanswered=unanswered,
        )
