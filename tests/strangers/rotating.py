"""What `tatpar enroll SITE --rotate` does, for a hub in this process."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from collector.enrolment.issuing import issue
from tatpar.identity.enrolling import Hub, answered, order
from telemetry.windows import SECOND_NS


async def rotate(hub: Any) -> Any:
    """Order new keys of agra/p1; the order when it is answered, or has run out."""
    tools = Hub(hub.live.current.settings, hub.data_dir, hub.state, hub.keys, hub.authority)
    issued = issue(
        hub.state, hub.keys, "agra", "p1", now_ns=time.time_ns(), valid_ns=60 * SECOND_NS, what="rotate"
    )
    await hub.told()
    arguments = {"token": issued.token, "generation": str(issued.credential.generation)}
    return await asyncio.to_thread(answered, tools, order(tools, "agra", "p1", "rotate", arguments, 30))
