"""`tatpar enroll`: credentials, broker user, access and the file for one office."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tatpar.identity.at_the_terminal import (
    check_names,
    opened_hub,
    say_answer,
    say_rows,
    say_whether_told,
)
from tatpar.terminal.options import json_option, lang_option, settings_and_data, wrong_input

if TYPE_CHECKING:
    from tatpar.identity.enrolling import Hub

_SPAN = re.compile(r"(\d+(?:\.\d+)?)(m|h|d)")
_HOURS = {"m": 1 / 60, "h": 1.0, "d": 24.0}
ROTATE_S = 60.0


@click.command(
    epilog="Example: tatpar enroll agra --out agra.enrolment.toml --valid 48h; tatpar enroll list",
    short_help="credentials, broker user, access and the file for one office",
)
@click.argument("site", required=False)
@settings_and_data
@click.option("--probe", default="p1", show_default=True, metavar="ID", help="Which probe of the office.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    default=None,
    help="The office's file; - for the terminal; default SITE-PROBE.enrolment.toml.",
)
@click.option("--valid", default=None, metavar="SPAN", help="How long the token is good, as 48h, 30m or 7d.")
@click.option("--renew", is_flag=True, help="Another file for a probe that is enrolled or invited already.")
@click.option("--rotate", is_flag=True, help="New password and keys for a running probe, without a restart.")
@click.option(
    "--rotate-hub", is_flag=True, help="A new password for the hub itself at the broker that it brings."
)
@click.option(
    "--acl", is_flag=True, help="Print access list and password lines for a broker that runs elsewhere."
)
@click.option(
    "--reflector-keys", is_flag=True, help="Print the keys file of a reflector (tatpar reflect --keys)."
)
@click.option(
    "--desk", is_flag=True, help="Serve the enrolment desk as a process of its own (part of `tatpar up`)."
)
@lang_option
@json_option
def command(  # noqa: PLR0913 - one argument an option
    *,
    site: str | None,
    config_file: Path | None,
    data_dir: Path,
    probe: str,
    out: Path | None,
    valid: str | None,
    renew: bool,
    rotate: bool,
    rotate_hub: bool,
    acl: bool,
    reflector_keys: bool,
    desk: bool,
    lang: str | None,
    as_json: bool,
) -> None:
    """Let a probe in: broker user, access list, and ONE file for the office with a one-time token.

    SITE is an office's id, or `list` for who is enrolled. The office runs: tatpar probe --enrolment FILE
    """
    from config.load import load_config  # noqa: PLC0415 - keeps --help fast

    if rotate and renew:
        wrong_input(
            "--rotate gives new keys to a running probe, --renew makes another file for one that lost them: write one"
        )
    config = load_config(config_file)
    language = lang or config.settings.deployment.language
    hours = config.settings.enrolment.token_hours if valid is None else _hours(valid)
    with opened_hub(config, data_dir, language) as hub:
        if desk:
            _serve_desk(hub)
        elif acl:
            _print_acl(hub)
        elif reflector_keys:
            _print_reflector_keys(hub)
        elif rotate_hub:
            _rotate_hub(hub, language)
        elif site is None:
            wrong_input("SITE is missing: write an office's id, or list")
        elif site == "list":
            _list(hub, language, as_json=as_json)
        else:
            check_names(config, site, probe, language)
            if rotate:
                _rotate(hub, language, site, probe, as_json=as_json)
            else:
                file = out or Path(f"{site}-{probe}.enrolment.toml")
                _enroll(hub, language, site, probe, hours, file, renew=renew)


def _hours(text: str) -> float:
    found = _SPAN.fullmatch(text)
    hours = float(found[1]) * _HOURS[found[2]] if found else 0.0
    if not 0 < hours <= 24 * 90:
        wrong_input(f"--valid: {text!r} is no span of at most 90 days; write it as 48h, 30m or 7d")
    return hours


def _enroll(  # noqa: PLR0913, PLR0917 - one argument an option
    hub: Hub, language: str, site: str, probe: str, hours: float, out: Path, *, renew: bool
) -> None:
    import time  # noqa: PLC0415

    from collector.enrolment.issuing import issue  # noqa: PLC0415
    from collector.enrolment.private_files import write_private  # noqa: PLC0415
    from config.settings_file import timezone_of  # noqa: PLC0415
    from tatpar.identity.enrolling import office_file  # noqa: PLC0415
    from telemetry.state.credentials import Standing  # noqa: PLC0415
    from telemetry.words import say  # noqa: PLC0415

    if not hub.desks or not hub.settings.desk_host:
        wrong_input(
            "there is no enrolment desk: broker.public_host and enrolment.host are empty; set one of them in tatpar.toml"
        )
    if str(out) != "-":
        _check_place(out)
    now_ns = time.time_ns()
    standing = hub.state.standings(now_ns).get((site, probe))
    if standing in {Standing.ENROLLED, Standing.INVITED} and not renew:
        wrong_input(say(language, f"identity.already_{standing.value}", who=f"{site}/{probe}", site=site))
    if str(out) != "-" and out.exists() and not renew:
        wrong_input(f"--out: {out} is there already, perhaps another office's; remove it, or name another")
    valid_ns = round(hours * 3600e9)
    what = "renew" if renew else "enrol"
    issued = issue(hub.state, hub.keys, site, probe, now_ns=now_ns, valid_ns=valid_ns, what=what)
    text = office_file(hub, issued)
    if str(out) == "-":
        click.echo(text, nl=False)
    else:
        write_private(out, text.encode())
        zone, until = timezone_of(hub.settings), issued.credential.expires_ns
        told = {"file": str(out), "who": f"{site}/{probe}"}
        click.echo(say(language, "identity.invited", zone=zone, until=until, **told))
    say_whether_told(hub, language)


def _check_place(out: Path) -> None:
    """Before anything is issued; what `--renew` replaces is the file of before, and nothing else that has its name."""
    from config.plain_file import must_be_replaceable  # noqa: PLC0415

    if not os.access(out.absolute().parent, os.W_OK):
        wrong_input(f"--out: no file can be written in {out.absolute().parent}; name another place")
    try:
        must_be_replaceable(out)
    except OSError as error:
        wrong_input(f"--out: {out}: {error.strerror}; name another place")


def _rotate(hub: Hub, language: str, site: str, probe: str, *, as_json: bool) -> None:
    import time  # noqa: PLC0415

    from collector.enrolment.issuing import current, issue  # noqa: PLC0415
    from tatpar.identity.enrolling import answered, order  # noqa: PLC0415
    from telemetry.words import say  # noqa: PLC0415

    now_ns = time.time_ns()
    if current(hub.state, site, probe, now_ns) is None:
        wrong_input(say(language, "identity.not_enrolled", who=f"{site}/{probe}", site=site))
    valid_ns = round(2 * ROTATE_S * 1e9)  # the token goes with the command and is of no use much longer
    issued = issue(hub.state, hub.keys, site, probe, now_ns=now_ns, valid_ns=valid_ns, what="rotate")
    say_whether_told(hub, language)
    arguments = {"token": issued.token, "generation": str(issued.credential.generation)}
    row = order(hub, site, probe, "rotate", arguments, ROTATE_S)
    say_answer(hub, answered(hub, row), language, as_json=as_json)


def _rotate_hub(hub: Hub, language: str) -> None:
    import time  # noqa: PLC0415

    from collector.enrolment.issuing import who  # noqa: PLC0415
    from telemetry.words import say  # noqa: PLC0415

    broker = hub.settings.broker
    if not broker.is_public or broker.user:
        wrong_input(
            "the hub has no password of its own making: that is so when broker.public_host is set and broker.user is empty"
        )
    hub.keys.renew_hub_login()
    hub.state.note_identity(time.time_ns(), who(), "rotate-hub", "", "")
    click.echo(say(language, "identity.hub_password"))


def _serve_desk(hub: Hub) -> None:
    import asyncio  # noqa: PLC0415
    import contextlib  # noqa: PLC0415
    import signal  # noqa: PLC0415
    import socket  # noqa: PLC0415

    from tatpar.hub.desk import serve_desk  # noqa: PLC0415
    from tatpar.service import notify  # noqa: PLC0415
    from tatpar.service.logs import set_up  # noqa: PLC0415

    settings = hub.settings
    if not settings.desk_host or (not settings.broker.is_public and settings.broker.port == 0):
        wrong_input("there is no desk to serve: set enrolment.host, and broker.public_host or broker.port")
    set_up("text")
    own = (settings.broker.host, settings.broker.port)

    async def until_told(listener: socket.socket) -> None:
        serving = asyncio.create_task(serve_desk(settings, hub.data_dir, hub.state, own, listener))
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, serving.cancel)
        with contextlib.suppress(asyncio.CancelledError):
            async with notify.serving("enrolment desk"):
                await serving

    family = socket.AF_INET6 if ":" in settings.desk_host else socket.AF_INET
    with socket.create_server((settings.desk_host, settings.enrolment.port), family=family) as listener:
        listener.setblocking(False)
        click.echo(f"enrolment desk: {', '.join(hub.desks)}", err=True)
        asyncio.run(until_told(listener))


def _print_acl(hub: Hub) -> None:
    import time  # noqa: PLC0415

    from collector.enrolment.doorkeeper import rules_for  # noqa: PLC0415

    rules = rules_for(hub.state, hub.settings.broker.root, time.time_ns())
    click.echo("# access list (mosquitto's acl_file)\n" + rules.access)
    click.echo("# passwords (mosquitto's password_file: PBKDF2 with SHA-512)\n" + rules.passwords, nl=False)


def _print_reflector_keys(hub: Hub) -> None:
    import time  # noqa: PLC0415

    from collector.enrolment.issuing import reflector_keys  # noqa: PLC0415

    for line in reflector_keys(hub.state, hub.keys, time.time_ns()):
        click.echo(line)


def _list(hub: Hub, language: str, *, as_json: bool) -> None:
    import time  # noqa: PLC0415

    from tatpar.terminal.json_time import rfc3339  # noqa: PLC0415

    now_ns = time.time_ns()
    newest = {(one.site, one.probe): one for one in hub.state.credentials()}
    presence = hub.state.presence()
    rows = []
    for whose, standing in hub.state.standings(now_ns).items():
        one, seen = newest[whose], presence.get(whose)
        rows.append(
            {
                "site": one.site,
                "probe": one.probe,
                "standing": standing.value,
                "generation": one.generation,
                "issued": rfc3339(one.issued_ns),
                "expires": None if one.taken_ns else rfc3339(one.expires_ns),
                "redeemed": rfc3339(one.taken_ns) if one.taken_ns else None,
                "online": None if seen is None else seen.online,
            }
        )
    keys = ("site", "probe", "standing", "generation", "issued", "expires", "redeemed", "online")
    say_rows(rows, keys, "probes", language, as_json=as_json)
