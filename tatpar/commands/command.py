"""`tatpar command`: tell a probe to do something, and hear what it says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tatpar.identity.at_the_terminal import as_plain, check_names, opened_hub, say_answer, say_rows
from tatpar.terminal.options import FiniteRange, json_option, lang_option, settings_and_data, wrong_input

if TYPE_CHECKING:
    from pathlib import Path

    from tatpar.identity.enrolling import Hub

LISTED = 50


@click.command(
    epilog="Example: tatpar command agra status; tatpar command list",
    short_help="tell a probe to do something, and hear what it says",
)
@click.argument("site")
@click.argument("verb", required=False)
@click.argument("arguments", nargs=-1, metavar="[KEY=VALUE]...")
@settings_and_data
@click.option("--probe", default="p1", show_default=True, metavar="ID", help="Which probe of the office.")
@click.option(
    "--timeout",
    "within_s",
    type=FiniteRange(1, 600),
    default=30.0,
    show_default=True,
    help="Seconds to wait for the answer; after them the command is void.",
)
@lang_option
@json_option
def command(  # noqa: PLR0913 - one argument an option
    *,
    site: str,
    verb: str | None,
    arguments: tuple[str, ...],
    config_file: Path | None,
    data_dir: Path,
    probe: str,
    within_s: float,
    lang: str | None,
    as_json: bool,
) -> None:
    """Send a command to a probe: ping, status, resend. Signed, logged, answered; `list` shows the last ones.

    Ends with 1 when the probe refuses or does not answer in time.
    """
    from config.load import load_config  # noqa: PLC0415 - keeps --help fast
    from tatpar.identity.enrolling import answered, order  # noqa: PLC0415

    config = load_config(config_file)
    language = lang or config.settings.deployment.language
    with opened_hub(config, data_dir, language) as hub:
        if site == "list":
            _list(hub, language, as_json=as_json)
            return
        check_names(config, site, probe, language)
        if verb is None or not 0 < len(verb) <= 32:
            wrong_input("VERB is missing: write ping, status or resend")
        if verb == "rotate":
            wrong_input(f"new keys are given by: tatpar enroll {site} --probe {probe} --rotate")
        _check_standing(hub, site, probe, language)
        row = answered(hub, order(hub, site, probe, verb, _pairs(arguments), within_s))
        say_answer(hub, row, language, as_json=as_json)


def _check_standing(hub: Hub, site: str, probe: str, language: str) -> None:
    import time  # noqa: PLC0415

    from telemetry.state.credentials import Standing  # noqa: PLC0415
    from telemetry.words import say  # noqa: PLC0415

    if hub.state.standings(time.time_ns()).get((site, probe)) is Standing.REVOKED:
        who = f"{site}/{probe}"
        wrong_input(say(language, "identity.is_revoked", who=who, site=site, probe=probe))


def _pairs(arguments: tuple[str, ...]) -> dict[str, str]:
    pairs = [argument.partition("=") for argument in arguments]
    for key, sign, _ in pairs:
        if not key or not sign:
            wrong_input(f"{key + sign!r} is no argument; write key=value")
    return {key: value for key, _, value in pairs}


def _list(hub: Hub, language: str, *, as_json: bool) -> None:
    rows = [as_plain(row) for row in hub.state.commands(LISTED)]
    keys = ("issued", "who", "site", "probe", "verb", "ok", "delay_ms", "detail")
    say_rows(rows, keys, "commands", language, as_json=as_json)
