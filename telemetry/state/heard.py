"""Until when the offices' windows have been heard and judged, as the watch's heartbeat says: what came after that nobody has seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from telemetry.state.heartbeats import Beat

HEARD_UNTIL: Final = "heard_until_ns"
"""In the watch's heartbeat: end (ns) of the newest window of any linked office that it has judged; 0 when it has heard none."""
_WATCH: Final = "watch"


def heard_until_ns(beats: Mapping[str, Beat]) -> int | None:
    """Until when (ns since the Unix epoch) the watch has judged what it heard; None when no watch has said."""
    beat = beats.get(_WATCH)
    said = beat.detail.get(HEARD_UNTIL) if beat is not None else None
    return said if isinstance(said, int) else None
