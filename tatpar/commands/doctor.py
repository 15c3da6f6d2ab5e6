"""`tatpar doctor`: what is missing, and what to do about it."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - click reads it
from typing import TYPE_CHECKING, Final

import click

from tatpar.terminal.columns import padded
from tatpar.terminal.extras import small_install
from tatpar.terminal.letters import as_shown, language_to_show
from tatpar.terminal.options import config_language, json_option, lang_option, settings_and_data
from telemetry.state.file import STATE_FILE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tatpar.examination.finding import Finding, Level

SIGNS: Final = {"fine": "●", "less": "▲", "broken": "■"}
_LEVEL_COLUMNS: Final = 6
FILE_OF_AN_OFFICE: Final = "probe.toml"


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
@lang_option
@json_option
def command(  # noqa: PLR0913 - click's parameters
    *, config_file: Path | None, data_dir: Path, part: str | None, where: str, lang: str | None, as_json: bool
) -> None:
    """Check clock, permissions, time stamps, broker, store and reflectors; say what to do.

    At an office (where the data folder has a probe.toml, or the install is the small one) it looks at the probe: enrolment, DNS, the way to the hub,
    what waits, the reflectors of the plan. Ends with 1 when something is broken. What the system said stays in English,
    and so does everything where Devanagari cannot be shown.

    Example: tatpar doctor --config tatpar.toml
    """
    office = None if part else _office_file(config_file, data_dir)
    if part:
        asked = _one_part(part, config_file, data_dir, where)
    else:
        asked = examine_office(office, data_dir) if office else examine(config_file, data_dir)
    if as_json:
        found = _tell_machines(asked)
    else:
        own = _language_of(office) if office else lang or config_language(config_file)
        found = _tell(asked, language_to_show(lang, own))
    if any(level.value == "broken" for level in found):
        raise SystemExit(1)


def _tell(asked: Iterator[Finding], language: str) -> list[Level]:
    """Each finding as soon as it is made."""
    from telemetry.words import say  # noqa: PLC0415 - keeps --help fast

    levels = []
    for finding in asked:
        told = finding.told(language)
        level = padded(say(language, f"doctor.level.{told.level.value}"), _LEVEL_COLUMNS)
        click.echo(as_shown(f"{SIGNS[told.level.value]} {level}  {told.subject}: {told.text}"))
        if told.remedy:
            click.echo(as_shown(f"            → {told.remedy}"))
        levels.append(told.level)
    return levels


def _tell_machines(asked: Iterator[Finding]) -> list[Level]:
    """All of it, in English whatever the language."""
    import msgspec  # noqa: PLC0415

    told = [finding.told("en") for finding in asked]
    click.echo(msgspec.json.format(msgspec.json.encode(told)).decode())
    return [each.level for each in told]


def _one_part(part: str, config_file: Path | None, data_dir: Path, where: str) -> Iterator[Finding]:
    from config.load import load_config  # noqa: PLC0415
    from tatpar.examination import parts  # noqa: PLC0415

    yield parts.part(part, load_config(config_file).settings, data_dir, where)


def _office_file(config_file: Path | None, data_dir: Path) -> Path | None:
    """The settings of the office whose machine this is, also where it has not been let in yet; None at the hub."""
    if config_file is not None:
        return config_file if config_file.name == FILE_OF_AN_OFFICE else None
    settings = data_dir / FILE_OF_AN_OFFICE
    if (data_dir / STATE_FILE).exists():
        return None
    return settings if settings.exists() or small_install() else None


def _language_of(office: Path) -> str:
    """The deployment's language as the hub told it when it let this office in; else the default, which is Hindi."""
    from probes.enrolment.credentials import FILE, CredentialsError, load_credentials  # noqa: PLC0415
    from telemetry.words import LANGUAGES  # noqa: PLC0415

    try:
        told = load_credentials(office.with_name(FILE)).language
    except CredentialsError:  # never enrolled, or damaged: `examine_office` says so where it matters
        told = ""
    return told if told in LANGUAGES else config_language(None)


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
    from config.settings_file import DEFAULT_SETTINGS  # noqa: PLC0415
    from tatpar.data_folder.lab_calendar import in_lab  # noqa: PLC0415
    from tatpar.examination import ends, hub, machine, people  # noqa: PLC0415
    from tatpar.examination.finding import fine  # noqa: PLC0415
    from tatpar.examination.phrase import phrase  # noqa: PLC0415

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
    yield from hub.state(data_dir, config.registry.by_id, now_ns)
    yield people.people(config)
    if config.settings.desk_host:
        from tatpar.examination.identity import identity  # noqa: PLC0415 - needs cryptography

        yield from identity(config.settings, data_dir, now_ns)
    if in_lab(data_dir):
        yield fine(phrase("reflectors"), phrase("reflectors.lab"))
    else:
        own = config.sources.settings != DEFAULT_SETTINGS
        begun = own and (data_dir / STATE_FILE).exists()
        yield from ends.reflectors(config.headquarters.values(), begun=begun)
    of_regions = [edge for region in config.settings.regions for edge in region.reach_edges]
    if edges := dict.fromkeys((*config.settings.reach.edges, *of_regions)):
        from tatpar.examination import beside  # noqa: PLC0415 - needs TLS

        yield from beside.of_hub(edges)
