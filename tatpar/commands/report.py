"""`tatpar report`: the readiness reports."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tatpar.reporting.digest_command import digest
from tatpar.terminal.amiss import no_region, no_store
from tatpar.terminal.options import (
    explained,
    failed,
    json_option,
    lang_option,
    settings_and_data,
    wrong_input,
)
from tatpar.terminal.screen import ours
from telemetry.windows import DAY_NS

if TYPE_CHECKING:
    from collections.abc import Callable
    from zoneinfo import ZoneInfo

    from click._termui_impl import ProgressBar

    from config.config import Config
    from reports.week import Week
    from tatpar.reporting.weekly import Made


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
@settings_and_data
@click.option(
    "--week", "week_text", default=None, metavar="2026-W47", help="Default: the week that is running."
)
@lang_option
@click.option("--region", default="", metavar="REGION", help="Only the offices of one region.")
@click.option(
    "--format",
    "forms",
    default="html,pdf,csv",
    show_default=True,
    metavar="LIST",
    help="What is written: html, pdf, csv, divided by commas.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=None,
    help="Folder for the files; default: reports/ in the folder of --data.",
)
@click.option("--send", is_flag=True, help="Mail it to those who get it ([reports] and people.csv) too.")
@json_option
def weekly(  # noqa: PLR0913 - one an option
    *,
    config_file: Path | None,
    data_dir: Path,
    week_text: str | None,
    lang: str | None,
    region: str,
    forms: str,
    out: Path | None,
    send: bool,
    as_json: bool,
) -> None:
    """Write the report of a week as page, PDF and tables, and print their paths.

    Example: tatpar report weekly --week 2026-W47 --lang en
    """
    import time  # noqa: PLC0415 - keeps --help fast
    from zoneinfo import ZoneInfo  # noqa: PLC0415

    from config.load import load_config  # noqa: PLC0415
    from tatpar.data_folder.lab_calendar import lab_meetings  # noqa: PLC0415
    from tatpar.reporting.weekly import Wanted, make  # noqa: PLC0415
    from telemetry.state.errors import StateError  # noqa: PLC0415
    from telemetry.store.errors import StoreError  # noqa: PLC0415
    from telemetry.words import say  # noqa: PLC0415

    config = load_config(config_file, extra_meetings=lab_meetings(data_dir))
    now_ns, language = time.time_ns(), lang or config.settings.deployment.language
    wanted = Wanted(
        week=_week(week_text, ZoneInfo(config.settings.deployment.timezone), now_ns),
        language=language,
        region=_region(region, config, language),
        forms=_forms(forms),
        folder=out or data_dir / "reports",
        send=send,
    )
    _check_kept(wanted.week, now_ns, config.settings.store.rollup_days)
    _check_store(config, data_dir, language)
    try:
        label = say(language, "progress.report", week=str(wanted.week))
        with click.progressbar(length=100, label=label, file=ours()) as bar:
            made = make(config, data_dir, wanted, now_ns, progress_on(bar))
    except (StoreError, StateError) as error:
        failed(f"tatpar report: {error}")
    except OSError as error:
        failed(f"tatpar report: {explained(error)}")
    _say(made, as_json=as_json)
    if send and not made.readers:
        failed(say(language, "report.posted_to_nobody"))
    if send:
        click.echo(say(language, "report.posted", count=made.mails), err=True)


def _say(made: Made, *, as_json: bool) -> None:
    """Print where the files are."""
    import json  # noqa: PLC0415 - keeps --help fast

    files = [str(file) for file in made.files]
    if as_json:
        click.echo(json.dumps({"files": files, "mails": made.mails}, ensure_ascii=False))
        return
    for file in files:
        click.echo(file)


def _week(text: str | None, zone: ZoneInfo, now_ns: int) -> Week:
    from reports.week import NoSuchWeekError, Week  # noqa: PLC0415

    try:
        return Week.of(text, zone) if text else Week.containing(now_ns, zone)
    except NoSuchWeekError as error:
        wrong_input(f"--week: {error}")


def _region(region: str, config: Config, language: str) -> str:
    if region and region not in config.regions:
        no_region(config, "--region", region, language)
    return region


def _forms(text: str) -> tuple[str, ...]:
    from reports.files import FORMS  # noqa: PLC0415

    wanted = tuple(form.strip() for form in text.split(","))
    if not set(wanted) <= set(FORMS):
        wrong_input(f"--format: {text!r} is none of them; write some of {','.join(FORMS)}")
    return wanted


def _check_store(config: Config, data_dir: Path, language: str) -> None:
    from telemetry.store.open import store_file  # noqa: PLC0415

    if not store_file(config.settings.store, data_dir).exists():
        wrong_input(no_store(data_dir, language))


def _check_kept(week: Week, now_ns: int, kept_days: float) -> None:
    """There is nothing to tell of a week that has not begun, nor of one older than what is kept."""
    from reports.week import Week  # noqa: PLC0415

    if week.start_ns > now_ns:
        wrong_input(f"--week: {week} has not begun; write a week up to {Week.containing(now_ns, week.zone)}")
    first = Week.containing(now_ns - round(kept_days * DAY_NS), week.zone)
    if week.end_ns <= first.start_ns:
        wrong_input(
            f"--week: nothing is kept of {week}; write a week from {first} on (store.rollup_days is {kept_days:g})"
        )
