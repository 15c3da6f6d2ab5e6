"""Since when and until when the offices' windows have been heard and judged, as the watch's heartbeat says: what came before or after that nobody has seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from telemetry.state.heartbeats import Beat

HEARD_UNTIL: Final = "heard_until_ns"
"""In the watch's heartbeat: end (ns) of the newest window of any linked office that it has judged; 0 when it has heard none."""
HEARING_SINCE: Final = "hearing_since_ns"
"""Beside it: since when (ns) it has heard anybody without a break; what began before then, nobody saw begin."""
_WATCH: Final = "watch"


def heard_until_ns(beats: Mapping[str, Beat]) -> int | None:
    """Until when (ns since the Unix epoch) the watch has judged what it heard; None when no watch has said."""
    return _said(beats, HEARD_UNTIL)


def hearing_since_ns(beats: Mapping[str, Beat]) -> int | None:
    """Since when (ns since the Unix epoch) the watch has heard anybody without a break; None when no watch has said."""
    return _said(beats, HEARING_SINCE)


def _said(beats: Mapping[str, Beat], name: str) -> int | None:
    beat = beats.get(_WATCH)
    said = beat.detail.get(name) if beat is not None else None
    return said if isinstance(said, int) else None
