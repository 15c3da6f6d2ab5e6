"""`tatpar broker`: mosquitto with its door for offices, as a process of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tatpar.terminal.options import explained, failed, log_option, settings_and_data, wrong_input

if TYPE_CHECKING:
    from pathlib import Path

    from config.settings import Settings


@click.command()
@settings_and_data
@log_option
def command(config_file: Path | None, data_dir: Path, log_format: str | None) -> None:
    """Run the broker, and keep its users, access list and certificates in step with the enrolments.

    For a hub whose parts are services of their own; `tatpar up` includes it. Collectors find it with --broker 127.0.0.1:PORT.

    Example: tatpar broker --config tatpar.toml --data data
    """
    import asyncio  # noqa: PLC0415 - keeps --help fast

    from collector.broker import BrokerError  # noqa: PLC0415
    from config.load import load_config  # noqa: PLC0415
    from tatpar.service.logs import set_up  # noqa: PLC0415

    settings = load_config(config_file).settings
    set_up(log_format or settings.log.format)
    if settings.broker.bring == "none" or settings.broker.port == 0:
        wrong_input(
            'tatpar broker: other processes must find it; under [broker] write bring = "mosquitto" and port = 1883'
        )
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        asyncio.run(_run(settings, data_dir))
    except BrokerError as error:
        failed(f"tatpar broker: {error}")
    except OSError as error:
        failed(f"tatpar broker: {explained(error)}")


async def _run(settings: Settings, data_dir: Path) -> None:
    """Until told to stop."""
    import asyncio  # noqa: PLC0415
    import signal  # noqa: PLC0415

    from collector.broker import bring  # noqa: PLC0415
    from tatpar.service.notify import Manager, serving  # noqa: PLC0415

    manager, stop = Manager(), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with bring(settings.broker, data_dir) as address, serving(f"broker on {address}", manager):
        click.echo(f"broker: {address.kind} on {address}", err=True)
        await stop.wait()
