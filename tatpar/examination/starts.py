"""Why probes last started, as they say themselves (`Presence.restart_reason`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from probes.publishing.restart_reason import RestartReason
from tatpar.examination.finding import fine, less

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tatpar.examination.finding import Finding
    from telemetry.control import Presence

_SHOWN: Final = 5


def starts(presence: Mapping[tuple[str, str], Presence]) -> Iterator[Finding]:
    """Probes whose last run crashed, and those whose machine lost its power; nothing where none did."""
    by_reason: dict[str, list[str]] = {}
    for (site, probe), each in sorted(presence.items()):
        by_reason.setdefault(each.restart_reason, []).append(f"{site}/{probe}")
    if crashed := by_reason.get(RestartReason.CRASH):
        remedy = "see the log of the probe there (journalctl -u tatpar-probe), and tell the developers"
        yield less("starts after a crash", _some(crashed), remedy)
    if dark := by_reason.get(RestartReason.POWER):
        yield fine("starts after a power cut", _some(dark))


def _some(names: list[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
