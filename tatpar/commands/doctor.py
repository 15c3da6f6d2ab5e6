"""`tatpar doctor`: what is missing, and what to do about it."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - click reads it
from typing import TYPE_CHECKING, Final

import click

from tatpar.terminal.options import json_option, settings_and_data

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tatpar.examination.finding import Finding

SIGNS: Final = {"fine": "● fine  ", "less": "▲ less  ", "broken": "■ broken"}


@click.command()
@settings_and_data
@click.option(
    "--part",
    type=click.Choice(["broker", "collect", "watch", "alerts", "wall", "desk", "reflect"]),
    default=None,
    help="Only whether this part of the hub is at work, as health checks ask.",
)
@click.option(
    "--at",
    "where",
    metavar="HOST:PORT",
    default="127.0.0.1:862",
    show_default=True,
    help="With --part reflect: where the reflector listens.",
)
@json_option
def command(*, config_file: Path | None, data_dir: Path, part: str | None, where: str, as_json: bool) -> None:
    """Check clock, permissions, time stamps, broker, store and reflectors; say what to do.

    At an office (where the data folder has a probe.toml) it looks at the probe: enrolment, DNS, the way to the hub,
    what waits, the reflectors of the plan. Ends with 1 when something is broken.

    Example: tatpar doctor --config tatpar.toml
    """
    import msgspec  # noqa: PLC0415 - keeps --help fast

    found = []
    for finding in _asked(config_file, data_dir, part, where):
        found.append(finding)
        if not as_json:
            click.echo(f"{SIGNS[finding.level.value]}  {finding.subject}: {finding.text}")
            if finding.remedy:
                click.echo(f"            → {finding.remedy}")
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(found)).decode())
    if any(finding.level.value == "broken" for finding in found):
        raise SystemExit(1)


def _asked(config_file: Path | None, data_dir: Path, part: str | None, where: str) -> Iterator[Finding]:
    """The checks that were asked for."""
    if part is not None:
        from config.load import load_config  # noqa: PLC0415
        from tatpar.examination import parts  # noqa: PLC0415

        return iter([parts.part(part, load_config(config_file).settings, data_dir, where)])
    settings = data_dir / "probe.toml" if config_file is None else config_file
    is_office = settings.exists() and not (data_dir / "state.db").exists()
    if settings.name == "probe.toml" and (config_file is not None or is_office):
        return examine_office(settings, data_dir)
    return examine(config_file, data_dir)


def examine_office(settings: Path, data_dir: Path) -> Iterator[Finding]:
    """The checks of an office's machine."""
    from tatpar.examination import machine, office  # noqa: PLC0415

    yield machine.python()
    yield machine.clock()
    yield machine.stamps()
    yield machine.icmp()
    yield machine.data_dir(data_dir)
    yield from office.office(settings, data_dir)


def examine(config_file: Path | None, data_dir: Path) -> Iterator[Finding]:
    """Every check, told as it ends."""
    from config.load import load_config  # noqa: PLC0415
    from tatpar.data_folder.lab_calendar import in_lab  # noqa: PLC0415
    from tatpar.examination import ends, hub, machine, people  # noqa: PLC0415
    from tatpar.examination.finding import fine  # noqa: PLC0415

    config = load_config(config_file)
    yield machine.python()
    yield machine.clock()
    yield machine.stamps()
    yield machine.icmp()
    yield machine.data_dir(data_dir)
    yield hub.broker(config.settings.broker)
    now_ns = hub.now_ns()
    yield hub.store(config.settings, data_dir, now_ns)
    if config.settings.store.kind != "sqlite":
        yield from hub.database(config.settings.store, data_dir)
    yield from hub.state(data_dir, now_ns)
    yield people.people(config)
    if config.settings.desk_host:
        from tatpar.examination.identity import identity  # noqa: PLC0415 - needs cryptography

        yield from identity(config.settings, data_dir, now_ns)
    if in_lab(data_dir):
        yield fine("reflectors", "the running lab's own; those of the settings are not asked")
    else:
        yield from ends.reflectors(config.headquarters.values())
    of_regions = [edge for region in config.settings.regions for edge in region.reach_edges]
    if edges := dict.fromkeys((*config.settings.reach.edges, *of_regions)):
        from tatpar.examination import beside  # noqa: PLC0415 - needs TLS

        yield from beside.of_hub(edges)
