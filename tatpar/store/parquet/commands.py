"""`tatpar store export` and `import`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tatpar.terminal.amiss import existing_folder, no_office, no_store
from tatpar.terminal.options import (
    explained,
    failed,
    json_option,
    lang_option,
    say_json,
    settings_and_data,
    wrong_input,
)
from tatpar.terminal.progress_line import ProgressLine
from telemetry.state.file import STATE_FILE

if TYPE_CHECKING:
    from config.config import Config
    from tatpar.store.parquet.exporting import Exported
    from tatpar.store.parquet.importing import Imported


@click.command("export", short_help="write the store out as Parquet")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@settings_and_data
@click.option(
    "--from",
    "begin",
    metavar="TIME",
    default=None,
    help="90m, 7d, 2026-11-24; default: as long as roll-ups are kept.",
)
@click.option("--to", "end", metavar="TIME", default=None, help="The same; default: now.")
@click.option("--site", "sites", multiple=True, metavar="SITE", help="Only this office; may be given again.")
@lang_option
@json_option
def export(  # noqa: PLR0913, PLR0917 - one argument an option
    folder: Path,
    config_file: Path | None,
    data_dir: Path,
    begin: str | None,
    end: str | None,
    sites: tuple[str, ...],
    lang: str | None,
    as_json: bool,  # noqa: FBT001
) -> None:
    """Write windows, five-minute roll-ups and all other items into FOLDER, a Parquet file a day and kind.

    Works beside a running hub, with every kind of store, in bounded memory. Plain pandas reads the files; docs/parquet.md lists the columns.

    Example: tatpar store export export-november --from 2026-11-01 --site agra --config tatpar.toml
    """
    import contextlib  # noqa: PLC0415 - keeps --help fast

    from config.load import load_config  # noqa: PLC0415
    from tatpar.store.parquet.exporting import NotEmptyError  # noqa: PLC0415
    from tatpar.store.parquet.exporting import export as write_out  # noqa: PLC0415
    from telemetry.store.errors import StoreError  # noqa: PLC0415
    from telemetry.store.open import open_reader, store_file  # noqa: PLC0415
    from telemetry.store.protocol import Selection  # noqa: PLC0415
    from telemetry.words import say  # noqa: PLC0415

    config, now_ns = load_config(config_file), time.time_ns()
    language = lang or config.settings.deployment.language
    existing_folder(data_dir, language)
    if not store_file(config.settings.store, data_dir).exists():
        wrong_input(no_store(data_dir, language))
    _known(config, sites, language)
    end_ns = now_ns if end is None else _moment("--to", end, now_ns, config)
    kept_ns = round(config.settings.store.rollup_days * 86_400) * 10**9
    begin_ns = max(end_ns - kept_ns, 0) if begin is None else _moment("--from", begin, now_ns, config)
    if not begin_ns < end_ns:
        wrong_input(f"--from {begin} does not lie before --to {end}; name an earlier time")
    try:
        with (
            contextlib.closing(open_reader(config.settings.store, data_dir)) as reader,
            ProgressLine(language) as line,
        ):
            done = write_out(reader, folder, Selection(begin_ns, end_ns, sites), line.counting("day"))
    except NotEmptyError as error:
        wrong_input(f"tatpar store export: {error}")
    except StoreError as error:
        failed(f"tatpar store export: {error}")
    except OSError as error:
        failed(f"tatpar store export: {explained(error)}")
    if as_json:
        say_json(done)
        return
    size = f"{done.bytes / 1e6:.1f}"
    click.echo(say(language, "store.exported", folder=str(done.folder), mb=size, **_counts(done)))


@click.command("import", short_help="take Parquet files of an export in")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@settings_and_data
@lang_option
@json_option
def import_(
    folder: Path,
    config_file: Path | None,
    data_dir: Path,
    lang: str | None,
    as_json: bool,  # noqa: FBT001
) -> None:
    """Take in what `tatpar store export` wrote. What is in the store already stays; twice is the same as once.

    The ledger of reports does not travel: what was missing there shows here as time that was never measured.

    Example: tatpar store import export-november --config tatpar.toml --data /var/lib/tatpar
    """
    import contextlib  # noqa: PLC0415 - keeps --help fast

    from config.load import load_config  # noqa: PLC0415
    from tatpar.importing.told import tell  # noqa: PLC0415
    from tatpar.store.parquet.checking import ForeignFileError  # noqa: PLC0415
    from tatpar.store.parquet.importing import take_in  # noqa: PLC0415
    from telemetry.state.db import StateDb  # noqa: PLC0415
    from telemetry.state.errors import StateError  # noqa: PLC0415
    from telemetry.store.errors import StoreError  # noqa: PLC0415
    from telemetry.store.open import open_writer  # noqa: PLC0415
    from telemetry.words import say  # noqa: PLC0415

    settings = load_config(config_file).settings
    language = lang or settings.deployment.language
    if not folder.is_dir():
        wrong_input(f"{folder}: no such folder; name the one that `tatpar store export` wrote")
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        with (
            contextlib.closing(open_writer(settings.store, data_dir)) as store,
            ProgressLine(language) as line,
        ):
            done = take_in(store, folder, line.counting("step"))
        with contextlib.closing(StateDb(data_dir / STATE_FILE)) as state:
            tell(state, time.time_ns(), {"folder": str(folder), "windows": done.windows})
    except ForeignFileError as error:
        wrong_input(f"tatpar store import: {error}")
    except (StoreError, StateError) as error:
        failed(f"tatpar store import: {error}")
    except OSError as error:
        failed(f"tatpar store import: {explained(error)}")
    if as_json:
        say_json(done)
        return
    click.echo(say(language, "store.imported", **_counts(done)))
    if done.items_left_out:
        left = done.items_left_out
        click.echo(say(language, "store.items_left_out", count=left, kind=settings.store.kind))


def _known(config: Config, sites: tuple[str, ...], language: str) -> None:
    for site in sites:
        if site not in config.registry.by_id:
            no_office(config, "--site", site, language)


def _moment(option: str, text: str, now_ns: int, config: Config) -> int:
    from config.settings_file import timezone_of  # noqa: PLC0415
    from tatpar.terminal.spans import NoSuchSpanError, begin_of  # noqa: PLC0415

    try:
        return begin_of(text, now_ns, timezone_of(config.settings))
    except NoSuchSpanError as error:
        wrong_input(f"{option}: {error}")


def _counts(done: Exported | Imported) -> dict[str, Any]:
    """How much went out or came in, for its sentence."""
    return {"files": done.files, "windows": done.windows, "rollups": done.rollups, "items": done.items}
