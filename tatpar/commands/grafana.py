"""`tatpar grafana`: the dashboards, as files or to a server."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tatpar.options import (
    config_option,
    explained,
    explains_config,
    failed,
    json_option,
    unused_data_option,
    wrong_input,
)

if TYPE_CHECKING:
    from config.config import Config
    from dashboards.grafana.speech import Speech

query_option = click.option(
    "--query",
    "language",
    type=click.Choice(["influxql", "flux", "promql"]),
    default=None,
    help="Query language; without it that of [store] kind (InfluxDB: influxql). Flux is checked for form only.",
)


@click.group()
def command() -> None:
    """Grafana dashboards for the database server behind the report store.

    Example: tatpar grafana export grafana/ --config tatpar.toml
    """


@command.command("export")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@config_option
@unused_data_option
@query_option
@json_option
@explains_config
def export(folder: Path, config_file: Path | None, language: str | None, as_json: bool) -> None:  # noqa: FBT001
    """Write dashboards in Hindi and English, and provisioning files for data sources and folders, for Grafana 11 or later.

    Copy `provisioning/` into Grafana's folder of that name and `dashboards/` to /etc/grafana/tatpar/dashboards. A token
    is never written: Grafana takes it from its environment, TATPAR_STORE_TOKEN.

    Example: tatpar grafana export grafana/ --config tatpar.toml
    """
    import msgspec  # noqa: PLC0415 - keeps --help fast

    from dashboards.grafana import book  # noqa: PLC0415

    config, speech = _ground(config_file, language)
    written = book.files(config, speech)
    try:
        for name, text in written.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as error:
        failed(f"tatpar grafana export: {explained(error)}")
    paths = [str(folder / name) for name in sorted(written)]
    click.echo(msgspec.json.encode(paths).decode() if as_json else "\n".join(paths))


def _ground(config_file: Path | None, language: str | None) -> tuple[Config, Speech]:
    """The configuration, and the language its database speaks; ends with 2 when Grafana cannot ask it."""
    from config.load import load_config  # noqa: PLC0415
    from dashboards.grafana.speech import Language, speech_of  # noqa: PLC0415

    config = load_config(config_file)
    try:
        return config, speech_of(config.settings.store, Language(language) if language else None)
    except ValueError as error:
        wrong_input(f"tatpar grafana: {config.file}: {error}")
