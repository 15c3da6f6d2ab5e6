"""Why probes last started, as they say themselves (`Presence.restart_reason`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from probes.publishing.restart_reason import RestartReason
from tatpar.examination.finding import fine, less
from tatpar.examination.phrase import phrase, some

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tatpar.examination.finding import Finding
    from telemetry.control import Presence


def starts(presence: Mapping[tuple[str, str], Presence]) -> Iterator[Finding]:
    """Probes whose last run crashed, and those whose machine lost its power; nothing where none did."""
    by_reason: dict[str, list[str]] = {}
    for (site, probe), each in sorted(presence.items()):
        by_reason.setdefault(each.restart_reason, []).append(f"{site}/{probe}")
    if crashed := by_reason.get(RestartReason.CRASH):
        yield less(phrase("starts.crash"), some(crashed), phrase("starts.do_see_log"))
    if dark := by_reason.get(RestartReason.POWER):
        yield fine(phrase("starts.power"), some(dark))
