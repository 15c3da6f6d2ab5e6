"""`tatpar watch`: raise flags, issue verdicts and forecasts, settle outcomes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tatpar.terminal.amiss import existing_folder
from tatpar.terminal.options import (
    failed,
    log_option,
    scheduler_option,
    settings_and_data,
    without_store,
)
from telemetry.state.file import STATE_FILE

if TYPE_CHECKING:
    from pathlib import Path

    from config.live import LiveConfig


@click.command(
    epilog="Example: tatpar watch --config tatpar.toml --data data",
    short_help="raise flags, issue verdicts and forecasts, settle outcomes",
)
@settings_and_data
@scheduler_option
@log_option
def command(config_file: Path | None, data_dir: Path, scheduler: str | None, log_format: str | None) -> None:
    """Judge what arrives in the report store: flags, verdicts, forecasts, outcomes.

    Runs until stopped, beside `tatpar collect`; `tatpar up` includes it. A second one waits until the first is gone.
    """
    import asyncio  # noqa: PLC0415 - keeps --help fast

    from config.live import LiveConfig  # noqa: PLC0415
    from tatpar.service.logs import set_up  # noqa: PLC0415
    from telemetry.state.errors import StateError  # noqa: PLC0415
    from telemetry.store.by_blocks import SchedulerError  # noqa: PLC0415
    from telemetry.store.errors import StoreError  # noqa: PLC0415

    live = LiveConfig(config_file)
    set_up(log_format or live.current.settings.log.format)
    existing_folder(data_dir, "en")
    if note := without_store(data_dir):
        click.echo(note, err=True)
    try:
        asyncio.run(_run(live, data_dir, scheduler))
    except (StateError, StoreError, SchedulerError) as error:
        failed(str(error))


async def _run(live: LiveConfig, data_dir: Path, scheduler: str | None) -> None:
    import asyncio  # noqa: PLC0415
    import signal  # noqa: PLC0415
    from contextlib import closing, suppress  # noqa: PLC0415

    from tatpar.service.notify import serving  # noqa: PLC0415
    from tatpar.watching.mirror import mirroring  # noqa: PLC0415
    from tatpar.watching.watch import Watch  # noqa: PLC0415
    from telemetry.clock import SystemClock  # noqa: PLC0415
    from telemetry.state.db import StateDb  # noqa: PLC0415
    from telemetry.store.by_blocks import blocks_of  # noqa: PLC0415
    from telemetry.store.open import open_reader  # noqa: PLC0415

    task = asyncio.current_task()
    assert task is not None
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    store = live.current.settings.store
    with (
        closing(open_reader(store, data_dir)) as reader,
        closing(open_reader(store, data_dir)) as slow,
        closing(StateDb(data_dir / STATE_FILE)) as state,
        blocks_of(scheduler, slow, store, data_dir) as blocks,
        mirroring(live, data_dir, state) as mirror,
        suppress(asyncio.CancelledError),
    ):
        folder = data_dir / "reports"
        watch = Watch(
            *(live, reader, state, SystemClock()),
            history_reader=slow,
            blocks=blocks,
            reports_dir=folder,
            mirror=mirror,
            shelf=data_dir,
        )
        async with serving("watching"):
            await watch.run()
