"""`tatpar collect`: take in, check, store and confirm reports from a broker that runs elsewhere."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - click reads it
from typing import TYPE_CHECKING

import click

from tatpar.options import config_option, data_option, explains_config, failed, wrong_input

if TYPE_CHECKING:
    from collector.broker import BrokerAddress
    from config.live import LiveConfig
    from config.settings import Broker


@click.command()
@config_option
@data_option
@click.option(
    "--broker",
    "where",
    metavar="HOST:PORT",
    default=None,
    help="The broker; without it, broker.host and broker.port of the settings, or one of our own when they say so.",
)
@explains_config
def command(config_file: Path | None, data_dir: Path, where: str | None) -> None:
    """Take in reports from the broker: check, store, confirm; publish each probe's plan.

    Example: tatpar collect --config tatpar.toml --data data --broker hub.example:1883
    """
    import asyncio  # noqa: PLC0415 - keeps --help fast
    import logging  # noqa: PLC0415

    from config.live import LiveConfig  # noqa: PLC0415

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    live = LiveConfig(config_file)
    address = None if where is None else _address(where)
    try:
        asyncio.run(_collect(live, data_dir, address))
    except KeyboardInterrupt:
        return


async def _collect(live: LiveConfig, data_dir: Path, address: BrokerAddress | None) -> None:
    from collector.beat import LeaseLostError  # noqa: PLC0415
    from collector.broker import BrokerError  # noqa: PLC0415
    from telemetry.state.errors import StateError  # noqa: PLC0415
    from telemetry.store.errors import StoreError  # noqa: PLC0415

    try:
        await _run(live, data_dir, address)
    except (BrokerError, LeaseLostError, StateError, StoreError, OSError) as error:
        failed(str(error))


async def _run(live: LiveConfig, data_dir: Path, address: BrokerAddress | None) -> None:
    import asyncio  # noqa: PLC0415
    import logging  # noqa: PLC0415
    import signal  # noqa: PLC0415
    from contextlib import closing  # noqa: PLC0415

    from collector.broker import bring  # noqa: PLC0415
    from collector.service import Collector  # noqa: PLC0415
    from tatpar.transport import ring, warnings  # noqa: PLC0415
    from telemetry.state.db import StateDb  # noqa: PLC0415
    from telemetry.store.open import open_writer  # noqa: PLC0415

    settings = live.current.settings
    for warning in warnings(settings):
        logging.getLogger(__name__).warning("%s", warning.removeprefix("warning: "))
    with (
        closing(open_writer(settings.store, data_dir)) as store,
        closing(StateDb(data_dir / "state.db")) as state,
    ):
        async with bring(_as_told(settings.broker, address), data_dir) as broker:
            task = asyncio.current_task()
            if task is not None:  # a polite kill ends like Ctrl-C: the last commit is finished
                asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
            try:
                await Collector(live, store, state, broker, keys=ring(settings, data_dir)).run()
            except asyncio.CancelledError:
                return


def _as_told(settings: Broker, address: BrokerAddress | None) -> Broker:
    """The settings, with the broker of the command line in place of theirs; one of another machine needs TLS too."""
    from msgspec.structs import replace  # noqa: PLC0415

    from config.address import is_loopback  # noqa: PLC0415

    if address is None:
        return settings
    if not (settings.ca or settings.insecure or is_loopback(address.host)):
        wrong_input(
            f"--broker: {address.host} is another machine and broker.ca is empty: there would be no TLS; "
            "set broker.ca, or broker.insecure = true"
        )
    return replace(settings, bring="none", host=address.host, port=address.port)


def _address(where: str) -> BrokerAddress:
    from collector.broker import BrokerAddress  # noqa: PLC0415

    host, colon, port = where.rpartition(":")
    if not colon or not host or not port.isdecimal() or not 0 < int(port) < 65536:
        wrong_input(f"--broker: {where!r} is no address; write HOST:PORT, as hub.example:1883")
    return BrokerAddress(host.strip("[]"), int(port))
