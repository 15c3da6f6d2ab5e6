"""Levels that moved, in plain words: one line each, by local time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telemetry.words import format as form
from telemetry.words import say

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from analytics.changes.moved import Moved
    from config.config import Config
    from tatpar.moved import Found


def lines(config: Config, found: Found, language: str, zone: ZoneInfo) -> list[str]:
    """A line a move, or one that says that there was none, or that nothing is known."""
    if not found.moves:
        key = "changes.none" if found.measured_slots else "changes.unknown"
        return [say(language, key, zone=zone, since=found.since_ns)]
    return [_line(config, move, language, zone) for move in found.moves]


def _line(config: Config, move: Moved, language: str, zone: ZoneInfo) -> str:
    shown = form.exact_percent if move.metric == "loss" else form.milliseconds
    end = config.headquarters.get(move.path.partition(".")[2])
    to = move.path if end is None else end.name_hi if language == "hi" else end.name_en
    return say(
        language,
        "changes.move",
        zone=zone,
        at=move.when_ns,
        to=to,
        what=say(language, f"changes.{move.metric}"),
        before=shown(language, move.before),
        after=shown(language, move.after),
    )
