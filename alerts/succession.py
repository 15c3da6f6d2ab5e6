"""One trouble of an office in the place of another: whoever was told of the first is owed the word that all is well."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

from msgspec import structs

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from alerts.condition import Condition
    from telemetry.alerting import Alert, Owed

    Change = tuple[Alert | None, Alert]
    """An alert before and after a look."""


class Others(IntEnum):
    """What else is wrong with an office, beside an alert whose own trouble is gone."""

    NONE = 0
    UNTOLD = 1
    """Something of which nobody is told, or not yet."""
    TOLD = 2


def other_troubles(going_on: Mapping[str, Alert], conditions: Mapping[str, Condition]) -> dict[str, Others]:
    """By office what is wrong there; `going_on`: open alerts by the condition that keeps them up."""
    found: dict[str, Others] = {}
    for subject, one in conditions.items():
        # Announced or not: of an office that is silent nobody can say that it is well.
        is_silence = one.occurrence_ns is None
        if one.site and (is_silence or not one.muted):
            alert = going_on.get(subject)
            kind = Others.TOLD if alert is not None and alert.fired_ns is not None else Others.UNTOLD
            found[one.site] = max(found.get(one.site, Others.NONE), kind)
    return found


def handed_on(
    found: list[Change], others: Mapping[str, Others], owes: Callable[[Alert], tuple[Owed, ...]]
) -> list[Change]:
    """The changes of a look, with the words that alerts owed which gave place to another of their office.

    Args:
        found: every alert that was open or has begun.
        others: by office, as `other_troubles`.
        owes: the words that an alert owes still; of a meeting that is over only those to people who were told with no meeting in mind.
    """
    owed: dict[str, tuple[Owed, ...]] = {}
    for before, after in found:
        gave_place = before is not None and after.resolved_ns is not None
        if gave_place and others.get(after.site) is Others.TOLD:
            owed[after.site] = (*owed.get(after.site, ()), *owes(after))
    return [(before, _with_owed(after, owed)) for before, after in found] if owed else found


def _with_owed(alert: Alert, owed: dict[str, tuple[Owed, ...]]) -> Alert:
    if alert.fired_ns is None or alert.resolved_ns is not None:
        return alert
    words = owed.pop(alert.site, ())  # of several that stand one says it
    return structs.replace(alert, owed=tuple(dict.fromkeys((*alert.owed, *words))))
