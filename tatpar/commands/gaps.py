"""`tatpar gaps`: what is missing in the store and since when."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from tatpar.terminal.amiss import no_office, no_store
from tatpar.terminal.options import (
    FiniteRange,
    failed,
    json_option,
    lang_option,
    settings_and_data,
    wrong_input,
)
from tatpar.terminal.screen import ours

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from config.config import Config
    from config.settings import Store
    from tatpar.gaps.missing import Missing

INCOMPLETE_STATUS = 3


@click.command(short_help="what is missing in the store and since when, worst first")
@settings_and_data
@click.option("--site", "sites", multiple=True, metavar="SITE", help="Only this office; may be given again.")
@click.option(
    "--since",
    default="24h",
    show_default=True,
    metavar="SPAN",
    help="90m, 24h, 7d, 2w, or when it begins: 2026-11-24, 2026-11-24T09:30.",
)
@click.option(
    "--require",
    type=FiniteRange(0, 1),
    default=None,
    metavar="RATIO",
    help="End with status 3 when less than this share of the data is there, as 0.99.",
)
@lang_option
@json_option
def command(  # noqa: PLR0913 - one argument an option
    *,
    config_file: Path | None,
    data_dir: Path,
    sites: tuple[str, ...],
    since: str,
    require: float | None,
    lang: str | None,
    as_json: bool,
) -> None:
    """What is missing, by office and time: reports lost on the way, dropped by a probe, time never reported.

    Works beside a running hub. Ends with 0 whatever is missing, since something always is; a script names with
    --require how much must be there, and gets 3 when it is not, also when an office has never reported at all.

    Example: tatpar gaps --site agra --since 7d --lang en
    """
    from config.load import load_config  # noqa: PLC0415 - keeps --help fast
    from config.settings_file import timezone_of  # noqa: PLC0415
    from tatpar.data_folder.clocks import clock_lines, clocks_as_json, told_clocks  # noqa: PLC0415
    from tatpar.gaps.words import as_json as for_machines  # noqa: PLC0415
    from tatpar.gaps.words import lines  # noqa: PLC0415
    from tatpar.terminal.json_time import as_json as text_of  # noqa: PLC0415
    from tatpar.terminal.spans import NoSuchSpanError, begin_of  # noqa: PLC0415

    config, now_ns = load_config(config_file), time.time_ns()
    zone = timezone_of(config.settings)
    try:
        since_ns = begin_of(since, now_ns, zone)
    except NoSuchSpanError as error:
        wrong_input(f"--since: {error}")
    language = lang or config.settings.deployment.language
    wanted = _wanted(config, sites, language)
    missing = _found(config, data_dir, wanted, (since_ns, now_ns), language)
    put_back = _put_back(config.settings.store, data_dir, since_ns)
    clocks = told_clocks(data_dir, wanted, now_ns, language)
    if as_json:
        told = for_machines(missing, now_ns, put_back) | {"wrong_clocks": clocks_as_json(clocks)}
        click.echo(text_of(told))
    else:
        of_clocks = clock_lines(config, clocks, language, zone)
        click.echo("\n".join([*lines(config, missing, language, zone, put_back), *of_clocks]))
    if require is not None and (
        missing.mute or not missing.fleet.ratio >= require
    ):  # NaN is not enough either
        raise SystemExit(INCOMPLETE_STATUS)


def _wanted(config: Config, sites: Sequence[str], language: str) -> list[str]:
    """The linked offices that were asked for; all when none was."""
    linked = [site.id for site in config.registry.linked()]
    for site in sites:
        known = config.registry.by_id.get(site)
        if known is None:
            no_office(config, "--site", site, language)
        if site not in linked:
            wrong_input(f"--site: {site} is {known.status} and sends nothing; name one that is linked")
    return list(dict.fromkeys(sites)) or linked


def _found(
    config: Config, data_dir: Path, sites: Sequence[str], span_ns: tuple[int, int], language: str
) -> Missing:
    import contextlib  # noqa: PLC0415

    from tatpar.gaps.missing import find  # noqa: PLC0415
    from telemetry.store.errors import StoreError  # noqa: PLC0415
    from telemetry.store.open import open_reader  # noqa: PLC0415
    from telemetry.words import say  # noqa: PLC0415

    _must_be_there(config.settings.store, data_dir, language)
    try:
        with (
            contextlib.closing(open_reader(config.settings.store, data_dir)) as reader,
            click.progressbar(length=len(sites), label=say(language, "progress.offices"), file=ours()) as bar,
        ):
            return find(reader, sites, *span_ns, bar.update)
    except StoreError as error:
        failed(f"tatpar gaps: {error}")


def _put_back(store: Store, data_dir: Path, since_ns: int) -> tuple[int, int] | None:
    """From a backup to its putting back, when that was since."""
    from telemetry.store.errors import StoreError  # noqa: PLC0415
    from telemetry.store.open import store_file  # noqa: PLC0415
    from telemetry.store.sqlite.restored import put_back  # noqa: PLC0415

    try:
        span = put_back(store_file(store, data_dir))
    except StoreError as error:
        failed(f"tatpar gaps: {error}")
    return span if span is not None and span[1] >= since_ns else None


def _must_be_there(store: Store, data_dir: Path, language: str) -> None:
    """A store's file is not made by looking at it."""
    from telemetry.store.open import store_file  # noqa: PLC0415

    if not store_file(store, data_dir).exists():
        wrong_input(no_store(data_dir, language))
