"""How quickly people answered: from the first message of an alert to its acknowledgement and its end."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from telemetry.windows import SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from telemetry.alerting import Alert


@dataclass(frozen=True, slots=True)
class Response:
    """Alerts of one region, or of shared faults (`region` empty)."""

    region: str
    told: int
    acknowledged: int
    escalated: int
    """Went further up the ladder than its first rung."""
    answer_s: float
    """Median from the first message to the acknowledgement; NaN where nobody acknowledged."""
    end_s: float
    """Median from the first message to the end; NaN where none has ended."""


def responses(alerts: Iterable[Alert], region_of: Mapping[str, str]) -> tuple[Response, ...]:
    """By region in alphabetical order, shared faults last; alerts that nobody was told of do not count."""
    groups: dict[str, list[Alert]] = {}
    for alert in alerts:
        if alert.fired_ns is None or not alert.told or (alert.site and alert.site not in region_of):
            continue
        groups.setdefault(region_of.get(alert.site, ""), []).append(alert)
    return tuple(_response(region, groups[region]) for region in sorted(groups, key=lambda r: (not r, r)))


def _response(region: str, alerts: list[Alert]) -> Response:
    return Response(
        region=region,
        told=len(alerts),
        acknowledged=sum(alert.acknowledged_ns is not None for alert in alerts),
        escalated=sum(alert.rung > 1 for alert in alerts),
        answer_s=_median([_seconds(alert, alert.acknowledged_ns) for alert in alerts]),
        end_s=_median([_seconds(alert, alert.resolved_ns) for alert in alerts]),
    )


def _seconds(alert: Alert, until_ns: int | None) -> float | None:
    if until_ns is None or alert.fired_ns is None:
        return None
    return max(0, until_ns - alert.fired_ns) / SECOND_NS


def _median(values: list[float | None]) -> float:
    known = [value for value in values if value is not None]
    return median(known) if known else float("nan")
