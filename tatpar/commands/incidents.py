"""`tatpar incidents`: faults that several offices share, now and in the past."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from tatpar.terminal.options import json_option, lang_option, settings_and_data, wrong_input

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from config.config import Config
    from telemetry.decisions import Incident


@click.command(
    epilog="Example: tatpar incidents --since 7d --lang en", short_help="faults that several offices share"
)
@settings_and_data
@click.option(
    "--since",
    "span",
    default=None,
    metavar="SPAN",
    help="Those of a span of time too, as 24h, 7d or 2026-11-24.",
)
@lang_option
@json_option
def command(
    *, config_file: Path | None, data_dir: Path, span: str | None, lang: str | None, as_json: bool
) -> None:
    """Which faults several offices have in common: the factor, the evidence, since when, and the offices.

    Without --since those that last. A fault of headquarters' own is named as such.
    """
    from config.load import load_config  # noqa: PLC0415 - keeps --help fast
    from config.settings_file import timezone_of  # noqa: PLC0415
    from tatpar.data_folder.decided import decided, say_age, watch_age_s  # noqa: PLC0415
    from tatpar.terminal.json_time import as_json as text_of  # noqa: PLC0415
    from tatpar.terminal.json_time import readable, rfc3339  # noqa: PLC0415
    from tatpar.terminal.spans import NoSuchSpanError, begin_of  # noqa: PLC0415
    from telemetry.words import say  # noqa: PLC0415

    config, now_ns = load_config(config_file), time.time_ns()
    language = lang or config.settings.deployment.language
    try:
        from_ns = None if span is None else begin_of(span, now_ns, timezone_of(config.settings))
    except NoSuchSpanError as error:
        wrong_input(f"--since: {error}")
    with decided(data_dir, language) as state:
        found = state.open_incidents() if from_ns is None else state.incidents(from_ns, now_ns)
        age_s = watch_age_s(state, now_ns)
    if as_json:
        age = None if age_s is None else round(age_s, 1)
        told = [readable(each) for each in found]
        click.echo(text_of({"as_of": rfc3339(now_ns), "watch_age_s": age, "incidents": told}))
        return
    say_age(age_s, data_dir, language)
    click.echo("\n".join(lines(config, found, language)) or say(language, "shared.none"))


def lines(config: Config, found: Sequence[Incident], language: str) -> list[str]:
    """Two lines an incident: what is told of it, and its offices; of one that ends, whose offices are all well, the first."""
    from config.settings_file import timezone_of  # noqa: PLC0415
    from telemetry.words import say, say_incident, say_office  # noqa: PLC0415

    ends = {end.id: end.name(language) for end in config.headquarters.values()}
    zone, out = timezone_of(config.settings), []
    for each in found:
        text = say_incident(language, each, ends, zone=zone)
        names = [say_office(language, config.registry, site) for site in each.sites]
        out.append(text)
        if names:
            out.append("  " + say(language, "shared.offices", offices=", ".join(names)))
    return out
