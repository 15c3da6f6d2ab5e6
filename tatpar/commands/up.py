"""`tatpar up`: everything on one machine."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - click reads it
from typing import TYPE_CHECKING, Final

import click

from tatpar.terminal.options import explained, failed, log_option, settings_and_data, wrong_input

if TYPE_CHECKING:
    from collections.abc import Callable

    from config.live import LiveConfig
    from tatpar.hub.up import Up

SAID_AFTER_S: Final = 1.0
"""Stopping that takes longer says what it waits for."""


@click.command()
@settings_and_data
@click.option("--lab", is_flag=True, help="With an emulated fleet: every linked office, real packets.")
@click.option("--host", default=None, help="Where the wall listens; default from the settings (127.0.0.1).")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=None,
    help="The wall's port; 0: a free one; default 8420.",
)
@click.option("--truth", is_flag=True, help="With --lab: keep the packet-by-packet truth log.")
@click.option(
    "--history",
    "history_weeks",
    type=click.IntRange(0, 104),
    default=4,
    show_default=True,
    help="With --lab: weeks of emulated past to make when there is none.",
)
@log_option
def command(  # noqa: PLR0913, PLR0917 - one argument an option
    config_file: Path | None,
    data_dir: Path,
    lab: bool,  # noqa: FBT001
    host: str | None,
    port: int | None,
    truth: bool,  # noqa: FBT001
    history_weeks: int,
    log_format: str | None,
) -> None:
    """Everything on one machine: broker, collector, store, analytics, alerts, wall.

    Example: tatpar up --lab --port 8420
    """
    import asyncio  # noqa: PLC0415 - keeps --help fast

    notes: list[str] = []
    live = _configuration(config_file, data_dir, lab=lab, say=notes.append)  # told before all else is loaded

    from collector.broker.child import BrokerError  # noqa: PLC0415
    from dashboards.wall.serve import AddressInUseError  # noqa: PLC0415
    from tatpar.hub.up import AlreadyRunningError, Up, UpOptions  # noqa: PLC0415
    from tatpar.service.logs import sayer, set_up  # noqa: PLC0415
    from telemetry.state.errors import StateError  # noqa: PLC0415
    from telemetry.store.errors import StoreError  # noqa: PLC0415

    log_format = log_format or live.current.settings.log.format
    set_up(log_format)
    say = sayer(log_format, "up")
    for note in notes:
        say(note)
    options = UpOptions(data_dir, lab, host, port, truth, history_weeks)
    up = Up(live, options, say)

    try:
        asyncio.run(_until_told(up, say))
    except AddressInUseError as error:
        wrong_input(f"tatpar up: {error}")
    except (AlreadyRunningError, BrokerError, StateError, StoreError) as error:
        failed(f"tatpar up: {error}")
    except OSError as error:
        failed(f"tatpar up: {explained(error)}")


def _configuration(
    config_file: Path | None, data_dir: Path, *, lab: bool, say: Callable[[str], None]
) -> LiveConfig:
    """What the operator wrote; with the lab's drills where there is a lab and the calendar has room, said if it is their own."""
    import time  # noqa: PLC0415

    from config.live import LiveConfig  # noqa: PLC0415
    from config.load import DEFAULT_MEETINGS, LAB_MEETINGS  # noqa: PLC0415
    from tatpar.data_folder.lab_calendar import drills_wanted, say_drills  # noqa: PLC0415

    live = LiveConfig(config_file)
    if not lab:
        return live
    wanted = drills_wanted(live.current, time.time_ns())
    say_drills(data_dir, wanted=wanted)
    if not wanted:
        return live
    if live.current.sources.meetings[0] != DEFAULT_MEETINGS:
        say("lab: no meeting within two hours; a drill every three hours (lab-drill-…) joins the calendar")
    return LiveConfig(config_file, extra_meetings=[LAB_MEETINGS])


async def _until_told(up: Up, say: Callable[[str], None]) -> None:
    """Run until SIGINT or SIGTERM; stopping that takes its time says what it waits for."""
    import asyncio  # noqa: PLC0415
    import signal  # noqa: PLC0415

    loop, numbers = asyncio.get_running_loop(), (signal.SIGINT, signal.SIGTERM)
    task = asyncio.create_task(up.run(), name="up")

    def stop() -> None:
        for number in numbers:  # told once is enough: stopping is bounded, and ends in order
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_IGN)
        task.cancel()
        loop.call_later(SAID_AFTER_S, say_what_is_waited_for)

    def say_what_is_waited_for() -> None:
        names = sorted(each.get_name() for each in asyncio.all_tasks() if each.get_name().startswith("up: "))
        rooms = ", ".join(name.removeprefix("up: ") for name in names)
        say(f"stopping: waiting for {rooms or 'broker and reflectors'} to end")

    for number in numbers:
        loop.add_signal_handler(number, stop)
    try:
        await task
    except asyncio.CancelledError:
        say("stopped")
