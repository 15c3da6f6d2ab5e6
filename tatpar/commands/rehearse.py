"""`tatpar rehearse`: try the load of the call on all invited offices, before the meeting."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tatpar.terminal.amiss import not_coming
from tatpar.terminal.options import failed, json_option, lang_option, settings_and_data, wrong_input
from telemetry.state.file import STATE_FILE

if TYPE_CHECKING:
    from pathlib import Path

    from config.config import Config
    from config.meetings import Occurrence
    from telemetry.rehearsing import RehearsalRecord
    from telemetry.state.db import StateDb

LOOK_S = 0.5
TAKEN_S = 15.0
NOT_HELD = 3
AHEAD_DAYS = 60
"""A meeting is rehearsed at most so long before it begins."""


@click.command(
    epilog="Example: tatpar rehearse --meeting morning-review@tatpar.example",
    short_help="try the load of the call on all invited offices",
)
@click.option("--meeting", default=None, metavar="UID", help="The meeting; its next occurrence.")
@click.option(
    "--site", "sites", multiple=True, metavar="ID", help="Only this office; may be given several times."
)
@click.option(
    "--profile", default="", metavar="ID", help="Climb to this call profile instead of the meeting's own."
)
@click.option("--yes", is_flag=True, help="Do not ask first.")
@click.option("--stop", is_flag=True, help="Stop the rehearsal that is going on.")
@click.option("--list", "listed", is_flag=True, help="The last rehearsals.")
@lang_option
@json_option
@settings_and_data
def command(  # noqa: PLR0913 - one argument an option
    *,
    meeting: str | None,
    sites: tuple[str, ...],
    profile: str,
    yes: bool,
    stop: bool,
    listed: bool,
    lang: str | None,
    config_file: Path | None,
    data_dir: Path,
    as_json: bool,
) -> None:
    """Have the invited offices send and receive what the call will, all in the same second, in growing stages.

    Says for each office the step of the ladder that each way held, and what the hub could take. Ends with 0 when every office
    held the meeting's profile, 3 when one did not, 1 when it could not be done.
    """
    from contextlib import closing  # noqa: PLC0415 - keeps --help fast

    from config.load import load_config  # noqa: PLC0415
    from tatpar.data_folder.lab_calendar import lab_meetings  # noqa: PLC0415
    from telemetry.state.db import StateDb  # noqa: PLC0415
    from telemetry.state.errors import StateError  # noqa: PLC0415

    config = load_config(config_file, extra_meetings=lab_meetings(data_dir))
    language = lang or config.settings.deployment.language
    try:
        with closing(StateDb(data_dir / STATE_FILE)) as state:
            if listed:
                _list(state, config, language, as_json=as_json)
                return
            if stop:
                _stop(state, language)
                return
            if meeting is None:
                wrong_input("--meeting is missing: write the UID of a meeting; tatpar meetings lists them")
            occurrence = _occurrence(config, meeting, language)
            _check(config, occurrence, sites, profile)
            if not yes:
                _confirm(config, occurrence, sites, profile, language)
            rehearsal_id = _asked(state, occurrence, sites, profile, language)
            record = _follow(state, rehearsal_id, config, language, as_json=as_json)
    except StateError as error:
        failed(str(error))
    _report(record, config, language, as_json=as_json)


def _occurrence(config: Config, uid: str, language: str) -> Occurrence:
    """The meeting's next occurrence that has not begun.

    Raises:
        SystemExit: the calendar has none.
    """
    import time  # noqa: PLC0415

    from telemetry.windows import DAY_NS  # noqa: PLC0415

    now_ns = time.time_ns()
    coming = config.calendar.occurrences(now_ns, now_ns + AHEAD_DAYS * DAY_NS)
    own = [one for one in coming if one.meeting.uid == uid and one.starts_ns > now_ns]
    if not own:
        not_coming(uid, dict.fromkeys(one.meeting.uid for one in coming), AHEAD_DAYS, language)
    return min(own, key=lambda one: one.starts_ns)


def _check(config: Config, occurrence: Occurrence, sites: tuple[str, ...], profile: str) -> None:
    from config.text import one_of  # noqa: PLC0415

    for site in sites:
        if site not in occurrence.meeting.invited:
            known = one_of(site, occurrence.meeting.invited)
            wrong_input(f"--site: {site!r} is not invited to {occurrence.meeting.uid}; {known}")
    if profile and profile not in config.profiles:
        wrong_input(f"--profile: there is no call profile {profile!r}; {one_of(profile, config.profiles)}")


def _confirm(
    config: Config, occurrence: Occurrence, sites: tuple[str, ...], profile: str, language: str
) -> None:
    from collector.rehearsing.rungs import rungs_of  # noqa: PLC0415
    from tatpar.rehearsal.table import profile_name  # noqa: PLC0415
    from telemetry.words import say  # noqa: PLC0415
    from telemetry.words.format import NBSP  # noqa: PLC0415

    settings = config.settings.rehearsal
    ladder = rungs_of(config.profiles, profile or occurrence.meeting.profile)
    steps = " → ".join(profile_name(rung.name, config, language) for rung in ladder)
    linked = {site.id for site in config.registry.linked()}
    offices = len(
        linked.intersection(sites or occurrence.meeting.invited)
    )  # the others have no probe that could
    click.echo(
        say(
            language,
            "rehearsal.begin",
            meeting=occurrence.meeting.name(language),
            offices=offices,
            steps=steps,
            each=settings.rung_s,
            most=settings.hub_capacity_bps,
        ).replace(NBSP, " "),
        err=True,
    )
    if not click.confirm(say(language, "rehearsal.begin_now"), err=True):
        failed(say(language, "rehearsal.not_begun"))


def _asked(
    state: StateDb, occurrence: Occurrence, sites: tuple[str, ...], profile: str, language: str
) -> str:
    import time  # noqa: PLC0415

    from collector.enrolment.issuing import who  # noqa: PLC0415
    from telemetry.rehearsing import new_request  # noqa: PLC0415
    from telemetry.state.rehearsals import Asked  # noqa: PLC0415
    from telemetry.words import say  # noqa: PLC0415

    request = new_request(
        meeting=occurrence.meeting.uid,
        recurrence_ns=occurrence.recurrence_ns,
        who=who(),
        now_ns=time.time_ns(),
        sites=sites,
        profile=profile,
    )
    asked, rehearsal_id = state.ask_rehearsal(request)
    if asked is Asked.BUSY:
        failed(say(language, "rehearsal.another", id=rehearsal_id))
    return rehearsal_id


def _follow(
    state: StateDb, rehearsal_id: str, config: Config, language: str, *, as_json: bool
) -> RehearsalRecord:
    """Say how far it is until it is over; Ctrl-C stops it at all offices."""
    import time  # noqa: PLC0415

    from tatpar.rehearsal.table import progress_line  # noqa: PLC0415
    from telemetry.rehearsing import RehearsalState  # noqa: PLC0415
    from telemetry.words import say  # noqa: PLC0415

    began, said, stopped = time.monotonic(), "", False
    while True:
        try:
            record = state.rehearsal(rehearsal_id)
            if record is None:
                failed(say(language, "rehearsal.off_record"))
            if record.ended_ns is not None:
                return record
            if record.state is RehearsalState.WAITING and time.monotonic() - began > TAKEN_S:
                state.put_rehearsal(_given_up(record))
                failed(say(language, "rehearsal.not_taken_up"))
            line = progress_line(record, config, language)
            if line != said and not as_json:
                click.echo(line, err=True)
                said = line
            time.sleep(LOOK_S)
        except KeyboardInterrupt:
            if stopped:
                raise
            stopped = True
            state.stop_rehearsal(rehearsal_id, time.time_ns())
            click.echo(say(language, "progress.stopping"), err=True)


def _given_up(record: RehearsalRecord) -> RehearsalRecord:
    import time  # noqa: PLC0415

    from msgspec import structs  # noqa: PLC0415

    from telemetry.rehearsal_reasons import WhyNot  # noqa: PLC0415
    from telemetry.rehearsing import RehearsalState  # noqa: PLC0415

    return structs.replace(record, state=RehearsalState.REFUSED, why=WhyNot.NO_HUB, ended_ns=time.time_ns())


def _stop(state: StateDb, language: str) -> None:
    import time  # noqa: PLC0415

    from telemetry.words import say  # noqa: PLC0415

    record = state.open_rehearsal()
    if record is None or not state.stop_rehearsal(record.request.id, time.time_ns()):
        failed(say(language, "rehearsal.none_going"))
    click.echo(say(language, "rehearsal.stopping", id=record.request.id))


def _list(state: StateDb, config: Config, language: str, *, as_json: bool) -> None:
    import msgspec  # noqa: PLC0415

    from tatpar.rehearsal.table import list_lines, plain  # noqa: PLC0415

    records = state.rehearsals(50)
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode([plain(one) for one in records])).decode())
        return
    for line in list_lines(records, config, language):
        click.echo(line)


def _report(record: RehearsalRecord, config: Config, language: str, *, as_json: bool) -> None:
    """Print what came of it, and end accordingly."""
    import sys  # noqa: PLC0415

    import msgspec  # noqa: PLC0415

    from tatpar.rehearsal.table import plain, report_lines, state_and_why  # noqa: PLC0415
    from telemetry.rehearsing import OfficeState, RehearsalState  # noqa: PLC0415

    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(plain(record))).decode())
    else:
        for line in report_lines(record, config, language):
            click.echo(line)
    if record.state is not RehearsalState.DONE:
        failed(state_and_why(record, language))
    if any(one.state is not OfficeState.HELD for one in record.offices):
        sys.exit(NOT_HELD)
