"""Whether the hub's own store takes reports in, as its collectors' heartbeats say: who cannot write down what comes is blind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from telemetry.windows import SILENT_NS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from telemetry.state.heartbeats import Beat

UNSTORED: Final = "unstored_since_ns"
"""In a collector's heartbeat: since when (ns) a batch waits for the store; absent while none does for long."""
_COLLECTOR: Final = "collector"


def store_away_since(beats: Mapping[str, Beat], now_ns: int) -> int | None:
    """Since when (ns) no collector that is at work can store anything; None while one can, or none is at work."""
    at_work = [
        beat.detail.get(UNSTORED)
        for role, beat in beats.items()
        if (role == _COLLECTOR or role.startswith(f"{_COLLECTOR}-")) and now_ns - beat.at_ns <= SILENT_NS
    ]
    waiting = [since_ns for since_ns in at_work if isinstance(since_ns, int)]
    return max(waiting) if waiting and len(waiting) == len(at_work) else None
