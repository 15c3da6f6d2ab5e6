"""`tatpar alerts`: tell the in-charges, and list what was told."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tatpar.options import config_option, data_option, explains_config, failed, json_option, wrong_input

if TYPE_CHECKING:
    from config.live import LiveConfig


_own_config = click.option(
    "--config", "own_config", type=click.Path(path_type=Path), default=None, help="As before the sub-command."
)
_own_data = click.option(
    "--data",
    "own_data",
    type=click.Path(path_type=Path, file_okay=False),
    default=None,
    help="As before the sub-command.",
)


@click.group(invoke_without_command=True)
@config_option
@data_option
@click.pass_context
@explains_config
def command(context: click.Context, config_file: Path | None, data_dir: Path) -> None:
    """Tell the in-charges of offices that are not ready for a meeting that starts soon.

    Without a sub-command it runs until stopped; `tatpar up` includes it.

    Example: tatpar alerts --config tatpar.toml
    """
    context.obj = (config_file, data_dir)
    if context.invoked_subcommand is not None:
        return
    import asyncio  # noqa: PLC0415 - keeps --help fast
    import logging  # noqa: PLC0415

    from config.live import LiveConfig  # noqa: PLC0415
    from telemetry.state.errors import StateError  # noqa: PLC0415

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)-7s %(name)s: %(message)s")
    live = LiveConfig(config_file)
    try:
        asyncio.run(_run(live, data_dir))
    except StateError as error:
        failed(f"tatpar alerts: {error}")


async def _run(live: LiveConfig, data_dir: Path) -> None:
    """Until told to stop."""
    import asyncio  # noqa: PLC0415
    import contextlib  # noqa: PLC0415
    import signal  # noqa: PLC0415

    from alerts.service import Alerts  # noqa: PLC0415
    from telemetry.state.db import StateDb  # noqa: PLC0415

    task = asyncio.current_task()
    assert task is not None
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    with (
        contextlib.suppress(asyncio.CancelledError),
        contextlib.closing(StateDb(data_dir / "state.db")) as state,
    ):
        await Alerts(live, state).run()


@command.command("list")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True)
@_own_config
@_own_data
@json_option
@click.pass_obj
def list_(
    chosen: tuple[Path | None, Path],
    *,
    limit: int,
    own_config: Path | None,  # noqa: ARG001 - taken as everywhere
    own_data: Path | None,
    as_json: bool,
) -> None:
    """What was told, newest first, and what still waits.

    Example: tatpar alerts list --data data
    """
    import contextlib  # noqa: PLC0415
    import json  # noqa: PLC0415
    from dataclasses import asdict  # noqa: PLC0415

    from telemetry.state.db import StateDb  # noqa: PLC0415
    from telemetry.state.errors import StateError  # noqa: PLC0415

    data_dir = own_data or chosen[1]
    path = data_dir / "state.db"
    if not path.exists():
        wrong_input(f"{path}: no such file; name the folder of a running Tatpar with --data")
    try:
        with contextlib.closing(StateDb(path)) as state:
            rows = state.outbox(limit)
    except StateError as error:
        failed(f"tatpar alerts: {error}")
    if as_json:
        click.echo(json.dumps([asdict(row) for row in rows], ensure_ascii=False, indent=2))
        return
    for row in rows:
        word = "sent" if row.sent_ns else (f"waits ({row.error})" if row.error else "waits")
        click.echo(f"{word:<8} {row.recipient:<36} {row.subject}")
    if not rows:
        click.echo("nobody had to be told")


@command.command("test")
@click.argument("address")
@_own_config
@_own_data
@click.pass_obj
@explains_config
def test(
    chosen: tuple[Path | None, Path],
    *,
    address: str,
    own_config: Path | None,
    own_data: Path | None,  # noqa: ARG001 - taken as everywhere
) -> None:
    """Send one mail to ADDRESS now, to see that the settings work.

    Example: tatpar alerts test noc@example.org --config tatpar.toml
    """
    import time  # noqa: PLC0415

    from alerts.mail import DeliveryError, send  # noqa: PLC0415

    from config.load import load_config  # noqa: PLC0415
    from telemetry.state.outbox import OutboxRow  # noqa: PLC0415
    from telemetry.words import say  # noqa: PLC0415

    settings = load_config(own_config or chosen[0]).settings
    if not settings.alerts.smtp_host:
        wrong_input("alerts.smtp_host is empty; write the mail server's name under [alerts] in the settings")
    now_ns = time.time_ns()
    language = settings.deployment.language
    text = say(language, "mail.test", name=settings.deployment.name)
    row = OutboxRow(f"test/{now_ns}", "mail", address, text, text + "\n", now_ns, 0, None, "")
    try:
        send(row, settings.alerts)
    except DeliveryError as error:
        failed(f"tatpar alerts: {error}")
    click.echo(f"{settings.alerts.smtp_host} took the mail to {address}")


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
@_own_config
@_own_data
@json_option
@click.pass_obj
@explains_config
def templates(  # noqa: PLR0913
    chosen: tuple[Path | None, Path],
    *,
    lang: str | None,
    form: str,
    places: str | None,
    as_csv: bool,
    own_config: Path | None,
    own_data: Path | None,  # noqa: ARG001 - taken as everywhere
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
    from tatpar.template_list import as_table, as_text  # noqa: PLC0415

    phone = load_config(own_config or chosen[0]).settings.deployment.noc_phone
    written = Places(places or ("dlt" if form == "sms" else "whatsapp"))
    languages = (lang,) if lang else ("hi", "en")
    found = [entry for language in languages for entry in entries(language, Form(form), phone, written)]
    if as_json:
        import msgspec  # noqa: PLC0415

        click.echo(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())
        return
    click.echo(as_table(found) if as_csv else as_text(found), nl=False)
