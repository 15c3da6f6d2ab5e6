"""Offices that fail at once: their messages wait until it is known whether they share a fault.

An alarm leaves at once, so the first of a crowd are told before it is one: they count on for as long as the hold lasts, and at most
one less than a crowd are told before the others wait. Reports arrive in ones and twos, and each window's within some 15 s.

Once it has begun for an office, the hold lasts its time: that the first of the crowd are explained by an incident makes the crowd smaller
and not the others' trouble their own. An incident comes in parts, so those that it does not name yet wait as long again.

An office that fails alone while a shared fault lasts waits as long, if it depends on what is at fault: the incident lists it by then, or it
has a trouble of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import structs

from telemetry.alerting import INCIDENTS, Kind
from telemetry.windows import SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from alerts.condition import Condition
    from config.alert_settings import Alerts
    from telemetry.alerting import Alert


class Crowd:
    """The crowd of one look."""

    def __init__(
        self,
        standing: Mapping[str, Alert],
        conditions: Mapping[str, Condition],
        settings: Alerts,
        now_ns: int,
    ) -> None:
        """`standing`: open alerts, by the condition that keeps them up."""
        self._now_ns = now_ns
        self._hold_ns = int(settings.crowd_hold_s * SECOND_NS)
        failing = sum(self._has_just_begun(standing.get(subject), one) for subject, one in conditions.items())
        self._is_there = failing >= settings.crowd
        self._incidents_ns = [
            standing[subject].pending_ns if subject in standing else now_ns
            for subject, one in conditions.items()
            if one.kind in INCIDENTS
        ]
        """When each incident was first seen."""

    def joined(self, alert: Alert) -> Alert:
        """An alert that is held back, with its place in the crowd noted on it, if there is one."""
        return alert if alert.crowded or not self._is_there else structs.replace(alert, crowded=True)

    def holds(self, alert: Alert, condition: Condition) -> bool:
        """Whether an alert waits for what the others' trouble turns out to be, or for whether it is of what is known of theirs."""
        if not condition.site or condition.kind is Kind.NOT_YOUR_LINE:
            return False
        until_ns = alert.pending_ns + self._hold_ns
        if not alert.crowded:
            return condition.may_be_shared and self._now_ns < until_ns
        found_ns = (at_ns for at_ns in self._incidents_ns if alert.pending_ns <= at_ns <= until_ns)
        return self._now_ns < max((until_ns, *(at_ns + self._hold_ns for at_ns in found_ns)))

    def _has_just_begun(self, alert: Alert | None, condition: Condition) -> bool:
        """Whether an office has a trouble of its own that is no older than the hold, told or not."""
        if not condition.site or condition.muted or condition.kind is Kind.NOT_YOUR_LINE:
            return False
        if alert is None:
            return condition.begins
        return alert.pending_ns >= self._now_ns - self._hold_ns
