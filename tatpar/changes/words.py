"""Levels that moved, in plain words: one line each, by local time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from telemetry.words import format as form
from telemetry.words import say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from zoneinfo import ZoneInfo

    from analytics.changes.moved import Moved
    from config.config import Config
    from tatpar.changes.moved import Found


def lines(
    config: Config, found: Found, language: str, zone: ZoneInfo, *, newest: int | None = None
) -> list[str]:
    """A line a move, or one that says that there was none, or that nothing is known.

    Of more moves than `newest` only the last so many, after how many there were of each line and figure.
    """
    moves = found.moves
    if not moves:
        key = "changes.none" if found.measured_slots else "changes.unknown"
        return [say(language, key, zone=zone, since=found.since_ns)]
    if newest is None or len(moves) <= newest:
        return [_line(config, move, language, zone) for move in moves]
    summary = say(language, "changes.many", zone=zone, n=len(moves), since=found.since_ns, shown=newest)
    shown = (_line(config, move, language, zone) for move in moves[-newest:])
    return [summary, *_kinds(config, moves, language), "", *shown]


def _kinds(config: Config, moves: Sequence[Moved], language: str) -> Iterator[str]:
    """A line for each figure of each line, most moves first: how many, from which level at first to which now."""
    kinds: dict[tuple[str, str], list[Moved]] = {}
    for move in moves:
        kinds.setdefault((move.path, move.metric), []).append(move)
    for (path, metric), mine in sorted(kinds.items(), key=lambda kind: -len(kind[1])):
        shown = _shown(metric)
        before, after = shown(language, mine[0].before), shown(language, mine[-1].after)
        numbers: dict[str, Any] = {
            "n": len(mine),
            "to": end_name(config, path, language),
            "what": say(language, f"changes.{metric}"),
        }
        if before == after:  # "from 0.34 ms to 0.34 ms" would read as if nothing had moved
            yield "  " + say(language, "changes.kind_back", after=after, **numbers)
        else:
            yield "  " + say(language, "changes.kind", before=before, after=after, **numbers)


def _line(config: Config, move: Moved, language: str, zone: ZoneInfo) -> str:
    shown = _shown(move.metric)
    return say(
        language,
        "changes.move",
        zone=zone,
        at=move.when_ns,
        to=end_name(config, move.path, language),
        what=say(language, f"changes.{move.metric}"),
        before=shown(language, move.before),
        after=shown(language, move.after),
    )


def _shown(metric: str) -> Callable[[str, float], str]:
    return form.exact_percent if metric == "loss" else form.milliseconds


def end_name(config: Config, path: str, language: str) -> str:
    """The headquarters at the end of a line, by name."""
    end = config.headquarters.get(path.partition(".")[2])
    return path if end is None else end.name_hi if language == "hi" else end.name_en
