"""`tatpar backtest`: replay the store's history strictly causally, and score the forecast."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from tatpar.terminal.amiss import existing_folder, no_office, no_region, no_store, no_uid
from tatpar.terminal.options import (
    FiniteRange,
    explained,
    failed,
    json_option,
    lang_option,
    scheduler_option,
    settings_and_data,
    wrong_input,
)
from telemetry.state.file import STATE_FILE
from telemetry.windows import SLOT_NS, WEEK_NS

if TYPE_CHECKING:
    from analytics.forecast.replay import Doing
    from config.config import Config
    from tatpar.backtesting.blocks import Wanted
    from tatpar.backtesting.figures import Figures

_PLOTS: Final = (".svg", ".png")


@click.command(
    epilog="Example: tatpar backtest --weeks 8 --plot reliability.svg",
    short_help="replay history and score the forecast",
)
@settings_and_data
@click.option(
    "--weeks",
    type=FiniteRange(1, 104),
    default=8.0,
    show_default=True,
    help="How far back; the first week only teaches the model.",
)
@click.option("--meeting", default="", metavar="UID", help="Only the past occurrences of this meeting.")
@click.option("--site", "sites", multiple=True, metavar="SITE", help="Only this office; may be given again.")
@click.option("--region", default="", metavar="REGION", help="Only the offices of this region.")
@click.option(
    "--hourly", is_flag=True, help="Every whole hour stands for a meeting too, where there are few."
)
@click.option(
    "--plot",
    type=click.Path(path_type=Path, dir_okay=False),
    default=None,
    metavar="FILE",
    help="Draw the reliability diagram, as .svg or .png.",
)
@lang_option
@scheduler_option
@json_option
def command(  # noqa: PLR0913 - one an option
    *,
    config_file: Path | None,
    data_dir: Path,
    weeks: float,
    meeting: str,
    sites: tuple[str, ...],
    region: str,
    hourly: bool,
    plot: Path | None,
    lang: str | None,
    scheduler: str | None,
    as_json: bool,
) -> None:
    """How good the forecast would have been: each past meeting forecast again from what had arrived by then.

    Prints, by horizon and by region: Brier score, its skill over persistence and over climatology (both
    recalibrated on the same past), calibration, hits and false alarms; all with intervals by block bootstrap.
    The model is fitted anew each week on what had come true and arrived by then.
    """
    import time  # noqa: PLC0415 - keeps --help fast

    from config.load import load_config  # noqa: PLC0415
    from tatpar.backtesting.blocks import Wanted  # noqa: PLC0415
    from tatpar.data_folder.lab_calendar import lab_meetings  # noqa: PLC0415

    if plot is not None and plot.suffix not in _PLOTS:
        wrong_input(f"--plot: {plot} ends with neither .svg nor .png; write one of them")
    config = load_config(config_file, extra_meetings=lab_meetings(data_dir))
    language = lang or config.settings.deployment.language
    existing_folder(data_dir, language)
    now_ns = time.time_ns() // SLOT_NS * SLOT_NS
    wanted = Wanted(
        from_ns=now_ns - round(weeks * WEEK_NS),
        until_ns=now_ns,
        sites=_offices(config, sites, region, language),
        meeting=_meeting(config, meeting, language),
        hourly=hourly,
    )
    figures = _figures(config, data_dir, wanted, scheduler, language)
    if plot is not None and not figures.nothing:
        _draw(figures, wanted, plot)
    if as_json:
        _print_json(figures, wanted)
    else:
        _print(config, figures, wanted, language)
    if figures.nothing:
        raise SystemExit(1)


def _offices(config: Config, sites: tuple[str, ...], region: str, language: str) -> frozenset[str]:
    from tatpar.backtesting.replaying import linked_in  # noqa: PLC0415

    for site in sites:
        if site not in config.registry.by_id:
            no_office(config, "--site", site, language)
    if not region:
        return frozenset(sites)
    if region not in config.regions:
        no_region(config, "--region", region, language)
    inside = linked_in(config, region)
    if not inside:
        wrong_input(f"--region: no office of {region} is linked yet; name another region")
    if sites and not inside & set(sites):
        wrong_input(f"--site: none of these offices is in {region}; leave out --site or --region")
    return inside & set(sites) if sites else inside


def _meeting(config: Config, uid: str, language: str) -> str:
    if uid and uid not in {meeting.uid for meeting in config.calendar.meetings}:
        no_uid(config, uid, language)
    return uid


def _figures(config: Config, data_dir: Path, wanted: Wanted, scheduler: str | None, language: str) -> Figures:
    import contextlib  # noqa: PLC0415

    from tatpar.backtesting.blocks import Source  # noqa: PLC0415
    from tatpar.backtesting.figures import figures_of  # noqa: PLC0415
    from tatpar.backtesting.replaying import replayed  # noqa: PLC0415
    from tatpar.shipped.prior import shipped_prior  # noqa: PLC0415
    from telemetry.state.db import StateDb  # noqa: PLC0415
    from telemetry.state.errors import StateError  # noqa: PLC0415
    from telemetry.store.by_blocks import SchedulerError, blocks_of  # noqa: PLC0415
    from telemetry.store.errors import StoreError  # noqa: PLC0415
    from telemetry.store.open import open_reader, store_file  # noqa: PLC0415
    from telemetry.words import say  # noqa: PLC0415

    def told(doing: Doing) -> None:
        numbers: dict[str, Any] = doing.numbers
        click.echo(say(language, f"backtest.doing_{doing.what}", **numbers), err=True)

    if not store_file(config.settings.store, data_dir).exists():
        wrong_input(no_store(data_dir, language))
    try:
        with (
            contextlib.closing(open_reader(config.settings.store, data_dir)) as reader,
            contextlib.closing(StateDb(data_dir / STATE_FILE)) as state,
            blocks_of(scheduler, reader, config.settings.store, data_dir) as blocks,
        ):
            source = Source(reader, state, blocks)
            found = replayed(config, source, wanted, shipped_prior(), told)
            return figures_of(config, found)
    except (StoreError, StateError, SchedulerError) as error:
        failed(f"tatpar backtest: {error}")


def _draw(figures: Figures, wanted: Wanted, file: Path) -> None:
    from tatpar.backtesting.plot import draw  # noqa: PLC0415
    from tatpar.terminal.json_time import rfc3339  # noqa: PLC0415

    span = f"{rfc3339(wanted.from_ns)[:10]} to {rfc3339(wanted.until_ns)[:10]}"
    try:
        draw(figures, f"Reliability, {span}: {figures.pairs:,} pairs of office and meeting", file)
    except OSError as error:
        failed(f"tatpar backtest: {explained(error)}")
    click.echo(str(file), err=True)


def _print_json(figures: Figures, wanted: Wanted) -> None:
    from tatpar.terminal.json_time import as_json, readable, rfc3339  # noqa: PLC0415

    found = {"from": rfc3339(wanted.from_ns), "until": rfc3339(wanted.until_ns)}
    refits = [rfc3339(at_ns) for at_ns in figures.refits_ns]
    plain = readable(figures)
    assert isinstance(plain, dict)
    plain.pop("refits_ns", None)
    click.echo(as_json(found | plain | {"refits": refits}))


def _why_nothing(figures: Figures, language: str) -> str:
    """Why no forecast could be scored: more weeks do not help where nothing failed, or where samples are too few."""
    from analytics.climatology import LEAST_SAMPLES  # noqa: PLC0415
    from telemetry.words import say  # noqa: PLC0415

    if not figures.pairs:
        return say(language, "backtest.nothing_known", least=LEAST_SAMPLES)
    return say(language, "backtest.nothing" if figures.failed else "backtest.nothing_failed")


def _print(config: Config, figures: Figures, wanted: Wanted, language: str) -> None:
    from config.settings_file import timezone_of  # noqa: PLC0415
    from tatpar.backtesting.table import lines_of  # noqa: PLC0415
    from telemetry.words import say  # noqa: PLC0415

    zone = timezone_of(config.settings)
    click.echo(
        say(
            language,
            "backtest.heading",
            zone=zone,
            begin=wanted.from_ns,
            end=wanted.until_ns,
            pairs=figures.pairs,
            failed=figures.failed,
        )
    )
    if figures.nothing:
        click.echo(_why_nothing(figures, language))
        return
    click.echo(say(language, "backtest.causal", n=len(figures.refits_ns)))
    if figures.hours_as_meetings:
        click.echo(say(language, "backtest.hours", count=figures.hours_as_meetings))
    click.echo("\n" + "\n".join(lines_of(config, figures, language)))
