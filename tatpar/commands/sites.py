"""`tatpar sites`: list and check the offices."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tatpar.terminal.options import (
    config_option,
    explains_config,
    json_option,
    offices,
    unused_data_option,
    wrong_input,
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
@json_option
@explains_config
def command(
    *, config_file: Path | None, region: str | None, status: str | None, check: bool, as_json: bool
) -> None:
    """List the offices of the registry, or check it (status 2 and one line when it is wrong)."""
    import json  # noqa: PLC0415 - keeps --help fast

    from config.load import load_config  # noqa: PLC0415

    config = load_config(config_file)
    _check_region(config, region)
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
        click.echo(f"right: {_counts(config.registry.sites)} in {config.sources.sites}")
    elif as_json:
        _print_json(sites)
    else:
        _print_table(config, sites)


def _check_region(config: Config, region: str | None) -> None:
    from config.text import one_of  # noqa: PLC0415

    if region is not None and region not in config.regions:
        wrong_input(f'--region: there is no region "{region}"; {one_of(region, config.regions)}')


def _counts(sites: Sequence[Site]) -> str:
    linked = sum(site.status.value == "linked" for site in sites)
    return f"{offices(len(sites))}, {linked} linked, {len(sites) - linked} planned"


def _print_json(sites: Sequence[Site]) -> None:
    import msgspec  # noqa: PLC0415

    click.echo(msgspec.json.format(msgspec.json.encode([_row(site) for site in sites])).decode())


def _row(site: Site) -> dict[str, object]:
    """Every field, also those that are as by default, so that a reader need not know the defaults."""
    return {name: getattr(site, name) for name in site.__struct_fields__}


def _print_table(config: Config, sites: Sequence[Site]) -> None:
    """Hindi stands last: its width on a terminal is nobody's to know."""
    rows = [("id", "region", "status", "level", "parent", "provider", "name", "नाम")]
    for site in sites:
        region = config.regions[site.region].name_en
        rows.append(
            (
                site.id,
                region,
                site.status.value,
                site.level,
                site.parent or "–",
                site.provider or "–",
                site.name_en,
                site.name_hi,
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]) - 1)]
    for *cells, last in rows if sites else ():
        click.echo("  ".join([*(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)), last]))
    click.echo(f"{_counts(sites)}  ({config.sources.sites})")
