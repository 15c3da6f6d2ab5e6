"""Coming and going: when a trouble came back of late, and how long it must look well before that is believed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from alerts.quiet import MINUTE_NS
from telemetry.windows import HOUR_NS, SECOND_NS

if TYPE_CHECKING:
    from config.alert_settings import Alerts

FLAPS_KEPT: Final = 10


def of_late(flaps: tuple[int, ...], now_ns: int) -> tuple[int, ...]:
    """Those returns (ns) that lie within the last hour, the newest few."""
    return tuple(at_ns for at_ns in flaps if now_ns - at_ns < HOUR_NS)[-FLAPS_KEPT:]


def clear_ns(flaps: tuple[int, ...], settings: Alerts, now_ns: int) -> int:
    """How long (ns) it must look well: longer when it has come back often of late."""
    clear = int(settings.clear_s * SECOND_NS)
    if len(of_late(flaps, now_ns)) < settings.flaps:
        return clear
    return max(int(settings.flap_clear_min * MINUTE_NS), clear)
