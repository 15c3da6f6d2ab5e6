"""`tatpar alerts`: tell the in-charges, and list what was told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tatpar.alerting.place import placed, state_of
from tatpar.terminal.duration import Duration
from tatpar.terminal.options import (
    config_language,
    failed,
    json_option,
    lang_option,
    settings_and_data,
    wrong_input,
)
from telemetry.state.file import STATE_FILE

if TYPE_CHECKING:
    from pathlib import Path

    from config.live import LiveConfig


@click.group(invoke_without_command=True)
@settings_and_data
@click.pass_context
def command(context: click.Context, config_file: Path | None, data_dir: Path) -> None:
    """Tell the in-charges of offices that are not ready for a meeting that starts soon.

    Without a sub-command it runs until stopped; `tatpar up` includes it.

    Example: tatpar alerts --config tatpar.toml
    """
    context.obj = (config_file, data_dir)
    if context.invoked_subcommand is not None:
        return
    import asyncio  # noqa: PLC0415 - keeps --help fast

    from config.live import LiveConfig  # noqa: PLC0415
    from tatpar.service.logs import set_up  # noqa: PLC0415
    from telemetry.state.errors import StateError  # noqa: PLC0415

    set_up("text")
    live = LiveConfig(config_file)
    try:
        asyncio.run(_run(live, data_dir))
    except (StateError, OSError) as error:
        failed(f"tatpar alerts: {error}")


async def _run(live: LiveConfig, data_dir: Path) -> None:
    """Until told to stop."""
    import asyncio  # noqa: PLC0415
    import contextlib  # noqa: PLC0415
    import signal  # noqa: PLC0415
    from functools import partial  # noqa: PLC0415

    from alerts.service import Alerts  # noqa: PLC0415
    from tatpar.hub.answering import answering, hears, together  # noqa: PLC0415
    from tatpar.service.notify import serving  # noqa: PLC0415
    from telemetry.state.db import StateDb  # noqa: PLC0415

    task = asyncio.current_task()
    assert task is not None
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    with (
        contextlib.suppress(asyncio.CancelledError),
        contextlib.closing(StateDb(data_dir / STATE_FILE)) as state,
    ):
        work = [Alerts(live, state).run()]
        if hears(live.current.settings.alerts.delivery):
            work.append(answering(live, state, data_dir, partial(click.echo, err=True)))
        async with serving("telling whom it concerns"):
            await together(*work)


@command.command("list")
@click.option("--open", "which", flag_value="open", help="The alerts that are not over.")
@click.option(
    "--outbox", "which", flag_value="outbox", default=True, help="The messages, newest first.  [default]"
)
@click.option("--dead", "which", flag_value="dead", help="The messages that were given up, and why.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True)
@lang_option
@json_option
@placed
def list_(  # noqa: PLR0913 - one argument an option
    *, config_file: Path | None, data_dir: Path, which: str, limit: int, lang: str | None, as_json: bool
) -> None:
    """What was told, newest first, and what still waits; or the alerts that are open.

    Example: tatpar alerts list --open
    """
    import time  # noqa: PLC0415 - keeps --help fast

    from config.load import load_config  # noqa: PLC0415
    from tatpar.alerting import listing  # noqa: PLC0415
    from tatpar.alerting.left_behind import left_behind  # noqa: PLC0415
    from telemetry.words import say  # noqa: PLC0415

    language = lang or config_language(config_file)
    with state_of(data_dir, language) as state:
        if which == "open":
            alerts, now_ns = state.open_alerts()[:limit], time.time_ns()
            left = left_behind(state, alerts, now_ns)
        else:
            rows = state.dead(limit) if which == "dead" else state.outbox(limit)
    if as_json:
        click.echo(listing.alerts_json(alerts) if which == "open" else listing.outbox_json(rows))
        return
    config = load_config(config_file)
    if which == "open":
        lines = listing.alert_lines(alerts, config, language, now_ns, left)
    else:
        lines = list(listing.outbox_lines(rows, language)) or [say(language, f"nothing.{which}")]
    click.echo("\n".join(lines))


@command.command("test")
@click.argument("person")
@click.option("--channel", default=None, metavar="NAME", help="By this channel; default: the person's first.")
@lang_option
@placed
def test(
    *,
    config_file: Path | None,
    data_dir: Path,  # noqa: ARG001 - taken as everywhere
    person: str,
    channel: str | None,
    lang: str | None,
) -> None:
    """Send one message to PERSON now, and say what the other side answered.

    PERSON is an id of people.csv, a mail address, or a telephone number with --channel.

    Example: tatpar alerts test noc@example.org --config tatpar.toml
    """
    import time  # noqa: PLC0415

    from config.load import load_config  # noqa: PLC0415
    from tatpar.alerting.trying import test as tried  # noqa: PLC0415

    config = load_config(config_file)
    language = lang or config.settings.deployment.language
    click.echo(tried(config, language, person, channel, time.time_ns()))


_by = click.option("--by", required=True, metavar="NAME", help="Who says so.")
_note = click.option("--note", default="", metavar="TEXT", help="A remark for the others.")


@command.command("ack")
@click.argument("alert")
@_by
@_note
@lang_option
@placed
def ack(  # noqa: PLR0913 - one argument an option
    *, config_file: Path | None, data_dir: Path, alert: str, by: str, note: str, lang: str | None
) -> None:
    """Say that somebody has taken ALERT up: nobody further is told, unless it gets worse.

    Example: tatpar alerts ack K7M2PQ --by "R. Singh" --note "at the provider"
    """
    import time  # noqa: PLC0415

    from config.load import load_config  # noqa: PLC0415
    from tatpar.alerting.acting import acknowledge  # noqa: PLC0415

    config = load_config(config_file)
    language = lang or config.settings.deployment.language
    with state_of(data_dir, language) as state:
        click.echo(acknowledge(state, config, language, alert, by, note, time.time_ns()))


@command.command("silence")
@click.argument("what")
@click.option("--for", "for_s", type=Duration(), required=True, help="For so long: 90s, 5m, 2h.")
@_by
@_note
@lang_option
@placed
def silence(  # noqa: PLR0913 - one argument an option
    *,
    config_file: Path | None,
    data_dir: Path,
    what: str,
    for_s: float,
    by: str,
    note: str,
    lang: str | None,
) -> None:
    """Have nothing sent of WHAT for a while: site:ID, region:ID, incident:ID, alert:ID or all.

    Example: tatpar alerts silence site:agra --for 2h --by "R. Singh" --note "the line is being moved"
    """
    import time  # noqa: PLC0415

    from config.load import load_config  # noqa: PLC0415
    from tatpar.alerting.acting import silence as silenced  # noqa: PLC0415

    config = load_config(config_file)
    language = lang or config.settings.deployment.language
    with state_of(data_dir, language) as state:
        click.echo(silenced(state, config, language, what, for_s, by, note, time.time_ns()))


@command.command("silences")
@lang_option
@json_option
@placed
def silences(*, config_file: Path | None, data_dir: Path, lang: str | None, as_json: bool) -> None:
    """The silences that hold now.

    Example: tatpar alerts silences
    """
    import time  # noqa: PLC0415

    from config.load import load_config  # noqa: PLC0415
    from tatpar.alerting import listing  # noqa: PLC0415

    config = load_config(config_file)
    language = lang or config.settings.deployment.language
    with state_of(data_dir, language) as state:
        found = state.silences(time.time_ns())
    if as_json:
        click.echo(listing.silences_json(found))
        return
    click.echo("\n".join(listing.silence_lines(found, config, language)))


@command.command("unsilence")
@click.argument("silence_id", metavar="ID")
@lang_option
@placed
def unsilence(*, config_file: Path | None, data_dir: Path, silence_id: str, lang: str | None) -> None:
    """End a silence before its time.

    Example: tatpar alerts unsilence Q4T9XB
    """
    import time  # noqa: PLC0415

    from tatpar.alerting.acting import unsilence as ended  # noqa: PLC0415

    language = lang or config_language(config_file)
    with state_of(data_dir, language) as state:
        click.echo(ended(state, language, silence_id, time.time_ns()))


@command.command("retry")
@click.argument("key")
@lang_option
@placed
def retry(*, config_file: Path | None, data_dir: Path, key: str, lang: str | None) -> None:
    """Have a message tried again that was given up, or that waits for its next attempt.

    Example: tatpar alerts retry K7M2PQ/site:agra/mail/1
    """
    import time  # noqa: PLC0415

    from tatpar.alerting.acting import retry as tried_again  # noqa: PLC0415

    language = lang or config_language(config_file)
    with state_of(data_dir, language) as state:
        click.echo(tried_again(state, language, key, time.time_ns()))


@command.command("templates")
@click.option("--lang", type=click.Choice(["hi", "en"]), default=None, help="One language; without it both.")
@click.option("--form", type=click.Choice(["sms", "chat"]), default="sms", show_default=True)
@click.option(
    "--places",
    type=click.Choice(["dlt", "whatsapp", "named"]),
    default=None,
    help="How the places are written: {#var#}, {{1}} or {meeting}.  [default: dlt for sms, whatsapp for chat]",
)
@click.option("--csv", "as_csv", is_flag=True, help="As CSV.")
@json_option
@placed
def templates(  # noqa: PLR0913
    *,
    config_file: Path | None,
    data_dir: Path,  # noqa: ARG001 - taken as everywhere
    lang: str | None,
    form: str,
    places: str | None,
    as_csv: bool,
    as_json: bool,
) -> None:
    """The numbered templates of the messages, as a provider wants them on file.

    Example: tatpar alerts templates --lang hi --csv
    """
    if as_csv and as_json:
        wrong_input("--csv and --json: choose one of them")
    from alerts.facts import Form  # noqa: PLC0415
    from alerts.words.registry import Places, entries  # noqa: PLC0415
    from config.load import load_config  # noqa: PLC0415
    from tatpar.alerting.templates import as_table, as_text  # noqa: PLC0415

    phone = load_config(config_file).settings.deployment.noc_phone
    written = Places(places or ("dlt" if form == "sms" else "whatsapp"))
    languages = (lang,) if lang else ("hi", "en")
    found = [entry for language in languages for entry in entries(language, Form(form), phone, written)]
    if as_json:
        import msgspec  # noqa: PLC0415

        click.echo(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())
        return
    click.echo(as_table(found) if as_csv else as_text(found), nl=False)
