"""`tatpar ready`: the verdict table of the next meetings."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, NoReturn

import click

from tatpar.terminal.amiss import no_uid, no_verdicts
from tatpar.terminal.options import FiniteRange, json_option, lang_option, settings_and_data, wrong_input
from telemetry.windows import DAY_NS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from analytics.forecast.record import Record
    from config.config import Config
    from config.meetings import Occurrence
    from tatpar.verdicts.table import VerdictTable
    from tatpar.verdicts.underway import Failures
    from telemetry.decisions import Verdict
    from telemetry.rehearsing import LastRehearsal
    from telemetry.state.db import StateDb

NOT_READY_STATUS: Final = 3
REHEARSED_DAYS: Final = 28
"""So far back an office's last rehearsal is looked for."""


@click.command(
    epilog="Example: tatpar ready --lang en --meeting morning-review@example",
    short_help="the verdict table of the next meetings",
)
@settings_and_data
@click.option(
    "--meeting",
    "uid",
    default=None,
    metavar="UID",
    help="Only this meeting, the next time that it takes place.",
)
@click.option("--all", "everything", is_flag=True, help="The offices of every meeting, not only of the next.")
@lang_option
@click.option(
    "--at", "at", default=None, metavar="TIME", help="What to expect at this time: 2026-11-26T11:00 or 11:00."
)
@click.option(
    "--or", "other", default=None, metavar="TIME", help="With --at: which of the two times is better."
)
@click.option(
    "--for",
    "minutes",
    type=FiniteRange(5, 1440),
    default=None,
    metavar="MINUTES",
    help="With --at: how long; default: as the meeting, else 60.",
)
@click.option(
    "--end",
    default=None,
    help="With --at: the headquarters to connect to; default: as the meeting, else the settings'.",
)
@click.option(
    "--profile",
    default=None,
    help="With --at: the call profile; default: as the meeting, else the settings'.",
)
@json_option
def command(  # noqa: PLR0913 - one an option
    *,
    config_file: Path | None,
    data_dir: Path,
    uid: str | None,
    everything: bool,
    lang: str | None,
    at: str | None,
    other: str | None,
    minutes: float | None,
    end: str | None,
    profile: str | None,
    as_json: bool,
) -> None:
    """Which offices will hold the next meetings, which will not, and why.

    Of a meeting that runs the verdict is about what is left of it; who has failed it already, whatever comes, is named.

    With --at, and --or: how many offices would hold a meeting at one time or the other, and which offices differ.

    Exit status 3 when an invited office is not ready for any meeting shown, 1 when there are no verdicts.
    """
    from config.load import load_config  # noqa: PLC0415 - keeps --help fast
    from tatpar.data_folder.decided import decided, say_age, watch_age_s  # noqa: PLC0415
    from tatpar.data_folder.lab_calendar import lab_meetings  # noqa: PLC0415
    from tatpar.verdicts.track_record import in_words, track_record  # noqa: PLC0415

    if at is not None and everything:
        wrong_input("--at: --all does not go with it; name one or the other")
    config, now_ns = load_config(config_file, extra_meetings=lab_meetings(data_dir)), time.time_ns()
    language = lang or config.settings.deployment.language
    if at is not None:
        from tatpar.verdicts.asked_times import Question  # noqa: PLC0415
        from tatpar.verdicts.better_time import answer  # noqa: PLC0415

        times = (at,) if other is None else (at, other)
        question = Question(times=times, uid=uid, minutes=minutes, end=end, profile=profile)
        answer(config, data_dir, question, language, as_json=as_json)
        return
    if not (other is None and minutes is None and end is None and profile is None):
        wrong_input("--or, --for, --end and --profile go with --at; write --at TIME too")
    days = config.settings.watch.forecast_days
    coming = config.calendar.occurrences(now_ns, now_ns + int(days * DAY_NS))
    if uid is not None:
        coming = _only(config, coming, uid, language)
    with decided(data_dir, language) as state:
        said = state.verdicts(now_ns - DAY_NS, now_ns + int((days + 1) * DAY_NS))
        age_s = watch_age_s(state, now_ns)
        records = track_record(state, now_ns)
        invited = {site for one in coming for site in one.meeting.invited}
        rehearsed = state.last_rehearsals(invited, now_ns - REHEARSED_DAYS * DAY_NS)
        failures = _failures(config, data_dir, state, coming, now_ns, language)
    tables = _tables(config, coming, said, rehearsed, failures, now_ns)
    if as_json:
        _print_json(tables, records, age_s, now_ns)
    else:
        if tables and not any(each.verdicts for each in tables):
            _fail_without_verdicts(config, said, now_ns, language)
        if tables:
            say_age(age_s, data_dir, language)
        _print(config, tables, language, everything=everything)
        click.echo("\n" + in_words(records, language))
    if any(each.someone_is_not_ready for each in tables):
        raise SystemExit(NOT_READY_STATUS)


