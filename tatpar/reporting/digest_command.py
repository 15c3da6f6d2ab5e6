"""`tatpar report digest`: the half page of a meeting, now."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tatpar.terminal.amiss import no_meeting
from tatpar.terminal.options import (
    explained,
    failed,
    json_option,
    lang_option,
    settings_and_data,
    wrong_input,
)
from telemetry.windows import DAY_NS

if TYPE_CHECKING:
    from config.config import Config
    from config.meetings import Occurrence

LOOK_NS = 31 * DAY_NS
"""So far ahead, or back, an occurrence is looked for."""


@click.command("digest")
@settings_and_data
@click.option(
    "--meeting", "uid", required=True, metavar="UID", help="The meeting: tatpar meetings lists them."
)
@click.option(
    "--at",
    "at",
    default=None,
    metavar="TIME",
    help="The one that starts then, as 2026-11-26T11:00; default: the next, of --after the last.",
)
@click.option("--before", "side", flag_value="before", default="before", help="Who is not ready.  [default]")
@click.option("--after", "side", flag_value="after", help="What came true.")
@lang_option
@click.option(
    "--html", "html_file", type=click.Path(path_type=Path, dir_okay=False), help="Also write the mail's page."
)
@click.option("--send", is_flag=True, help="Send it to the meeting's readers now, each in their language.")
@json_option
def digest(  # noqa: PLR0913 - one an option
    *,
    config_file: Path | None,
    data_dir: Path,
    uid: str,
    at: str | None,
    side: str,
    lang: str | None,
    html_file: Path | None,
    send: bool,
    as_json: bool,
) -> None:
    """Print the digest of a meeting as it is known now; who called it gets it by itself an hour before and after.

    Example: tatpar report digest --meeting weekly-review --after --lang en
    """
    import json  # noqa: PLC0415 - keeps --help fast
    import time  # noqa: PLC0415

    from config.load import load_config  # noqa: PLC0415
    from reports.digest import Side  # noqa: PLC0415
    from reports.digest_document import document  # noqa: PLC0415
    from reports.digest_mail import html, plain  # noqa: PLC0415
    from tatpar.data_folder.decided import decided  # noqa: PLC0415
    from tatpar.data_folder.lab_calendar import lab_meetings  # noqa: PLC0415
    from tatpar.reporting.digesting import by_hand, made  # noqa: PLC0415
    from telemetry.words import say  # noqa: PLC0415

    config, now_ns = load_config(config_file, extra_meetings=lab_meetings(data_dir)), time.time_ns()
    language = lang or config.settings.deployment.language
    occurrence = _occurrence(config, uid, at, Side(side), now_ns, language)
    sent: list[str] = []
    with decided(data_dir, language) as state:
        found = made(config, state, occurrence, Side(side))
        if send:
            sent = by_hand(config, state, found, Side(side), now_ns)
    page = document(found, config, language, now_ns)
    try:
        if html_file is not None:
            html_file.write_text(html(page), encoding="utf-8")
    except OSError as error:
        failed(f"tatpar report digest: {explained(error)}")
    if as_json:
        told = {"subject": page.title, "text": plain(page), "sent_to": sent}
        click.echo(json.dumps(told, ensure_ascii=False))
        return
    click.echo(plain(page), nl=False)
    if send:
        names = ", ".join(sent) or say(language, "digest.posted_to_nobody")
        click.echo(say(language, "digest.posted", names=names), err=True)


def _occurrence(  # noqa: PLR0913, PLR0917 - what was asked, when, and in which language
    config: Config, uid: str, at: str | None, side: str, now_ns: int, language: str
) -> Occurrence:
    """The one that is meant; a slip of the pen ends the command, in one line."""
    from reports.digest import Side  # noqa: PLC0415

    if uid not in {each.uid for each in config.calendar.meetings}:
        no_meeting(config, uid, language)
    there = config.calendar.occurrences(now_ns - LOOK_NS, now_ns + LOOK_NS)
    there = [one for one in there if one.meeting.uid == uid]
    if at is not None:
        at_ns = _time_ns(config, at)
        found = [one for one in there if one.starts_ns == at_ns]
    elif side == Side.BEFORE:
        found = [one for one in there if one.ends_ns > now_ns]
    else:
        found = [one for one in reversed(there) if one.ends_ns <= now_ns]
    if not found:
        when = (
            f"at {at}" if at else "to come within 31 days" if side == Side.BEFORE else "in the last 31 days"
        )
        wrong_input(f"{uid}: there is none {when}; tatpar meetings lists the times")
    if side == Side.AFTER and found[0].ends_ns > now_ns:
        wrong_input(f"{uid}: it is not over yet; leave out --after")
    return found[0]


def _time_ns(config: Config, text: str) -> int:
    from datetime import datetime  # noqa: PLC0415

    from config.settings_file import timezone_of  # noqa: PLC0415

    try:
        when = datetime.fromisoformat(text.strip())
    except ValueError:
        wrong_input(f"--at: {text!r} is no time; write it as 2026-11-26T11:00")
    when = when if when.tzinfo else when.replace(tzinfo=timezone_of(config.settings))
    return int(when.timestamp()) * 10**9
