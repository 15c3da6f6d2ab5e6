"""`tatpar report`: the readiness reports."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tatpar.digest_command import digest
from tatpar.options import (
    config_option,
    data_option,
    explained,
    explains_config,
    failed,
    json_option,
    wrong_input,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from click._termui_impl import ProgressBar

    from reports.week import Week


_DAY_NS = 86_400 * 10**9


def progress_on(bar: ProgressBar[int]) -> Callable[[int, int], None]:
    """Shows a share of the whole on a bar of 100."""
    return lambda done, of: bar.update(100 * done // of - bar.pos)


@click.group()
def command() -> None:
    """The readiness reports.

    Example: tatpar report weekly --lang hi
    """


command.add_command(digest)


@command.command("weekly")
@config_option
@data_option
@click.option(
    "--week", "week_text", default=None, metavar="2026-W47", help="Default: the week that is running."
)
@click.option(
    "--lang", "language", type=click.Choice(["hi", "en"]), default=None, help="Default: the deployment's."
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=None,
    help="Folder for the page; default: reports/ in the folder of --data.",
)
@json_option
@explains_config
def weekly(  # noqa: PLR0913 - one an option
    *,
    config_file: Path | None,
    data_dir: Path,
    week_text: str | None,
    language: str | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """Write the report of a week as one HTML page, and print its path.

    Example: tatpar report weekly --week 2026-W47 --lang en
    """
    import contextlib  # noqa: PLC0415 - keeps --help fast
    import json  # noqa: PLC0415
    import sys  # noqa: PLC0415
    import time  # noqa: PLC0415
    from zoneinfo import ZoneInfo  # noqa: PLC0415

    from config.load import load_config  # noqa: PLC0415
    from reports.gather import gather  # noqa: PLC0415
    from reports.page import render  # noqa: PLC0415
    from reports.week import NoSuchWeekError, Week  # noqa: PLC0415
    from tatpar.lab_calendar import lab_meetings  # noqa: PLC0415
    from telemetry.state.db import StateDb  # noqa: PLC0415
    from telemetry.state.errors import StateError  # noqa: PLC0415
    from telemetry.store.errors import StoreError  # noqa: PLC0415
    from telemetry.store.open import open_reader, store_file  # noqa: PLC0415

    config = load_config(config_file, extra_meetings=lab_meetings(data_dir))
    zone = ZoneInfo(config.settings.deployment.timezone)
    now_ns = time.time_ns()
    try:
        week = Week.of(week_text, zone) if week_text else Week.containing(now_ns, zone)
    except NoSuchWeekError as error:
        wrong_input(f"--week: {error}")
    _check_kept(week, now_ns, config.settings.store.rollup_days)
    if not store_file(config.settings.store, data_dir).exists():
        wrong_input(f"{data_dir}: no store there; name the folder of a Tatpar with --data")
    language = language or config.settings.deployment.language
    try:
        bar = click.progressbar(length=100, label=f"report of {week}", file=sys.stderr)
        with (
            bar,
            contextlib.closing(open_reader(config.settings.store, data_dir)) as reader,
            contextlib.closing(StateDb(data_dir / "state.db")) as state,
        ):
            figures = gather(config, reader, state, week, now_ns, progress_on(bar))
        out = out or data_dir / "reports"
        out.mkdir(parents=True, exist_ok=True)
        file = out / f"readiness-{week}-{language}.html"
        file.write_text(render(config, figures, language, now_ns), encoding="utf-8")
    except (StoreError, StateError) as error:
        failed(f"tatpar report: {error}")
    except OSError as error:
        failed(f"tatpar report: {explained(error)}")
    click.echo(json.dumps({"files": [str(file)]}) if as_json else str(file))


def _check_kept(week: Week, now_ns: int, kept_days: float) -> None:
    """There is nothing to tell of a week that has not begun, nor of one older than what is kept."""
    from reports.week import Week  # noqa: PLC0415

    if week.start_ns > now_ns:
        wrong_input(f"--week: {week} has not begun; write a week up to {Week.containing(now_ns, week.zone)}")
    first = Week.containing(now_ns - round(kept_days * _DAY_NS), week.zone)
    if week.end_ns <= first.start_ns:
        wrong_input(
            f"--week: nothing is kept of {week}; write a week from {first} on (store.rollup_days is {kept_days:g})"
        )
