"""`tatpar changes`: where the level of a trace moved, or of an office's lines."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from tatpar.terminal.amiss import no_office, no_store
from tatpar.terminal.options import failed, json_option, lang_option, settings_and_data, wrong_input
from tatpar.terminal.screen import ours
from telemetry.windows import WEEK_NS

if TYPE_CHECKING:
    from config.config import Config
    from tatpar.changes.moved import Asked, Found

METRICS = ("rtt", "jitter", "loss")
NEWEST = 20
"""Moves of an office that are shown line by line, where not all are asked for."""


@click.command(
    epilog="Example: tatpar changes trace.csv --out changes.csv\n\nExample: tatpar changes --site agra --weeks 2",
    short_help="where a line's level moved",
)
@settings_and_data
@click.argument("trace", type=click.Path(path_type=Path), required=False)
@click.option(
    "--online",
    is_flag=True,
    help="Decide as samples come, five after a change: write when the decision fell.",
)
@click.option(
    "--out", type=click.Path(path_type=Path), help="Write the indices here instead of showing them."
)
@click.option(
    "--site", metavar="SITE", help="Not a trace: this office's lines, out of the store's five minutes."
)
@click.option("--path", metavar="PATH", help="Only this line of the office, as main.state.")
@click.option("--metric", type=click.Choice(METRICS), default=None, help="Only this figure of the office.")
@click.option(
    "--weeks", type=click.IntRange(1, 104), default=4, show_default=True, help="So far back, for an office."
)
@click.option(
    "--all", "every", is_flag=True, help=f"Every move of an office's lines, not only the newest {NEWEST}."
)
@lang_option
@json_option
def command(  # noqa: PLR0913 - one argument an option
    *,
    config_file: Path | None,
    data_dir: Path,
    trace: Path | None,
    online: bool,
    out: Path | None,
    site: str | None,
    path: str | None,
    metric: str | None,
    weeks: int,
    lang: str | None,
    every: bool,
    as_json: bool,
) -> None:
    """Find in a trace (CSV, columns epoch;rtt) the first sample of each new level: its row in the file, counted from 0, one a line.

    A round trip of 0 or less, or of 1000 ms or more, is a timeout; where six or more in a row begin and end is told, too.
    No more is told of loss in a trace: where it begins and is scattered no round trip moves, so that is no change, and of a heavy
    one only the runs of six that chance makes are told. A step of loss is told of an office's five minutes, with --site SITE
    --metric loss; whether a loss is too much is judged by the call profiles (tatpar flags).
    The time may be called time or timestamp, too, and commas or tabs may separate; it is a day with a clock, day first where
    the year is not, or seconds (ms, µs, ns) since 1970. Rows may stand in any order; of several for one instant the first
    counts; a last row that breaks off is left out. What was mended is told on standard error.
    The settings are the same for every trace.
    With --site: the moves of an office's lines with their levels before and after, in local time; of many, how many
    there were of each figure, and the newest. --json has them all. The daily swing is no move: what stands off its level
    as it did within an hour of that time of the day on at least three other days, and an eighth of all, is left out.
    """
    if trace is not None and site is None:
        said = click.get_current_context().get_parameter_source("weeks")
        if path is not None or metric is not None or every or said is ParameterSource.COMMANDLINE:
            wrong_input(
                "--path, --metric, --weeks and --all go with --site; leave them out for a trace, or name an office with --site"
            )
        _of_trace(trace, online=online, out=out, as_json=as_json)
    elif site is None:
        wrong_input("tatpar changes: what of? Name a trace, or an office with --site")
    elif trace is not None or online or out is not None:
        wrong_input("--site: a trace, --online and --out do not go with it; name one or the other")
    else:
        newest = None if every else NEWEST
        _of_site(
            config_file, data_dir, site,
            path=path, metric=metric, weeks=weeks, lang=lang, newest=newest, as_json=as_json,
        )  # fmt: skip


def _of_trace(trace: Path, *, online: bool, out: Path | None, as_json: bool) -> None:
    import json  # noqa: PLC0415 - keeps --help fast

    from analytics.changes.offline import changes  # noqa: PLC0415
    from analytics.changes.online import decisions  # noqa: PLC0415
    from analytics.changes.silences import with_edges, with_edges_decided  # noqa: PLC0415
    from tatpar.shipped.level_trees import shipped_online_trees, shipped_trees  # noqa: PLC0415
    from telemetry.trace_lines import TraceError  # noqa: PLC0415
    from telemetry.traces import read_trace  # noqa: PLC0415

    try:
        read = read_trace(trace)
    except TraceError as error:
        wrong_input(str(error))
    for line in read.mended:
        click.echo(line, err=True)
    values = read.rtt_ms
    samples = (
        with_edges_decided(decisions(values, shipped_online_trees()), values)
        if online
        else with_edges(changes(values, shipped_trees()), values)
    )
    found = sorted(read.rows[samples].tolist())
    text = json.dumps(found) + "\n" if as_json else "".join(f"{index}\n" for index in found)
    if out is None:
        click.echo(text, nl=False)
        return
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        failed(f"tatpar changes: {out}: {error.strerror}")


def _of_site(  # noqa: PLR0913 - one argument an option
    config_file: Path | None,
    data_dir: Path,
    site: str,
    *,
    path: str | None,
    metric: str | None,
    weeks: int,
    lang: str | None,
    newest: int | None,
    as_json: bool,
) -> None:
    from analytics.changes.series import METRICS as EVERY  # noqa: PLC0415 - keeps --help fast
    from config.load import load_config  # noqa: PLC0415
    from config.settings_file import timezone_of  # noqa: PLC0415
    from config.text import one_of  # noqa: PLC0415
    from tatpar.changes.moved import Asked  # noqa: PLC0415
    from tatpar.changes.words import lines  # noqa: PLC0415
    from tatpar.terminal.json_time import as_json as text_of  # noqa: PLC0415
    from tatpar.terminal.json_time import readable  # noqa: PLC0415

    config, now_ns = load_config(config_file), time.time_ns()
    language = lang or config.settings.deployment.language
    if site not in config.registry.by_id:
        no_office(config, "--site", site, language)
    paths = [f"main.{end}" for end in config.headquarters]
    if path is not None and path not in paths:
        wrong_input(f"--path: there is no line {path!r}; {one_of(path, paths)}")
    asked = Asked(
        site=site,
        paths=tuple(each for each in paths if path in {None, each}),
        metrics=tuple(each for each in EVERY if metric in {None, each}),
        start_ns=now_ns - weeks * WEEK_NS,
        end_ns=now_ns,
    )
    found = _found(config, data_dir, asked, language)
    if as_json:
        click.echo(text_of(readable(found)))
        return
    click.echo("\n".join(lines(config, found, language, timezone_of(config.settings), newest=newest)))


def _found(config: Config, data_dir: Path, asked: Asked, language: str) -> Found:
    import contextlib  # noqa: PLC0415

    from tatpar.changes.moved import moves  # noqa: PLC0415
    from telemetry.store.errors import StoreError  # noqa: PLC0415
    from telemetry.store.open import open_reader, store_file  # noqa: PLC0415
    from telemetry.words import say  # noqa: PLC0415

    if not store_file(config.settings.store, data_dir).exists():
        wrong_input(no_store(data_dir, language))
    try:
        with (
            contextlib.closing(open_reader(config.settings.store, data_dir)) as reader,
            click.progressbar(
                length=len(asked.paths), label=say(language, "progress.lines"), file=ours()
            ) as bar,
        ):
            return moves(reader, asked, bar.update)
    except StoreError as error:
        failed(f"tatpar changes: {error}")