def _only(config: Config, coming: Sequence[Occurrence], uid: str, language: str) -> list[Occurrence]:
    """The next occurrence of a meeting."""
    if uid not in {meeting.uid for meeting in config.calendar.meetings}:
        no_uid(config, uid, language)
    return [each for each in coming if each.meeting.uid == uid][:1]


def _fail_without_verdicts(config: Config, said: Sequence[Verdict], now_ns: int, language: str) -> NoReturn:
    """No meeting of these settings has a verdict: the watch has given none yet, or it reads other settings."""
    from tatpar.terminal.options import failed  # noqa: PLC0415

    known = {meeting.uid for meeting in config.calendar.meetings}
    strange = {each.meeting for each in said if each.starts_ns > now_ns} - known
    failed(no_verdicts(min(strange, default=None), language))


def _failures(  # noqa: PLR0913, PLR0917 - where it stands, and how it is said
    config: Config, data_dir: Path, state: StateDb, coming: Sequence[Occurrence], now_ns: int, language: str
) -> Failures:
    """Who has failed a meeting that runs; of no meeting where the store cannot be read, which is said."""
    from tatpar.verdicts.underway import failed_already  # noqa: PLC0415
    from telemetry.store.errors import StoreError  # noqa: PLC0415
    from telemetry.words import say  # noqa: PLC0415

    try:
        return failed_already(config, data_dir, state, coming, now_ns)
    except StoreError as error:
        click.echo(say(language, "table.failed_unknown", error=str(error)), err=True)
        return {}


def _tables(  # noqa: PLR0913, PLR0917 - what is known of the offices
    config: Config,
    coming: Sequence[Occurrence],
    said: Sequence[Verdict],
    rehearsed: Mapping[str, LastRehearsal],
    failures: Failures,
    now_ns: int,
) -> list[VerdictTable]:
    from tatpar.verdicts.table import VerdictTable  # noqa: PLC0415
    from tatpar.verdicts.underway import is_underway  # noqa: PLC0415

    by_occurrence: dict[tuple[str, int, int], dict[str, Verdict]] = {}
    for verdict in said:
        key = verdict.meeting, verdict.occurrence_ns, verdict.starts_ns
        by_occurrence.setdefault(key, {})[verdict.site] = verdict
    tables = []
    for each in coming:
        found = by_occurrence.get((each.meeting.uid, each.recurrence_ns, each.starts_ns), {})
        invited = each.meeting.invited
        verdicts = [found[site] for site in invited if site in found]
        last = {site: rehearsed[site] for site in invited if site in rehearsed}
        failed = failures.get((each.meeting.uid, each.recurrence_ns))
        if failed is None and not is_underway(each, now_ns):
            failed = {}
        tables.append(VerdictTable(config, each, verdicts, now_ns, last, failed))
    return tables


def _print_json(
    tables: Sequence[VerdictTable], records: dict[str, Record], age_s: float | None, now_ns: int
) -> None:
    from tatpar.data_folder.decided import is_stale  # noqa: PLC0415
    from tatpar.terminal.json_time import as_json, rfc3339  # noqa: PLC0415

    found = {
        "as_of": rfc3339(now_ns),
        "watch_age_s": None if age_s is None else round(age_s, 1),
        "watch_is_at_work": not is_stale(age_s),
        "track_record": records,
        "occurrences": [each.as_json() for each in tables],
    }
    click.echo(as_json(found))


def _print(config: Config, tables: Sequence[VerdictTable], language: str, *, everything: bool) -> None:
    from telemetry.words import say  # noqa: PLC0415

    if not tables:
        click.echo(say(language, "table.no_meeting", days=config.settings.watch.forecast_days))
        return
    for number, each in enumerate(tables):
        click.echo("\n".join(each.heading(language)))
        if everything or number == 0:
            click.echo("\n".join(f"  {line}" for line in each.lines(language)))
