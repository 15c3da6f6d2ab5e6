"""`tatpar ready`: the verdict table of the next meetings."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import click

from tatpar.terminal.options import FiniteRange, json_option, lang_option, settings_and_data, wrong_input

if TYPE_CHECKING:
    from pathlib import Path

NOT_READY_STATUS: Final = 3


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
    from tatpar.data_folder.lab_calendar import lab_meetings  # noqa: PLC0415
    from tatpar.verdicts import next_meetings  # noqa: PLC0415

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
    coming = next_meetings.occurrences(config, uid, now_ns, language)
    known = next_meetings.read(config, data_dir, coming, now_ns, language)
    if as_json:
        click.echo(known.as_json())
    else:
        next_meetings.show(known, data_dir, language, everything=everything)
    if known.someone_is_not_ready:
        raise SystemExit(NOT_READY_STATUS)
