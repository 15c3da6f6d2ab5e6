"""`tatpar sites`: list and check the offices."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tatpar.terminal.amiss import no_region
from tatpar.terminal.options import (
    config_option,
    explains_config,
    json_option,
    lang_option,
    unused_data_option,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from config.config import Config
    from config.sites import Site


@click.command(
    epilog="Example: tatpar sites --region kashi --planned",
    short_help="list and check the offices",
)
@config_option
@unused_data_option
@click.option("--region", default=None, metavar="ID", help="Only the offices of this region.")
@click.option("--linked", "status", flag_value="linked", default=None, help="Only those that have a line.")
@click.option("--planned", "status", flag_value="planned", help="Only those that have none yet.")
@click.option("--check", is_flag=True, help="Only say whether the files are right.")
@lang_option
@json_option
@explains_config
def command(  # noqa: PLR0913 - one an option
    *,
    config_file: Path | None,
    region: str | None,
    status: str | None,
    check: bool,
    lang: str | None,
    as_json: bool,
) -> None:
    """List the offices of the registry, or check it (status 2 and one line when it is wrong)."""
    import json  # noqa: PLC0415 - keeps --help fast

    from config.load import load_config  # noqa: PLC0415

    config = load_config(config_file)
    language = lang or config.settings.deployment.language
    if region is not None and region not in config.regions:
        no_region(config, "--region", region, language)
    sites = [
        site
        for site in config.registry.sites
        if region in {None, site.region} and status in {None, site.status.value}
    ]
    if check and as_json:
        linked = sum(site.status.value == "linked" for site in config.registry.sites)
        found = {
            "right": True,
            "offices": len(config.registry.sites),
            "linked": linked,
            "file": str(config.sources.sites),
        }
        click.echo(json.dumps(found, ensure_ascii=False, indent=2))
    elif check:
        from telemetry.words import say  # noqa: PLC0415

        counts = _counts(config.registry.sites, language)
        click.echo(say(language, "keeper.right", what=counts, where=str(config.sources.sites)))
    elif as_json:
        _print_json(sites)
    else:
        _print_table(config, sites, language)


def _counts(sites: Sequence[Site], language: str) -> str:
    from telemetry.words import say  # noqa: PLC0415

    linked = sum(site.status.value == "linked" for site in sites)
    return say(language, "keeper.offices_counted", n=len(sites), linked=linked, planned=len(sites) - linked)


def _print_json(sites: Sequence[Site]) -> None:
    import msgspec  # noqa: PLC0415

    click.echo(msgspec.json.format(msgspec.json.encode([_row(site) for site in sites])).decode())


def _row(site: Site) -> dict[str, object]:
    """Every field, also those that are as by default, so that a reader need not know the defaults."""
    return {name: getattr(site, name) for name in site.__struct_fields__}


def _print_table(config: Config, sites: Sequence[Site], language: str) -> None:
    """Both names, the reader's own last but one where it is English; Devanagari stands last."""
    from tatpar.terminal.columns import table  # noqa: PLC0415
    from telemetry.words import say  # noqa: PLC0415

    columns = ("id", "region", "status", "level", "parent", "provider", "name_en", "name_hi")
    rows = [
        (
            site.id,
            config.regions[site.region].name(language),
            say(language, f"status.{site.status.value}"),
            site.level,
            site.parent or "–",
            site.provider or "–",
            site.name_en,
            site.name_hi,
        )
        for site in sites
    ]
    for line in table([say(language, f"keeper.site_{column}") for column in columns], rows) if rows else ():
        click.echo(line)
    click.echo(f"{_counts(sites, language)}  ({config.sources.sites})")
