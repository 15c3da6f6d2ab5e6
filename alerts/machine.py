"""The state machine: conditions and the alerts as they were give the alerts as they are, and what is to be told.

    nothing ── seen ──▶ PENDING ── has lasted ──▶ FIRING ── somebody takes it up ──▶ ACKNOWLEDGED
                           │                       │  ▲                                  │
                           │ not seen again        │  └────────── it got worse ──────────┤
                           ▼                       ▼  looks well for long enough         ▼
                        RESOLVED ◀──────────────────────────────────────────────────────┘

Pure: time, conditions and alerts go in. What is decided depends on them alone, so a decision that was lost in a crash is made again.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from msgspec import Struct, structs

from alerts.advice import misleads
from alerts.crowd import Crowd
from alerts.flapping import FLAPS_KEPT, clear_ns, of_late
from alerts.ids import new_id
from alerts.shared import as_it_was, has_grown, hit_by
from alerts.succession import Others, handed_on, other_troubles
from alerts.telling import Telling, Told, owing, without_meeting
from telemetry.alerting import Alert, AlertState, Kind, Owed, Step
from telemetry.decisions import Action
from telemetry.windows import SECOND_NS, WINDOW_NS, window_start

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from alerts.condition import Condition
    from alerts.hearing import Hearing
    from alerts.ladder import Ladder
    from alerts.silenced import Silenced
    from alerts.succession import Change
    from alerts.telling import Teller
    from config.alert_settings import Alerts
    from telemetry.decisions import Incident

OF_WINDOWS: Final = 3
"""What is not severe fires when it was seen in two of so many windows."""


class Decision(Struct, frozen=True):
    """What came of one look."""

    alerts: tuple[Alert, ...] = ()
    """Those that have changed, as they stand now."""
    tellings: tuple[Telling, ...] = ()
    held_back: tuple[str, ...] = ()
    """Ids of those whose all-clear waits for windows that are judged late."""


class Machine:
    """Everything that does not change within one look."""

    def __init__(  # noqa: PLR0913 - what it works with
        self,
        settings: Alerts,
        ladder: Ladder,
        teller: Teller,
        silenced: Silenced,
        now_ns: int,
        *,
        takes_place: Callable[[Alert], bool],
        is_taken: Callable[[str], bool],
        hearing: Hearing,
        ended: Mapping[str, Incident] = MappingProxyType({}),
    ) -> None:
        """`takes_place`: whether the office of an alert is still linked and its meeting, if there is one, takes place; `is_taken`: whether an id has been given before.

        `hearing`: whether the offices are heard now; `ended`: by id, incidents that are over.
        """
        self._settings = settings
        self._ladder = ladder
        self._teller = teller
        self._silenced = silenced
        self._now_ns = now_ns
        self._takes_place = takes_place
        self._is_taken = is_taken
        self._hearing = hearing
        self._ended = ended
        self._crowd = Crowd({}, {}, settings, now_ns)
        self._held_back: list[str] = []

    def step(
        self, conditions: Mapping[str, Condition], standing: Iterable[Alert], recent: Iterable[Alert]
    ) -> Decision:
        """One look: every open alert, and every condition of which there is none yet."""
        found: list[Change] = []
        tellings: list[Telling] = []
        open_alerts = {alert.subject: alert for alert in standing}
        ended = {_whose(alert): alert for alert in recent if alert.subject in conditions or alert.clear_ns}
        heirs = self._heirs(open_alerts, conditions)
        goes_on = set(heirs.values())
        going_on = {heirs.get(subject, subject): alert for subject, alert in open_alerts.items()}
        others = other_troubles(going_on, conditions)
        self._crowd = Crowd(going_on, conditions, self._settings, self._now_ns)
        for subject in dict.fromkeys((*open_alerts, *conditions)):
            before, condition = open_alerts.get(subject), conditions.get(heirs.get(subject, subject))
            if before is None:
                if subject in goes_on:
                    continue
                after, told = self._begin(conditions[subject], ended.get(_whose(conditions[subject])))
            else:
                after, told = self._go_on(before, condition, others.get(before.site, Others.NONE))
            if after is not None:
                found.append((before, after))
            tellings += told
        alerts = [
            structs.replace(after, seen_ns=self._now_ns)
            for before, after in handed_on(found, others, self._owes)
            if after != before
        ]
        return Decision(tuple(alerts), tuple(tellings), tuple(self._held_back))

    def _heirs(self, standing: Mapping[str, Alert], conditions: Mapping[str, Condition]) -> dict[str, str]:
        """By subject of an alert, the subject with which it goes on: another meeting of the same office is in danger, its own no longer.

        Of two meetings whose verdicts take turns the office hears as of one trouble; one that ends with its meeting has no heir.
        """
        free = {
            one.site: subject
            for subject, one in conditions.items()
            if one.site and one.occurrence_ns is not None and one.begins and not one.muted
            if subject not in standing
        }
        return {
            subject: free.pop(alert.site)
            for subject, alert in standing.items()
            if subject not in conditions and alert.occurrence_ns is not None and alert.site in free
            if self._concerns(alert)
        }

    def _begin(self, condition: Condition, last: Alert | None) -> tuple[Alert | None, tuple[Telling, ...]]:
        if not condition.begins or condition.muted:
            return None, ()
        flaps = (
            of_late((*last.flaps, self._now_ns), self._now_ns) if last is not None and last.fired_ns else ()
        )
        alert = Alert(
            id=new_id(condition.subject, self._now_ns, self._is_taken),
            kind=condition.kind,
            state=AlertState.PENDING,
            severity=self._ladder.severity(condition.starts_ns, self._now_ns),
            since_ns=condition.since_ns,
            pending_ns=self._now_ns,
            flaps=flaps,
        )
        return self._held(self._updated(alert, condition), condition)

    def _go_on(
        self, alert: Alert, condition: Condition | None, others: Others
    ) -> tuple[Alert, tuple[Telling, ...]]:
        if condition is None:
            return self._well(alert, others)
        if condition.muted:  # it lasts, and nothing is said: what was told of it stays what it is about
            return structs.replace(
                alert,
                starts_ns=condition.starts_ns,
                ends_ns=condition.ends_ns,
                clear_ns=None,
                own_ns=self._own_ns(alert, condition) if condition.is_mild and alert.own_ns else None,
            ), ()
        after = self._updated(alert, condition)
        if alert.subject != condition.subject and alert.told:
            after = self._turned(after, alert.starts_ns)
        if alert.clear_ns is not None:
            after = structs.replace(
                after, clear_ns=None, over_ns=None, flaps=of_late((*after.flaps, self._now_ns), self._now_ns)
            )
        if after.state is AlertState.PENDING:
            return self._held(after, condition)
        if self._silenced.covers(after):
            return after, ()
        told = self._fired(after, condition)
        if told[1]:
            return told
        return self._worse(told[0]) if has_grown(alert, after) else self._corrected(told[0])

    def _corrected(self, alert: Alert) -> Told:
        """What its in-charges were told to do no longer helps, and that has lasted: they hear what does.

        It is no new trouble: the ladder goes on, and who has taken it up still has.
        """
        if not misleads(alert, self._now_ns):
            return Told(structs.replace(alert, misled_ns=None))
        if alert.misled_ns is None:
            return Told(structs.replace(alert, misled_ns=self._now_ns))
        if self._now_ns - alert.misled_ns < self._settings.hold_s * SECOND_NS:
            return Told(alert)
        return self._teller.correct(alert)

    def _held(self, alert: Alert, condition: Condition) -> tuple[Alert, tuple[Telling, ...]]:
        """Held back until it has lasted: one window when severe, two of three otherwise."""
        window = window_start(self._now_ns)
        seen = tuple(one for one in alert.bad_ns if 0 < window - one < OF_WINDOWS * WINDOW_NS)
        alert = self._crowd.joined(structs.replace(alert, bad_ns=(*seen, window)))
        lasted_ns = self._now_ns - alert.pending_ns
        if not condition.severe and not (seen and lasted_ns >= self._settings.hold_s * SECOND_NS):
            return alert, ()
        if self._crowd.holds(alert, condition):
            return alert, ()
        alert = structs.replace(alert, state=AlertState.FIRING, fired_ns=self._now_ns, bad_ns=())
        if self._silenced.covers(alert):
            return alert, ()
        return self._fired(alert, condition)

    def _fired(self, alert: Alert, condition: Condition) -> tuple[Alert, tuple[Telling, ...]]:
        before = alert.rank
        alert = structs.replace(alert, rank=max(before, condition.rank))
        if alert.kind is Kind.NOT_YOUR_LINE:
            return self._teller.tell(alert)
        if (
            alert.eased
        ):  # the shared fault is over, or was none: the office hears of its own trouble as of a new one
            return self._teller.tell(self._as_new(alert, condition))
        if alert.turned_ns is not None:
            told = self._of_another(alert, condition)
            if told.tellings:
                return told
        if alert.state is not AlertState.ACKNOWLEDGED:
            told = self._teller.tell(alert)
            is_reminded = any(one.step is Step.REMINDED for one in told.tellings)
            return (
                Told(self._told_of_this(told.alert), told.tellings) if is_reminded and alert.told_of else told
            )
        if condition.rank <= before:
            return alert, ()
        told = self._worse(alert)
        return told if told.tellings else (structs.replace(alert, rank=before), ())

    def _turned(self, alert: Alert, before_ns: int | None) -> Alert:
        """It is about another meeting now than before, whose start that was: has anybody been told of this one?"""
        told_of = alert.told_of or tuple(at_ns for at_ns in (before_ns,) if at_ns is not None)
        turned_ns = None if alert.starts_ns in told_of else alert.turned_ns or self._now_ns
        return structs.replace(alert, told_of=told_of, turned_ns=turned_ns)

    def _of_another(self, alert: Alert, condition: Condition) -> Told:
        """It is about a meeting of which nobody was told: one that comes before those is told at once, as worse.

        Of a later one people hear as of a new trouble, once the verdicts no longer take turns: who has taken up the trouble
        with one meeting has not taken up that with the next, and what is well need not be in danger again.
        """
        starts_ns = alert.starts_ns
        if starts_ns is None or alert.turned_ns is None:
            return Told(alert)
        said = self._told_of_this(alert)
        if starts_ns < min((at_ns for at_ns in alert.told_of if at_ns > self._now_ns), default=starts_ns):
            return self._worse(said)
        if not self._has_lasted(alert.turned_ns):
            return Told(alert)
        anew = self._as_new(alert, condition)
        return self._teller.tell(structs.replace(anew, told_of=said.told_of, eased=alert.eased))

    def _told_of_this(self, alert: Alert) -> Alert:
        told_of = alert.told_of if alert.starts_ns is None else (*alert.told_of, alert.starts_ns)
        return structs.replace(alert, told_of=told_of[-FLAPS_KEPT:], turned_ns=None)

    def _as_new(self, alert: Alert, condition: Condition) -> Alert:
        """As one of which nobody has been told, and that nobody has taken up."""
        return structs.replace(
            self._anew(alert),
            told=(),
            eased=(),
            owed=owing(alert),
            told_of=(),
            turned_ns=None,
            rung=0,
            rung_ns=None,
            own_ns=None,
            rank=condition.rank,
            advised=Action.NONE,
            misled_ns=None,
        )

    def _worse(self, alert: Alert) -> Told:
        return self._teller.worse(structs.replace(self._anew(alert), rung_ns=self._now_ns))

    def _anew(self, alert: Alert) -> Alert:
        """Firing again: an acknowledgement of what it was before no longer holds."""
        return structs.replace(
            alert,
            state=AlertState.FIRING,
            turn=alert.turn + 1,
            overtaken_ns=alert.acknowledged_ns or alert.overtaken_ns,
            acknowledged_ns=None,
            acknowledged_by="",
            note="",
        )

    def _well(self, alert: Alert, others: Others) -> tuple[Alert, tuple[Telling, ...]]:
        """Nothing is wrong any more, or nothing that concerns a meeting.

        Another trouble of the office of which is told takes the place of this one, and with it the all-clear. One of which nobody is told
        (silence that a shared fault explains) only puts it off: the office is not well yet, and whoever was told waits for the word.
        Unseen time does not count: while nobody is heard it looks neither well nor bad, and the wait begins anew.
        With its meeting it ends, but for people who were told before with no meeting in mind: the word to them is said yet, or handed on.
        """
        if alert.state is AlertState.PENDING:
            waits = alert.bad_ns and window_start(self._now_ns) - alert.bad_ns[-1] < OF_WINDOWS * WINDOW_NS
            return (alert if waits and others is Others.NONE else self._closed(alert)), ()
        left = self._left(alert)
        if others is Others.TOLD or not (self._concerns(left) and (left is alert or left.owed)):
            return self._closed(alert), ()
        if others is Others.UNTOLD:
            return structs.replace(alert, clear_ns=None), ()
        return self._looks_well(alert, left)

    def _looks_well(self, alert: Alert, left: Alert) -> tuple[Alert, tuple[Telling, ...]]:
        """The all-clear, once it has looked well for long enough and was seen to: where only that is missing, it is held back."""
        told = () if self._silenced.covers(alert) else self._teller.over(left)
        waits_ns = clear_ns(alert.flaps, self._settings, self._now_ns)
        is_due = alert.clear_ns is not None and self._now_ns - alert.clear_ns >= waits_ns
        if told and (self._hearing.is_deaf or (is_due and not self._hearing.is_up_to_date)):
            self._held_back.append(alert.id)
        if self._hearing.is_deaf:
            return structs.replace(alert, clear_ns=None), ()
        if alert.clear_ns is None:
            after = structs.replace(alert, clear_ns=self._now_ns)
            return as_it_was(after, self._ended.get(alert.incident)), ()
        if not (is_due and self._hearing.is_up_to_date):
            return alert, ()
        return self._closed(alert), told

    def _left(self, alert: Alert) -> Alert:
        """The alert as far as it is still worth an all-clear: without its meeting, when that is over or does not take place."""
        return alert if self._concerns(alert) or not alert.site else without_meeting(alert)

    def _owes(self, alert: Alert) -> tuple[Owed, ...]:
        """Whom it owes a word still; nobody, when nobody could say that the office is well."""
        left = self._left(alert)
        return owing(left) if self._concerns(left) else ()

    def _concerns(self, alert: Alert) -> bool:
        """Whether an all-clear is worth saying: the meeting is still to come, or runs."""
        if not alert.site:
            return True
        is_over = alert.ends_ns is not None and alert.ends_ns <= self._now_ns
        return not is_over and self._takes_place(alert)

    def _closed(self, alert: Alert) -> Alert:
        return structs.replace(alert, state=AlertState.RESOLVED, resolved_ns=self._now_ns)

    def _updated(self, alert: Alert, condition: Condition) -> Alert:
        """What is known of it now."""
        updated = structs.replace(
            alert,
            severity=self._ladder.severity(condition.starts_ns, self._now_ns),
            site=condition.site,
            meeting=condition.meeting,
            occurrence_ns=condition.occurrence_ns,
            starts_ns=condition.starts_ns,
            ends_ns=condition.ends_ns,
            reason=condition.reason,
            probability=condition.probability,
            severe=condition.severe,
            sites=condition.sites,
            hit=hit_by(alert, condition),
            unseen=alert.unseen
            or condition.began_unseen(alert.since_ns)
            or (condition.is_dated and self._hearing.began_unseen(alert.since_ns, alert.pending_ns)),
            own_ns=self._own_ns(alert, condition),
            turned_ns=None if alert.turned_ns is None else self._seen_since(alert.turned_ns),
        )
        if updated.own_ns is not None and not self._has_lasted(updated.own_ns):
            return updated
        return structs.replace(
            updated,
            kind=condition.kind,
            incident=condition.incident,
            action=condition.action,
            factor=condition.factor,
        )

    def _own_ns(self, alert: Alert, condition: Condition) -> int | None:
        """Since when a trouble that was a shared one is the office's own; offices come back one after the other."""
        if not alert.eased or condition.kind is Kind.NOT_YOUR_LINE:
            return None
        return self._seen_since(self._now_ns if alert.own_ns is None else alert.own_ns)

    def _seen_since(self, since_ns: int) -> int:
        """The beginning of a wait that seen time alone fills: while nobody is heard it begins anew."""
        return self._now_ns if self._hearing.is_deaf else since_ns

    def _has_lasted(self, since_ns: int) -> bool:
        """Whether something has been so for `clear_s`, and was seen to be."""
        return self._now_ns - since_ns >= self._settings.clear_s * SECOND_NS and self._hearing.is_up_to_date


def _whose(one: Alert | Condition) -> str:
    """The office whose trouble it is, whatever the meeting; the subject, of an incident."""
    return one.site or one.subject
