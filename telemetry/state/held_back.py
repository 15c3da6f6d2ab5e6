"""All-clears that wait because the watch judges windows late, as the alerts' heartbeat says: of what nobody has seen none is sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from telemetry.windows import SILENT_NS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from telemetry.state.heartbeats import Beat

HELD_BACK: Final = "held_back"
"""In the alerts' heartbeat: of how many alerts the all-clear waits for windows; 0 while none does for long."""
HELD_SINCE: Final = "held_since_ns"
"""Beside it, since when (ns) one of them has waited; absent while none does."""
_ALERTS: Final = "alerts"


@dataclass(frozen=True, slots=True)
class HeldBack:
    """What waits now."""

    count: int
    since_ns: int


def held_back(beats: Mapping[str, Beat], now_ns: int) -> HeldBack | None:
    """All-clears that wait as of `now_ns`, and since when (ns since the Unix epoch); None when none does, or the alerts are silent."""
    beat = beats.get(_ALERTS)
    if beat is None or now_ns - beat.at_ns > SILENT_NS:
        return None
    count, since_ns = beat.detail.get(HELD_BACK), beat.detail.get(HELD_SINCE)
    return HeldBack(count, since_ns) if isinstance(count, int) and isinstance(since_ns, int) else None
