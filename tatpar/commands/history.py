"""`tatpar history`: other people's measurements as our own past."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tatpar.terminal.amiss import no_office
from tatpar.terminal.options import failed, json_option, lang_option, settings_and_data
from tatpar.terminal.screen import ours
from telemetry.state.file import STATE_FILE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from config.config import Config
    from tatpar.importing.importer import Importer, Written
    from telemetry.store.protocol import ReportStore, StoreReader


@click.group()
def command() -> None:
    """Other people's measurements as our own past.

    Example: tatpar history import pings.csv --mapping smokeping.toml --site agra
    """


@command.command("import", short_help="take in CSV or Parquet by a mapping file")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--mapping",
    "mapping_file",
    required=True,
    type=click.Path(path_type=Path),
    help="Which columns are our figures, in which units (docs/history.md).",
)
@click.option(
    "--site", metavar="SITE", help="The office that the files are of; in place of the mapping's [site]."
)
@click.option("--dry-run", is_flag=True, help="Read and check everything, write nothing.")
@settings_and_data
@lang_option
@json_option
def import_(  # noqa: PLR0913 - one argument an option
    *,
    files: tuple[Path, ...],
    mapping_file: Path,
    site: str | None,
    dry_run: bool,
    config_file: Path | None,
    data_dir: Path,
    lang: str | None,
    as_json: bool,
) -> None:
    """Import measurements of other tools: five-minute roll-ups, marked as not measured here.

    What was measured here is never touched; importing again replaces what was imported before, so twice is the same as
    once. Works beside a running hub, whose watch reads the past anew within seconds. Nothing is written
    when anything in the files is wrong.

    Example: tatpar history import ping-*.csv.gz --mapping telegraf.toml --dry-run
    """
    import time  # noqa: PLC0415 - keeps --help fast

    from config.load import load_config  # noqa: PLC0415
    from tatpar.importing.importer import Importer, Sources  # noqa: PLC0415
    from tatpar.importing.mapping import read_mapping  # noqa: PLC0415
    from telemetry.words import say  # noqa: PLC0415

    config = load_config(config_file)
    mapping = read_mapping(mapping_file)
    language = lang or config.settings.deployment.language
    if site is not None and site not in config.registry.by_id:
        no_office(config, "--site", site, language)
    sources = Sources(files, mapping, mapping_file, site)
    with Importer(config, sources, time.time_ns(), data_dir) as importer:
        total = sum(file.stat().st_size for file in files if file.is_file())
        with click.progressbar(length=total, label=say(language, "importing.reading"), file=ours()) as bar:
            importer.read(bar.update)
        for line in importer.mended:
            click.echo(line, err=True)
        written = _write(config, importer, data_dir, language, dry_run=dry_run)
    _say(written, config, language, as_json=as_json, dry_run=dry_run)


def _write(
    config: Config, importer: Importer, data_dir: Path, language: str, *, dry_run: bool
) -> list[Written]:
    import contextlib  # noqa: PLC0415

    from telemetry.state.errors import StateError  # noqa: PLC0415
    from telemetry.store.errors import StoreError  # noqa: PLC0415
    from telemetry.store.open import open_reader, open_writer, store_file  # noqa: PLC0415
    from telemetry.words import say  # noqa: PLC0415

    settings = config.settings.store
    label = say(language, f"importing.{'checking' if dry_run else 'writing'}")
    try:
        with contextlib.ExitStack() as open_now:
            store: ReportStore | None = None
            reader: StoreReader | None = None
            if not dry_run:
                reader = store = open_now.enter_context(contextlib.closing(open_writer(settings, data_dir)))
            elif store_file(settings, data_dir).exists():
                reader = open_now.enter_context(contextlib.closing(open_reader(settings, data_dir)))
            bar = open_now.enter_context(click.progressbar(length=importer.pieces, label=label, file=ours()))
            written = importer.write(store, reader, bar.update)
        if not dry_run:
            _judge(config, data_dir, written, language)
            _tell_watch(data_dir, written, importer.spans)
    except (StoreError, StateError) as error:
        failed(f"tatpar history import: {error}; what was written stays, importing again completes it")
    return written


def _judge(config: Config, data_dir: Path, written: Sequence[Written], language: str) -> None:
    """What a watch would otherwise do at its next start, or now beside its looks."""
    import time  # noqa: PLC0415
    from contextlib import closing  # noqa: PLC0415

    from tatpar.importing.judging import judge_days  # noqa: PLC0415
    from telemetry.store.open import open_reader  # noqa: PLC0415
    from telemetry.words import say  # noqa: PLC0415

    sites = {each.site for each in written}
    with (
        closing(open_reader(config.settings.store, data_dir)) as reader,
        click.progressbar(length=len(sites), label=say(language, "importing.judging"), file=ours()) as bar,
    ):
        judge_days(config, reader, sites, time.time_ns(), bar.update)


def _tell_watch(data_dir: Path, written: Sequence[Written], spans: dict[str, tuple[int, int]]) -> None:
    import time  # noqa: PLC0415
    from contextlib import closing  # noqa: PLC0415

    from tatpar.importing.told import tell  # noqa: PLC0415
    from telemetry.state.db import StateDb  # noqa: PLC0415

    with closing(StateDb(data_dir / STATE_FILE)) as state:
        state.put_imported(spans)
        tell(state, time.time_ns(), {"slots": sum(each.slots for each in written), "sites": len(written)})


def _say(written: Sequence[Written], config: Config, language: str, *, as_json: bool, dry_run: bool) -> None:
    from config.settings_file import timezone_of  # noqa: PLC0415
    from tatpar.importing.words import as_json as for_machines  # noqa: PLC0415
    from tatpar.importing.words import lines  # noqa: PLC0415
    from tatpar.terminal.json_time import as_json as text_of  # noqa: PLC0415

    if as_json:
        click.echo(text_of(for_machines(written, dry_run=dry_run)))
        return
    zone, days = timezone_of(config.settings), config.settings.store.rollup_days
    for line in lines(written, language, zone, days, dry_run=dry_run):
        click.echo(line)
