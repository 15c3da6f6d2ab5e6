"""What an import says at its end, in the reader's language."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from tatpar.terminal.columns import table
from tatpar.terminal.json_time import readable
from telemetry.windows import SECOND_NS
from telemetry.words import say
from telemetry.words.format import count

COLUMNS: Final = ("office", "paths", "from", "until", "samples", "rollups", "replaced", "measured")

if TYPE_CHECKING:
    from collections.abc import Sequence
    from zoneinfo import ZoneInfo

    from tatpar.importing.importer import Written


def as_json(written: Sequence[Written], *, dry_run: bool) -> object:
    """For machines."""
    return {"dry_run": dry_run, "sites": [readable(each) for each in written]}


def lines(
    written: Sequence[Written], language: str, zone: ZoneInfo, rollup_days: float, *, dry_run: bool
) -> list[str]:
    """For people: a row an office, and what they should know."""
    if not written:
        return [say(language, "importing.nothing")]
    head = [say(language, f"importing.{column}") for column in COLUMNS]
    rows = [
        (
            each.site,
            " ".join(each.paths),
            _time(each.from_ns, zone),
            _time(each.until_ns, zone),
            *(count(language, number) for number in (each.samples, each.slots, each.replaced, each.measured)),
        )
        for each in written
    ]
    total = sum(each.slots for each in written)
    done = say(language, f"importing.{'would_be' if dry_run else 'written'}", count=total)
    out = [*table(head, rows), "", done]
    if not_over := sum(each.open for each in written):
        out.append(say(language, "importing.not_over", count=not_over))
    if replaced := sum(each.replaced for each in written):
        overtaken = sum(each.overtaken for each in written)
        key = "overtaken" if overtaken else "again"
        out.append(say(language, f"importing.{key}", count=replaced, later=overtaken))
    if repeated := sum(each.repeated for each in written):
        out.append(say(language, "importing.repeated", count=repeated))
    if twice := sum(each.twice for each in written):
        out.append(say(language, "importing.twice", count=twice))
    if never := sum(each.never for each in written):
        out.append(say(language, "importing.never", count=never))
    if old := sum(each.old for each in written):
        out.append(say(language, "importing.old", count=old, days=f"{rollup_days:g}"))
    return out


def _time(time_ns: int | None, zone: ZoneInfo) -> str:
    if time_ns is None:
        return "–"
    return datetime.fromtimestamp(time_ns // SECOND_NS, UTC).astimezone(zone).strftime("%Y-%m-%d %H:%M")
