"""What measuring costs: CPU share of the measuring process with 112 sessions, and how exactly it sends.

56 offices with two ends each, at 10 and at 50 packets/s, against a reflector on loopback. The alternative beside it is
what the machine itself costs: the same number of packets sent and received by bare system calls in one loop, without
stamps, pacing or records.
"""

from __future__ import annotations

import asyncio
import os
import socket
import time
from typing import TYPE_CHECKING, Final

import numpy as np

from bench._sessions import cpu_s, order, read
from probes.measuring.measuring_child import MeasuringChild
from probes.measuring.measuring_messages import encode_orders
from probes.reflecting.reflector_process import ReflectorProcess
from probes.stamp.stamp_tlv import DEFAULT_PAYLOAD

if TYPE_CHECKING:
    from collections.abc import Callable

SESSIONS: Final = 112
SECONDS: Final = 8.0
WARM_UP_S: Final = 1.5


def run(progress: Callable[[str], None]) -> dict[str, object]:
    """Both rates in turn, then the bare loop."""
    figures: dict[str, object] = {"sessions": SESSIONS, "load_average": os.getloadavg()[0]}
    for rate in (10, 50):
        progress(f"{SESSIONS} sessions at {rate} packets/s for {SECONDS:.0f} s")
        for name, value in asyncio.run(_measure(rate)).items():
            figures[f"{name}_at_{rate}_pps"] = value
    progress("the same packets by bare system calls")
    figures["bare_loop_us_per_packet"] = _bare_us()
    return figures


async def _measure(rate: int) -> dict[str, float]:
    with ReflectorProcess([("127.0.0.1", 0), ("127.0.0.1", 0)]) as reflector:
        child = await MeasuringChild.start()
        orders = [order(i, reflector.addresses[i % 2], rate) for i in range(SESSIONS)]
        await child.send(encode_orders(list(orders)))
        await read(child, WARM_UP_S)
        watched = {"measuring": child.process_id, "reflector": reflector.process_id}
        before = {name: cpu_s(pid) for name, pid in watched.items()}
        begun = time.perf_counter()
        sent = await read(child, SECONDS)
        span = time.perf_counter() - begun
        cpu = {name: cpu_s(pid) - before[name] for name, pid in watched.items()}
        await child.end()
    late_ms = sent["late_us"] / 1e3
    p50, p99, p999 = np.percentile(late_ms, (50, 99, 99.9)).tolist()
    return {
        "packets_per_s": len(sent) / span,
        "measuring_cpu_ratio": cpu["measuring"] / span,
        "measuring_us_per_packet": cpu["measuring"] * 1e6 / max(len(sent), 1),
        "reflector_cpu_ratio": cpu["reflector"] / span,
        "late_ms_p50": p50,
        "late_ms_p99": p99,
        "late_ms_p999": p999,
        "over_5_ms_ratio": float((late_ms > 5).mean()),
    }


def _bare_us(packets: int = 20_000) -> float:
    """CPU µs of one send and one receive by a plain socket, the far end's share included (loopback)."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.connect(sock.getsockname())
        packet = bytes(DEFAULT_PAYLOAD)
        begun = time.process_time()
        for _ in range(packets):
            sock.send(packet)
            sock.recv(2048)
        return (time.process_time() - begun) * 1e6 / packets
