"""`tatpar revoke`: a probe, or all of an office, is no longer let in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tatpar.identity.at_the_terminal import opened_hub, say_whether_told
from tatpar.terminal.options import json_option, lang_option, settings_and_data, wrong_input

if TYPE_CHECKING:
    from pathlib import Path


@click.command(
    epilog="Example: tatpar revoke agra --probe p2",
    short_help="a probe, or all of an office, is no longer let in",
)
@click.argument("site")
@settings_and_data
@click.option("--probe", default=None, metavar="ID", help="Only this probe; without it all of the office.")
@lang_option
@json_option
def command(  # noqa: PLR0913 - one argument an option
    *,
    site: str,
    config_file: Path | None,
    data_dir: Path,
    probe: str | None,
    lang: str | None,
    as_json: bool,
) -> None:
    """End a probe's credentials: the broker cuts its connection, the collector refuses what still comes.

    What it has measured so far stays. `tatpar enroll SITE` lets it in again, with new credentials.
    """
    import time  # noqa: PLC0415 - keeps --help fast

    import msgspec  # noqa: PLC0415

    from collector.enrolment.issuing import revoke  # noqa: PLC0415
    from config.load import load_config  # noqa: PLC0415
    from telemetry.words import say  # noqa: PLC0415

    config = load_config(config_file)
    language = lang or config.settings.deployment.language
    with opened_hub(config, data_dir, language) as hub:
        ended = revoke(hub.state, site, probe, time.time_ns())
        if not ended:
            who = f"{site}/{probe}" if probe else site
            wrong_input(say(language, "identity.none_to_end", who=who))
        if as_json:
            click.echo(msgspec.json.encode([f"{one}/{other}" for one, other in ended]).decode())
        else:
            gone = ", ".join(f"{one}/{other}" for one, other in ended)
            click.echo(say(language, "identity.revoked", who=gone))
        say_whether_told(hub, language)
