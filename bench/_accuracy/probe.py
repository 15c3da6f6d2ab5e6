"""Our probe on its own, at the office's end of the link: `python -m bench._accuracy.probe HOST PORT`.

The measurer as the agent uses it; prints every closed window as a line of JSON until it is ended.
"""

from __future__ import annotations

import asyncio
import signal
import sys

import msgspec

from bench._accuracy.plan import RATE_PPS
from probes.measuring.measurer import Measurer
from probes.measuring.session import Session


async def _measure(host: str, port: int) -> None:
    measurer = Measurer()
    await measurer.start()
    try:
        await measurer.set_sessions([Session("accuracy", "main.hub", host, port, rate_pps=RATE_PPS)])
        async for window in measurer.windows():
            for stream in window.streams:
                line = {"start_ns": window.start_ns, "fault": window.fault, "stream": stream}
                print(msgspec.json.encode(line).decode(), flush=True)
    finally:
        await measurer.stop()


async def _until_ended() -> None:
    work = asyncio.create_task(_measure(sys.argv[1], int(sys.argv[2])))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, work.cancel)
    await asyncio.wait([work])
    if not work.cancelled():
        work.result()


if __name__ == "__main__":
    asyncio.run(_until_ended())
