"""What an alert keeps of a fault that offices share: all that were hit, when the fault itself ended; and whether it has grown.

While it heals, fewer offices suffer from look to look, and it stands a while longer lest it come back: the all-clear is about neither.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import structs

from analytics.shared.factors import is_part_of

if TYPE_CHECKING:
    from alerts.condition import Condition
    from telemetry.alerting import Alert
    from telemetry.decisions import Incident


def hit_by(alert: Alert, condition: Condition) -> tuple[str, ...]:
    """The offices that an alert has been about so far and now; none of an office's own."""
    return () if condition.site else tuple(dict.fromkeys((*alert.hit, *condition.sites)))


def has_grown(before: Alert, now: Alert) -> bool:
    """Whether the fault that people were told of is that of something greater now: of a provider, no longer of one region of it."""
    if not before.told or before.site or before.factor is None or now.factor is None:
        return False
    return is_part_of(before.factor, now.factor)


def as_it_was(alert: Alert, ended: Incident | None) -> Alert:
    """An alert that begins to look well, as it is told of once it is over.

    Args:
        alert: of an incident or an office.
        ended: the incident that it is or that explains it, when that is over.
    """
    if alert.site:
        return alert
    sites = tuple(dict.fromkeys((*alert.hit, *(ended.sites if ended is not None else ()))))
    return structs.replace(
        alert,
        sites=sites or alert.sites,
        hit=sites,
        over_ns=ended.until_ns if ended is not None else None,
    )
