"""`tatpar meetings`: list and check the meetings."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import click

from tatpar.terminal.options import json_option, lang_option, settings_and_data
from telemetry.windows import DAY_NS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from zoneinfo import ZoneInfo

    from config.config import Config
    from config.meetings import Occurrence


@click.command(
    epilog="Example: tatpar meetings --days 2 --from 2026-11-24", short_help="list and check the meetings"
)
@settings_and_data
@click.option("--days", type=click.IntRange(1, 366), default=7, show_default=True, help="So many days ahead.")
@click.option(
    "--from",
    "first",
    type=click.DateTime(["%Y-%m-%d"]),
    default=None,
    metavar="YYYY-MM-DD",
    help="From the beginning of this day; without it, from now.",
)
@click.option(
    "--check", is_flag=True, help="Only say whether the files are right, and what looks like a mistake."
)
@lang_option
@json_option
def command(  # noqa: PLR0913 - one an option
    *,
    config_file: Path | None,
    data_dir: Path,
    days: int,
    first: datetime | None,
    check: bool,
    lang: str | None,
    as_json: bool,
) -> None:
    """List the meetings ahead with who is invited, or check them (status 2 and one line when they are wrong)."""
    from config.load import load_config  # noqa: PLC0415 - keeps --help fast
    from config.settings_file import timezone_of  # noqa: PLC0415
    from tatpar.data_folder.lab_calendar import lab_meetings  # noqa: PLC0415

    config = load_config(config_file, extra_meetings=lab_meetings(data_dir))
    zone, language = timezone_of(config.settings), lang or config.settings.deployment.language
    if check:
        _print_check(config, language, as_json=as_json)
        return
    start = (
        datetime.combine(first.date(), datetime.min.time(), zone) if first else datetime.now(UTC)
    ).timestamp()
    start_ns = int(start) * 10**9
    found = config.calendar.occurrences(start_ns, start_ns + days * DAY_NS)
    if as_json:
        _print_json(config, found)
    else:
        _print_table(config, found, zone, days, language)


def _print_check(config: Config, language: str, *, as_json: bool) -> None:
    if as_json:
        import json  # noqa: PLC0415

        files = [str(path) for path in config.sources.meetings]
        found = {
            "right": True,
            "meetings": len(config.calendar.meetings),
            "look_again": config.calendar.remarks,
            "files": files,
        }
        click.echo(json.dumps(found, ensure_ascii=False, indent=2))
        return
    from telemetry.words import say  # noqa: PLC0415

    for remark in config.calendar.remarks:
        click.echo(say(language, "keeper.look_again", remark=str(remark)))
    places = ", ".join(str(path) for path in config.sources.meetings)
    counted = say(language, "keeper.meetings_counted", count=len(config.calendar.meetings))
    click.echo(say(language, "keeper.right", what=counted, where=places))


def _print_json(config: Config, found: Sequence[Occurrence]) -> None:
    import msgspec  # noqa: PLC0415

    rows = [
        {
            "uid": one.meeting.uid,
            "recurrence_id": _rfc3339(one.recurrence_ns),
            "starts": _rfc3339(one.starts_ns),
            "ends": _rfc3339(one.ends_ns),
            "title": one.meeting.title,
            "title_en": one.meeting.title_en,
            "end": one.meeting.end,
            "profile": one.meeting.profile,
            "offices": len(one.meeting.invited),
            "linked": _linked(config, one),
            "invited": one.meeting.invited,
        }
        for one in found
    ]
    click.echo(msgspec.json.format(msgspec.json.encode(rows)).decode())


def _print_table(
    config: Config, found: Sequence[Occurrence], zone: ZoneInfo, days: int, language: str
) -> None:
    """Titles stand last: the width of Hindi on a terminal is nobody's to know."""
    from tatpar.terminal.columns import padded  # noqa: PLC0415
    from telemetry.words import say  # noqa: PLC0415

    day: date | None = None
    for one in found:
        starts, ends = (_local(ns, zone) for ns in (one.starts_ns, one.ends_ns))
        if starts.date() != day:
            day = starts.date()
            weekday = say(language, f"keeper.weekday_{day.weekday()}")
            click.echo(f"{day:%Y-%m-%d} {weekday} ({zone.key})")
        n = len(one.meeting.invited)
        invited = padded(say(language, "keeper.invited", n=n, linked=_linked(config, one)), 24)
        was = f"{_local(one.recurrence_ns, zone):%Y-%m-%d %H:%M}"
        moved = say(language, "keeper.moved", was=was) if one.recurrence_ns != one.starts_ns else ""
        title = " · ".join(name for name in (one.meeting.title, one.meeting.title_en) if name)
        said = ", ".join(part for part in (title, moved) if part)
        click.echo(
            f"  {starts:%H:%M}–{ends:%H:%M}  {invited}  {one.meeting.end:<12}  {one.meeting.profile:<12}  {said}"
        )
    if not found:
        place = config.sources.meetings[0]
        click.echo(say(language, "keeper.no_meetings", days=days, where=str(place)))


def _linked(config: Config, one: Occurrence) -> int:
    by_id = config.registry.by_id
    return sum(by_id[site].status.value == "linked" for site in one.meeting.invited)


def _local(ns: int, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(ns // 10**9, zone)


def _rfc3339(ns: int) -> str:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=ns // 10**9)).strftime("%Y-%m-%dT%H:%M:%SZ")
