"""`tatpar wall`: serve the page."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import click

from tatpar.terminal.amiss import existing_folder
from tatpar.terminal.options import (
    failed,
    log_option,
    settings_and_data,
    without_store,
    wrong_input,
)
from telemetry.state.file import STATE_FILE

if TYPE_CHECKING:
    from pathlib import Path

    from config.live import LiveConfig


@click.command(epilog="Example: tatpar wall --data /var/lib/tatpar --port 8420")
@settings_and_data
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=None,
    help="Port; 0: a free one; default from the settings.",
)
@click.option("--host", default=None, help="Address to listen on; default from the settings (loopback).")
@log_option
def command(
    config_file: Path | None, data_dir: Path, port: int | None, host: str | None, log_format: str | None
) -> None:
    """Serve the wall: the fleet live, the next meetings, and each office's line."""
    from config.live import LiveConfig  # noqa: PLC0415 - keeps --help fast
    from dashboards.wall.serve import AddressInUseError  # noqa: PLC0415
    from tatpar.service.logs import set_up  # noqa: PLC0415
    from telemetry.state.errors import StateError  # noqa: PLC0415
    from telemetry.store.errors import StoreError  # noqa: PLC0415

    live = LiveConfig(config_file)
    set_up(log_format or live.current.settings.log.format)
    existing_folder(data_dir, "en")
    settings = live.current.settings.wall
    host = settings.host if host is None else host
    port = settings.port if port is None else port
    try:
        _run(live, data_dir, host, port)
    except AddressInUseError as error:
        wrong_input(f"tatpar wall: {error}")
    except (StateError, StoreError) as error:
        failed(f"tatpar wall: {error}")


def _run(live: LiveConfig, data_dir: Path, host: str, port: int) -> None:
    import asyncio  # noqa: PLC0415
    import signal  # noqa: PLC0415

    from dashboards.wall.app import create_app  # noqa: PLC0415
    from dashboards.wall.serve import serve, warning_for  # noqa: PLC0415
    from tatpar.hub.answering import ack_routes  # noqa: PLC0415
    from tatpar.service.notify import serving  # noqa: PLC0415
    from tatpar.verdicts.underway import failing  # noqa: PLC0415
    from telemetry.state.db import StateDb  # noqa: PLC0415
    from telemetry.store.open import open_reader  # noqa: PLC0415

    note = without_store(data_dir)  # asked before opening, which makes one
    reader = open_reader(live.current.settings.store, data_dir)
    state = StateDb(data_dir / STATE_FILE)
    warning = warning_for(host, live.current.settings.wall, state)
    if warning:
        click.echo(warning, err=True)

    def announce(address: str) -> None:
        click.echo(f"the wall is at {address}")
        if note:
            click.echo(note, err=True)

    async def main() -> None:
        task = asyncio.current_task()
        assert task is not None
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)
        app = create_app(
            live,
            reader,
            state,
            more=ack_routes(live, state, data_dir),
            failing=failing(live, data_dir, state),
        )
        async with serving(f"serving on port {port}"):
            await serve(app, host, port, announce=announce)

    with contextlib.suppress(asyncio.CancelledError):
        asyncio.run(main())
