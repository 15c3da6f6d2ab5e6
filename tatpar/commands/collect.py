"""`tatpar collect`: take in, check, store and confirm reports from a broker that runs elsewhere."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - click reads it
from typing import TYPE_CHECKING

import click

from tatpar.terminal.options import failed, log_option, settings_and_data, wrong_input
from telemetry.state.file import STATE_FILE

if TYPE_CHECKING:
    from collector.broker import BrokerAddress
    from collector.service import Collector
    from config.live import LiveConfig
    from config.settings import Broker
    from tatpar.service.notify import Manager


@click.command()
@settings_and_data
@click.option(
    "--broker",
    "where",
    metavar="HOST:PORT",
    default=None,
    help="The broker; without it, broker.host and broker.port of the settings, or one of our own when they say so.",
)
@click.option(
    "--share",
    is_flag=True,
    help="Share the load with others on this machine: start any number with the same --data, each with --share.",
)
@click.option(
    "--metrics-port",
    type=click.IntRange(0, 65535),
    default=None,
    help="Port of /metrics, /healthz and /readyz; 0: a free one, and so when it is taken; default from the settings.",
)
@log_option
def command(  # noqa: PLR0913 - one argument an option
    config_file: Path | None,
    data_dir: Path,
    where: str | None,
    *,
    share: bool,
    metrics_port: int | None,
    log_format: str | None,
) -> None:
    """Take in reports from the broker: check, store, confirm; publish each probe's plan.

    Without --share one works, and a second waits until the first has ended.

    Example: tatpar collect --config tatpar.toml --data data --broker hub.example:1883
    """
    import asyncio  # noqa: PLC0415 - keeps --help fast

    from config.live import LiveConfig  # noqa: PLC0415
    from tatpar.service.logs import set_up  # noqa: PLC0415

    live = LiveConfig(config_file)
    set_up(log_format or live.current.settings.log.format)
    address = None if where is None else _address(where)
    if share and address is None and live.current.settings.broker.bring != "none":
        wrong_input(
            "--share: several collectors need a broker that runs by itself; write --broker HOST:PORT,"
            ' or bring = "none" with host and port under [broker]'
        )
    try:
        asyncio.run(_collect(live, data_dir, address, metrics_port, share=share))
    except KeyboardInterrupt:
        return


async def _collect(
    live: LiveConfig, data_dir: Path, address: BrokerAddress | None, metrics_port: int | None, *, share: bool
) -> None:
    from collector.broker import BrokerError  # noqa: PLC0415
    from collector.standing import MixedError  # noqa: PLC0415
    from telemetry.state.errors import StateError  # noqa: PLC0415
    from telemetry.store.errors import StoreError  # noqa: PLC0415

    try:
        await _run(live, data_dir, address, metrics_port, share=share)
    except (BrokerError, MixedError, StateError, StoreError, OSError) as error:
        failed(str(error))


async def _run(
    live: LiveConfig, data_dir: Path, address: BrokerAddress | None, metrics_port: int | None, *, share: bool
) -> None:
    import logging  # noqa: PLC0415
    from contextlib import closing  # noqa: PLC0415

    from msgspec.structs import replace  # noqa: PLC0415

    from collector.broker import bring  # noqa: PLC0415
    from collector.mqtt import Membership  # noqa: PLC0415
    from collector.service import Collector  # noqa: PLC0415
    from tatpar.hub.transport import ring, warnings  # noqa: PLC0415
    from tatpar.service.notify import Manager  # noqa: PLC0415
    from telemetry.state.db import StateDb  # noqa: PLC0415
    from telemetry.store.open import open_writer  # noqa: PLC0415

    manager, settings = Manager(), live.current.settings
    for warning in warnings(settings):
        logging.getLogger(__name__).warning(
            "%s", warning.removeprefix("warning: "), extra={"event": "config.warning"}
        )
    metrics = settings.metrics if metrics_port is None else replace(settings.metrics, port=metrics_port)
    with (
        closing(open_writer(settings.store, data_dir)) as store,
        closing(StateDb(data_dir / STATE_FILE)) as state,
    ):
        async with bring(_as_told(settings.broker, address), data_dir) as broker:
            membership = Membership.member() if share else None
            keys = ring(settings, data_dir)
            await _until_told(
                Collector(live, store, state, broker, membership=membership, metrics=metrics, keys=keys),
                manager,
            )


async def _until_told(collector: Collector, manager: Manager) -> None:
    """Run until SIGTERM or Ctrl-C, which let it finish what it has begun; a second one does not wait for that."""
    import asyncio  # noqa: PLC0415
    import signal  # noqa: PLC0415

    from tatpar.service.notify import serving  # noqa: PLC0415

    loop, running = asyncio.get_running_loop(), asyncio.ensure_future(collector.run())
    told = False

    def stop() -> None:
        nonlocal told
        if told:
            running.cancel()
        told = True
        collector.stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    try:
        async with serving("collecting", manager):
            await running
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
