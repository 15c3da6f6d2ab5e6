"""What an import says at its end."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tatpar.terminal.columns import table
from tatpar.terminal.json_time import readable
from telemetry.windows import SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from zoneinfo import ZoneInfo

    from tatpar.importing.importer import Written


def as_json(written: Sequence[Written], *, dry_run: bool) -> object:
    """For machines."""
    return {"dry_run": dry_run, "sites": [readable(each) for each in written]}


def lines(written: Sequence[Written], zone: ZoneInfo, rollup_days: float, *, dry_run: bool) -> list[str]:
    """For people: a row an office, and what they should know."""
    if not written:
        return ["nothing to import: the files have no rows of an office"]
    head = ("office", "paths", "from", "until", "samples", "roll-ups", "replaced", "measured here, kept")
    rows = [
        (
            each.site,
            " ".join(each.paths),
            _time(each.from_ns, zone),
            _time(each.until_ns, zone),
            f"{each.samples:,}",
            f"{each.slots:,}",
            f"{each.replaced:,}",
            f"{each.measured:,}",
        )
        for each in written
    ]
    total = sum(each.slots for each in written)
    said = "would be written" if dry_run else "written"
    out = [*table(head, rows), "", f"{total:,} five-minute roll-ups {said}"]
    if not_over := sum(each.open for each in written):
        out.append(f"{not_over:,} left out, whose five minutes are not over yet")
    if twice := sum(each.twice for each in written):
        out.append(
            f"note: samples of an hour that came twice, as the clocks went back: {twice:,}; they count as its first, and of"
            " two of the same moment one; write their times with the offset, as +01:00, to tell them apart"
        )
    if never := sum(each.never for each in written):
        out.append(
            f"note: samples of times that the clocks left out: {never:,}; they count as the moment when the clocks went on;"
            " see zone under [time] of the mapping"
        )
    if old := sum(each.old for each in written):
        out.append(
            f"note: {old:,} are older than [store] rollup_days = {rollup_days:g}: a running hub drops them;"
            " raise it, or move them with [file] shift_weeks"
        )
    return out


def _time(time_ns: int | None, zone: ZoneInfo) -> str:
    if time_ns is None:
        return "–"
    return datetime.fromtimestamp(time_ns // SECOND_NS, UTC).astimezone(zone).strftime("%Y-%m-%d %H:%M")
