"""The store's upkeep fails: the log says what is known, and nothing of the reports."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
from typing import TYPE_CHECKING

from collector.ground import Ground
from collector.upkeep import Upkeep
from config.live import LiveConfig
from telemetry.clock import SystemClock
from telemetry.state.db import StateDb
from telemetry.store.sqlite import SqliteStore

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_a_locked_store_is_not_said_to_take_reports(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Another program holds the store's file, so reports are not stored either: whoever reads the line is not told that they are."""
    caplog.set_level(logging.ERROR, "collector.trouble")

    async def until_it_fails(upkeep: Upkeep) -> None:
        keeping = asyncio.create_task(upkeep.run())
        async with asyncio.timeout(120):
            while not caplog.records:  # noqa: ASYNC110 - it has no bell for that
                await asyncio.sleep(0.01)
        keeping.cancel()

    with contextlib.ExitStack() as stack:
        state = stack.enter_context(contextlib.closing(StateDb(tmp_path / "state.db")))
        store = stack.enter_context(contextlib.closing(SqliteStore(tmp_path / "reports.db")))
        ground = Ground(LiveConfig(None), store, state, SystemClock(), "tatpar")
        stack.callback(ground.close)
        held = stack.enter_context(
            contextlib.closing(sqlite3.connect(tmp_path / "reports.db", isolation_level=None))
        )
        held.execute("BEGIN EXCLUSIVE")
        asyncio.run(until_it_fails(Upkeep(ground, every_s=0.01)))
        held.execute("ROLLBACK")
    (line,) = (record.getMessage() for record in caplog.records)
    assert line.startswith("the store's upkeep fails: ")
    assert line.endswith("locked; trying again")
