"""Many sessions in one measuring process, without the rest of a probe: what the benchmarks of the reflector and the probe load."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import numpy as np
import psutil

from probes.measuring.measurer import phase_of
from probes.measuring.measuring_messages import SENT_TAG, Open
from probes.measuring.records import SENT
from probes.measuring.session import Session
from probes.stamp.stamp_tlv import DEFAULT_PAYLOAD

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from probes.measuring.measuring_child import MeasuringChild


def order(i: int, to: tuple[str, int], rate: int) -> Open:
    """Session number `i`: two to an office."""
    phase = phase_of(Session(f"office-{i // 2}", f"main.end{i % 2}", *to, rate_pps=rate))
    return Open(i + 1, *to, ssid=i + 1, rate_pps=rate, phase=phase, payload=DEFAULT_PAYLOAD)


async def read(child: MeasuringChild, seconds: float) -> NDArray[np.void]:
    """Take in what the process says for a while; the records of packets sent."""
    parts: list[NDArray[np.void]] = [np.zeros(0, dtype=SENT)]
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while message := await child.receive():
                if message[:1] == SENT_TAG:
                    parts.append(np.frombuffer(message[1:], dtype=SENT))
    return np.concatenate(parts)


def cpu_s(pid: int | None) -> float:
    """CPU seconds that a process has used."""
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)
