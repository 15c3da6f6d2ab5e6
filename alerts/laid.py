"""Which shared fault each in-charge was told of: what an alert is laid to now may be another one.

An alert of an office may outlive the fault that it was laid to, and the next fault explains it then. What was told before was told of the first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from telemetry.alerting import Laid

if TYPE_CHECKING:
    from collections.abc import Container, Iterable

    from telemetry.alerting import Alert

KEPT: Final = 32
"""So many words of one alert are remembered, the newest."""


def with_laid(alert: Alert, people: Iterable[str], now_ns: int) -> tuple[Laid, ...]:
    """What was told of shared faults once these `people`, by id, have heard of the one that explains the alert now."""
    new = (Laid(person=one, incident=alert.incident, at_ns=now_ns, factor=alert.factor) for one in people)
    return (*alert.laid, *new)[-KEPT:]


def is_wrong_now(alert: Alert, person: str, over: Container[str]) -> bool:
    """Whether the cause that somebody was told last is not the one now; `over`: ids of incidents that are.

    Of another fault only once the first is over: until then what they know is true. Of the same, which has another name now, when it was one
    of headquarters and is none, or the other way round: nothing else changes what an office can do.
    """
    last = next((one for one in reversed(alert.laid) if one.person == person), None)
    if last is None or last.factor is None or alert.factor is None or last.factor == alert.factor:
        return False
    if last.incident == alert.incident:
        return last.factor.is_headquarters is not alert.factor.is_headquarters
    return last.incident in over
