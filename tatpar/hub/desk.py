"""The enrolment desk as a room of the hub."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from collector.enrolment.authority import Authority
from collector.enrolment.desk import Desk
from collector.enrolment.doorkeeper import FOLDER
from tatpar.identity.enrolling import offer

if TYPE_CHECKING:
    import socket
    from pathlib import Path

    from config.settings import Settings
    from telemetry.state.db import StateDb


async def serve_desk(
    settings: Settings, data_dir: Path, state: StateDb, own: tuple[str, int], listener: socket.socket
) -> None:
    """Serve until cancelled; `own`: where the broker listens that is for this machine only.

    Raises:
        AuthorityError, ValueError: the identity is damaged.
        OSError: it cannot be read.
    """

    def made() -> Desk:
        folder = data_dir / FOLDER
        offered = offer(settings, Authority(folder, time.time_ns()), own)
        return Desk(state, folder, offered, settings.desk_names)

    desk = await asyncio.to_thread(made)
    await desk.run(listener)
