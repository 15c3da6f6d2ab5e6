"""`tatpar report`: the readiness reports."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tatpar.options import config_option, data_option, explained, explains_config, failed, wrong_input

if TYPE_CHECKING:
    from collections.abc import Callable

    from click._termui_impl import ProgressBar


def progress_on(bar: ProgressBar[int]) -> Callable[[int, int], None]:
    """Shows a share of the whole on a bar of 100."""
    return lambda done, of: bar.update(100 * done // of - bar.pos)


@click.group()
def command() -> None:
    """The readiness reports.

    Example: tatpar report weekly --lang hi
    """


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
    "--out", type=click.Path(path_type=Path, file_okay=False), default=Path("reports-out"), show_default=True
)
@explains_config
def weekly(
    config_file: Path | None, data_dir: Path, week_text: str | None, language: str | None, out: Path
) -> None:
    """Write the report of a week as one HTML page, and print its path.

    Example: tatpar report weekly --week 2026-W47 --lang en --out reports-out
    """
    import contextlib  # noqa: PLC0415 - keeps --help fast
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
        out.mkdir(parents=True, exist_ok=True)
        file = out / f"readiness-{week}-{language}.html"
        file.write_text(render(config, figures, language, now_ns), encoding="utf-8")
    except (StoreError, StateError) as error:
        failed(f"tatpar report: {error}")
    except OSError as error:
        failed(f"tatpar report: {explained(error)}")
    click.echo(str(file))
