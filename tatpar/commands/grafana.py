"""`tatpar grafana`: the dashboards, as files or to a server."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tatpar.terminal.options import (
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
    help="Query language; without it that of [store] kind (InfluxDB: influxql). Flux was tried on InfluxDB 1.8 only.",
)


rules_option = click.option(
    "--alert-rules", is_flag=True, help="Also our flags as Grafana alert rules, in the deployment's language."
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
@rules_option
@json_option
@explains_config
def export(
    folder: Path,
    config_file: Path | None,
    language: str | None,
    alert_rules: bool,  # noqa: FBT001
    as_json: bool,  # noqa: FBT001
) -> None:
    """Write dashboards in Hindi and English, and provisioning files for data sources and folders, for Grafana 11 or later.

    Copy `provisioning/` into Grafana's folder of that name and `dashboards/` to /etc/grafana/tatpar/dashboards. A token
    is never written: Grafana takes it from its environment, TATPAR_STORE_TOKEN.

    Example: tatpar grafana export grafana/ --config tatpar.toml
    """
    import msgspec  # noqa: PLC0415 - keeps --help fast

    from dashboards.grafana import book  # noqa: PLC0415

    config, speech = _ground(config_file, language)
    written = book.files(config, speech, alert_rules=alert_rules)
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


@command.command("push")
@click.option("--url", required=True, envvar="TATPAR_GRAFANA_URL", help="Grafana's address.")
@click.option(
    "--token",
    required=True,
    envvar="TATPAR_GRAFANA_TOKEN",
    help="Token of a service account with the role Admin; better given by the environment.",
)
@click.option("--dry-run", is_flag=True, help="Only say what would change: of each dashboard which panels.")
@click.option("--force", is_flag=True, help="Also replace what others edited.")
@config_option
@unused_data_option
@query_option
@rules_option
@json_option
@explains_config
def push(  # noqa: PLR0913, PLR0917 - one argument an option
    url: str,
    token: str,
    dry_run: bool,  # noqa: FBT001
    force: bool,  # noqa: FBT001
    config_file: Path | None,
    language: str | None,
    alert_rules: bool,  # noqa: FBT001
    as_json: bool,  # noqa: FBT001
) -> None:
    """Bring data sources, folders and dashboards to a Grafana; again and again without harm.

    What somebody else edited is kept and named. A line each: new, changed, same or kept. The store's token for the data
    source is that of [store] token.

    Example: tatpar grafana push --url https://grafana.example --dry-run --config tatpar.toml
    """
    import msgspec  # noqa: PLC0415 - keeps --help fast

    from dashboards.grafana.push import Fate  # noqa: PLC0415
    from dashboards.grafana.push import push as pushed  # noqa: PLC0415
    from dashboards.grafana.server import GrafanaError, Server  # noqa: PLC0415

    config, speech = _ground(config_file, language)
    if not url.startswith(("http://", "https://")):
        wrong_input(f"--url {url}: no address of a server; write it as https://grafana.example")
    steps = []
    try:
        with Server(url, token) as server:
            token_of_store = config.settings.store.token
            for step in pushed(
                *(server, config, speech, token_of_store), alert_rules=alert_rules, dry=dry_run, force=force
            ):
                steps.append(step)
                note = "  (edited by somebody else; --force replaces it)" if step.fate is Fate.KEPT else ""
                if not as_json:
                    click.echo(f"{step.fate.value:8}{step.what} {step.uid}{note}")
                    for line in step.differs if dry_run else ():
                        click.echo(f"{'':10}{line}")
    except GrafanaError as error:
        failed(f"tatpar grafana push: {error}")
    if as_json:
        click.echo(msgspec.json.encode(steps).decode())
