"""A hub that was put back from a backup: what the broker keeps for the probes says too much, and is said anew."""

from __future__ import annotations

import dataclasses
import time
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from telemetry.codec import decode_control, encode_control
from telemetry.control import Stored
from telemetry.store.protocol import Received
from telemetry.store.sqlite import SqliteStore, restored

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path
    from typing import Any

    from telemetry.messages import Envelope

    Eventually = Callable[..., Awaitable[None]]
    Maker = Callable[..., Envelope]

pytestmark = pytest.mark.server


async def test_after_a_restore_every_probe_is_told_anew_once(
    killable_hub: Any, tmp_path: Path, eventually: Eventually, make_envelope: Maker
) -> None:
    """Without any report: a probe that was off line would let go of what only the lost hub had."""
    now_ns = time.time_ns()
    reports = [
        Received(make_envelope(seq, site), now_ns) for site in ("agra", "meerut") for seq in range(1, 6)
    ]
    path = tmp_path / "put-back.db"
    with closing(SqliteStore(path)) as before:
        before.append(reports)
    restored.mark(path, now_ns, now_ns)
    store = SqliteStore(path)
    hub = dataclasses.replace(killable_hub, store=store)
    epoch = reports[0].envelope.epoch
    async with hub.office() as office:
        stale = encode_control(Stored(epoch=epoch, through=40))
        await office.client.publish("tatpar/1/agra/p1/stored", stale, qos=1, retain=True)
        await eventually(lambda: office.on("stored"))
        async with hub.collecting():
            await eventually(lambda: len(office.on("stored")) == 2 and office.on("stored", "meerut"))
            await eventually(lambda: not store.untold())
        for site in ("agra", "meerut"):
            assert decode_control(office.on("stored", site)[-1], Stored) == Stored(epoch=epoch, through=5)
    async with hub.office() as late:
        await eventually(lambda: late.on("stored"))
        assert decode_control(late.on("stored")[-1], Stored).through == 5
    store.close()
