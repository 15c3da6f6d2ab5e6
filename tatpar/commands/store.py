"""`tatpar store`: the report store's own affairs."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - click reads it
from typing import TYPE_CHECKING

import click

from tatpar.store.backups.commands import backup, restore, verify
from tatpar.store.parquet.commands import export, import_
from tatpar.store.pruning import prune
from tatpar.terminal.options import failed, json_option, settings_and_data

if TYPE_CHECKING:
    from config.settings import Store


@click.group()
def command() -> None:
    """The report store: set up, backed up, looked through, put back, pruned, written out and taken in.

    Example: tatpar store backup /srv/backups --config tatpar.toml --data /var/lib/tatpar
    """


for _one in (backup, verify, restore, prune, export, import_):
    command.add_command(_one)


@command.command("init", short_help="make what the store needs: the file, or bucket and retention")
@settings_and_data
@json_option
def init(config_file: Path | None, data_dir: Path, as_json: bool) -> None:  # noqa: FBT001
    """Make what the store needs and is not there: the file, or organisation, bucket and retention on the server.

    Doing it again changes nothing; a retention that the settings want otherwise is set anew.

    Example: tatpar store init --config tatpar.toml
    """
    import msgspec  # noqa: PLC0415 - keeps --help fast

    from config.load import load_config  # noqa: PLC0415
    from telemetry.store.errors import StoreError  # noqa: PLC0415

    settings = load_config(config_file).settings.store
    try:
        done = _made(settings, data_dir)
    except StoreError as error:
        failed(f"tatpar store init: {error}")
    if as_json:
        click.echo(msgspec.json.encode(done).decode())
    else:
        click.echo("\n".join(done))


def _made(settings: Store, data_dir: Path) -> list[str]:
    """Make what is missing; a line for each thing."""
    from contextlib import closing  # noqa: PLC0415

    from telemetry.store.open import open_reader, store_file  # noqa: PLC0415

    if settings.kind == "sqlite":
        data_dir.mkdir(parents=True, exist_ok=True)
        open_reader(settings, data_dir).close()
        return [f"{store_file(settings, data_dir)}: the store is this file; nothing else is needed"]
    from telemetry.store.server.connect import connect  # noqa: PLC0415

    with closing(connect(settings, data_dir)) as server:
        done = server.create()
        return done + [f"but {problem.text}; {problem.remedy}" for problem in server.examine()]
