"""What `tatpar ready` shows of the next meetings: read once, then told to people or to a program."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NoReturn

import click

from tatpar.data_folder.decided import decided, is_stale, say_age, watch_age_s
from tatpar.terminal.amiss import no_uid, no_verdicts
from tatpar.terminal.json_time import as_json as json_text
from tatpar.terminal.json_time import rfc3339
from tatpar.terminal.options import failed
from tatpar.verdicts.table import VerdictTable
from tatpar.verdicts.track_record import in_words, track_record
from tatpar.verdicts.underway import failed_already, is_underway
from telemetry.store.errors import StoreError
from telemetry.windows import DAY_NS
from telemetry.words import say

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from analytics.forecast.record import Record
    from config.config import Config
    from config.meetings import Occurrence
    from tatpar.verdicts.underway import Failures
    from telemetry.decisions import Verdict
    from telemetry.rehearsing import LastRehearsal
    from telemetry.state.db import StateDb

REHEARSED_DAYS: Final = 28
"""So far back an office's last rehearsal is looked for."""


@dataclass(frozen=True, slots=True)
class NextMeetings:
    """What is known of them.

    Attributes:
        config: the settings.
        now_ns: when it was read.
        tables: one for each occurrence, in the order of their start.
        said: all verdicts of these days, also of meetings that the settings do not know.
        records: how forecasts came true, by horizon.
        age_s: how old it is; None where the watch never looked.
    """

    config: Config
    now_ns: int
    tables: Sequence[VerdictTable]
    said: Sequence[Verdict]
    records: dict[str, Record]
    age_s: float | None

    @property
    def someone_is_not_ready(self) -> bool:
        """Whether an office is not ready for a meeting that invites it."""
        return any(each.someone_is_not_ready for each in self.tables)

    def as_json(self) -> str:
        """Everything, for programs."""
        found = {
            "as_of": rfc3339(self.now_ns),
            "watch_age_s": None if self.age_s is None else round(self.age_s, 1),
            "watch_is_at_work": not is_stale(self.age_s),
            "track_record": self.records,
            "occurrences": [each.as_json() for each in self.tables],
        }
        return json_text(found)


def occurrences(config: Config, uid: str | None, now_ns: int, language: str) -> list[Occurrence]:
    """Those of the days that are foreseen, or the next one of a meeting; ends the command when there is no such meeting."""
    coming = config.calendar.occurrences(now_ns, now_ns + int(config.settings.watch.forecast_days * DAY_NS))
    if uid is None:
        return coming
    if uid not in {meeting.uid for meeting in config.calendar.meetings}:
        no_uid(config, uid, language)
    return [each for each in coming if each.meeting.uid == uid][:1]


def read(
    config: Config, data_dir: Path, coming: Sequence[Occurrence], now_ns: int, language: str
) -> NextMeetings:
    """What the watch has decided of them, and who has failed one that runs; ends the command where nothing is decided."""
    ahead_ns = int((config.settings.watch.forecast_days + 1) * DAY_NS)
    invited = {site for one in coming for site in one.meeting.invited}
    with decided(data_dir, language) as state:
        said = state.verdicts(now_ns - DAY_NS, now_ns + ahead_ns)
        age_s = watch_age_s(state, now_ns)
        records = track_record(state, now_ns)
        rehearsed = state.last_rehearsals(invited, now_ns - REHEARSED_DAYS * DAY_NS)
        failures = _failures(config, data_dir, state, coming, now_ns, language)
    tables = _tables(config, coming, said, rehearsed, failures, now_ns)
    return NextMeetings(config, now_ns, tables, said, records, age_s)


def show(known: NextMeetings, data_dir: Path, language: str, *, everything: bool) -> None:
    """For people: the headings of all, the offices of the next or of `everything`, and how forecasts came true."""
    tables = known.tables
    if tables and not any(each.verdicts for each in tables):
        _fail_without_verdicts(known, language)
    if tables:
        say_age(known.age_s, data_dir, language)
    else:
        click.echo(say(language, "table.no_meeting", days=known.config.settings.watch.forecast_days))
    for number, each in enumerate(tables):
        click.echo("\n".join(each.heading(language)))
        if everything or number == 0:
            click.echo("\n".join(f"  {line}" for line in each.lines(language)))
    click.echo("\n" + in_words(known.records, language))


def _fail_without_verdicts(known: NextMeetings, language: str) -> NoReturn:
    """No meeting of these settings has a verdict: the watch has given none yet, or it reads other settings."""
    ours = {meeting.uid for meeting in known.config.calendar.meetings}
    strange = {each.meeting for each in known.said if each.starts_ns > known.now_ns} - ours
    failed(no_verdicts(min(strange, default=None), language))


def _failures(  # noqa: PLR0913, PLR0917 - where it stands, and how it is said
    config: Config, data_dir: Path, state: StateDb, coming: Sequence[Occurrence], now_ns: int, language: str
) -> Failures:
    """Who has failed a meeting that runs; of no meeting where the store cannot be read, which is said."""
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
        failed_it = failures.get((each.meeting.uid, each.recurrence_ns))
        if failed_it is None and not is_underway(each, now_ns):
            failed_it = {}
        tables.append(VerdictTable(config, each, verdicts, now_ns, last, failed_it))
    return tables
