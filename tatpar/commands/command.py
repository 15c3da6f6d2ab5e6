"""`tatpar command`: tell a probe to do something, and hear what it says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tatpar.options import (
    FiniteRange,
    config_option,
    data_option,
    explains_config,
    failed,
    json_option,
    wrong_input,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tatpar.enrolling import Hub
    from telemetry.state.commands import CommandRow

LISTED = 50


@click.command(
    epilog="Example: tatpar command agra status; tatpar command list",
    short_help="tell a probe to do something, and hear what it says",
)
@click.argument("site")
@click.argument("verb", required=False)
@click.argument("arguments", nargs=-1, metavar="[KEY=VALUE]...")
@config_option
@data_option
@click.option("--probe", default="p1", show_default=True, metavar="ID", help="Which probe of the office.")
@click.option(
    "--timeout",
    "within_s",
    type=FiniteRange(1, 600),
    default=30.0,
    show_default=True,
    help="Seconds to wait for the answer; after them the command is void.",
)
@json_option
@explains_config
def command(  # noqa: PLR0913 - one argument an option
    *,
    site: str,
    verb: str | None,
    arguments: tuple[str, ...],
    config_file: Path | None,
    data_dir: Path,
    probe: str,
    within_s: float,
    as_json: bool,
) -> None:
    """Send a command to a probe: ping, status, resend. Signed, logged, answered; `list` shows the last ones.

    Ends with 1 when the probe refuses or does not answer in time.
    """
    from config.load import load_config  # noqa: PLC0415 - keeps --help fast
    from tatpar.commands.enroll import _check_names, _hub  # noqa: PLC0415
    from tatpar.enrolling import answered, order  # noqa: PLC0415

    config = load_config(config_file)
    with _hub(config, data_dir) as hub:
        if site == "list":
            _list(hub, as_json=as_json)
            return
        _check_names(config, site, probe)
        if verb is None or not 0 < len(verb) <= 32:
            wrong_input("VERB is missing: write ping, status or resend")
        if verb == "rotate":
            wrong_input(f"new keys are given by: tatpar enroll {site} --probe {probe} --rotate")
        _check_standing(hub, site, probe)
        say(hub, answered(hub, order(hub, site, probe, verb, _pairs(arguments), within_s)), as_json=as_json)


def _check_standing(hub: Hub, site: str, probe: str) -> None:
    import time  # noqa: PLC0415

    from telemetry.state.credentials import Standing  # noqa: PLC0415

    if hub.state.standings(time.time_ns()).get((site, probe)) is Standing.REVOKED:
        wrong_input(f"{site}/{probe} is revoked; tatpar enroll {site} --probe {probe} lets it in again")


def say(hub: Hub, row: CommandRow, *, as_json: bool) -> None:
    """Print what came of a command; ends with 1 when it was not done."""
    import msgspec  # noqa: PLC0415

    from tatpar.enrolling import silence  # noqa: PLC0415

    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(_plain(row))).decode())
    if row.answered_ns is None:
        failed(silence(hub, row))
    if not row.ok:
        failed(f"{row.site}/{row.probe}: {row.detail}")
    if not as_json:
        click.echo(f"{row.site}/{row.probe}: {row.detail} ({row.delay_ms:.0f} ms)")


def _pairs(arguments: tuple[str, ...]) -> dict[str, str]:
    pairs = [argument.partition("=") for argument in arguments]
    for key, sign, _ in pairs:
        if not key or not sign:
            wrong_input(f"{key + sign!r} is no argument; write key=value")
    return {key: value for key, _, value in pairs}


def _plain(row: CommandRow) -> dict[str, object]:
    from tatpar.json_time import rfc3339  # noqa: PLC0415

    return {
        "id": row.id,
        "site": row.site,
        "probe": row.probe,
        "verb": row.command.verb,
        "who": row.who,
        "issued": rfc3339(row.issued_ns),
        "sent": row.sent_ns is not None,
        "answered": row.answered_ns is not None,
        "ok": row.ok,
        "detail": row.detail,
        "delay_ms": row.delay_ms,
    }


def _list(hub: Hub, *, as_json: bool) -> None:
    import msgspec  # noqa: PLC0415

    from tatpar.listed import listed  # noqa: PLC0415

    rows = [_plain(row) for row in hub.state.commands(LISTED)]
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(rows)).decode())
        return
    keys = ("issued", "who", "site", "probe", "verb", "ok", "delay_ms", "detail")
    cells = [["–" if row[key] is None else str(row[key]) for key in keys] for row in rows]
    for line in listed(keys, cells, "en", "commands"):
        click.echo(line)
