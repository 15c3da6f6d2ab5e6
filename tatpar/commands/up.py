"""`tatpar up`: everything on one machine."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - click reads it

import click

from tatpar.options import (
    config_option,
    data_option,
    explained,
    explains_config,
    failed,
    log_option,
    wrong_input,
)


@click.command()
@config_option
@data_option
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
@explains_config
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
    import signal  # noqa: PLC0415

    from config.live import LiveConfig  # noqa: PLC0415
    from config.load import LAB_MEETINGS  # noqa: PLC0415

    live = LiveConfig(
        config_file, extra_meetings=[LAB_MEETINGS] if lab else []
    )  # told before all else is loaded

    from collector.broker.child import BrokerError  # noqa: PLC0415
    from dashboards.wall.serve import AddressInUseError  # noqa: PLC0415
    from tatpar.logs import sayer, set_up  # noqa: PLC0415
    from tatpar.up import AlreadyRunningError, Up, UpOptions  # noqa: PLC0415
    from telemetry.state.errors import StateError  # noqa: PLC0415
    from telemetry.store.errors import StoreError  # noqa: PLC0415

    log_format = log_format or live.current.settings.log.format
    set_up(log_format)
    say = sayer(log_format, "up")
    options = UpOptions(data_dir, lab, host, port, truth, history_weeks)
    up = Up(live, options, say)

    async def until_told() -> None:
        loop, numbers = asyncio.get_running_loop(), (signal.SIGINT, signal.SIGTERM)
        task = asyncio.create_task(up.run(), name="up")

        def stop() -> None:
            for number in numbers:  # told once is enough: stopping is bounded, and ends in order
                loop.remove_signal_handler(number)
                signal.signal(number, signal.SIG_IGN)
            task.cancel()

        for number in numbers:
            loop.add_signal_handler(number, stop)
        try:
            await task
        except asyncio.CancelledError:
            say("stopped")

    try:
        asyncio.run(until_told())
    except AddressInUseError as error:
        wrong_input(f"tatpar up: {error}")
    except (AlreadyRunningError, BrokerError, StateError, StoreError) as error:
        failed(f"tatpar up: {error}")
    except OSError as error:
        failed(f"tatpar up: {explained(error)}")
