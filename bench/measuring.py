"""What measuring costs: CPU share of the measuring process with 112 sessions, and how exactly it sends.

56 offices with two ends each, at 10 and at 50 packets/s, against a reflector on loopback. The alternative beside it is
what the machine itself costs: the same number of packets sent and received by bare system calls in one loop, without
stamps, pacing or records.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import time
from typing import TYPE_CHECKING, Final

import numpy as np
import psutil

from probes.measurer import phase_of
from probes.measuring_child import MeasuringChild
from probes.measuring_messages import SENT_TAG, Open, encode_orders
from probes.records import SENT
from probes.reflector_process import ReflectorProcess
from probes.session import Session
from probes.stamp_tlv import DEFAULT_PAYLOAD

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

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
        orders = [_order(i, reflector.addresses[i % 2], rate) for i in range(SESSIONS)]
        await child.send(encode_orders(list(orders)))
        await _read(child, WARM_UP_S)
        watched = {"measuring": child.process_id, "reflector": reflector.process_id}
        before = {name: _cpu_s(pid) for name, pid in watched.items()}
        begun = time.perf_counter()
        sent = await _read(child, SECONDS)
        span = time.perf_counter() - begun
        cpu = {name: _cpu_s(pid) - before[name] for name, pid in watched.items()}
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


def _order(i: int, to: tuple[str, int], rate: int) -> Open:
    phase = phase_of(Session(f"office-{i // 2}", f"main.end{i % 2}", *to, rate_pps=rate))
    return Open(i + 1, *to, ssid=i + 1, rate_pps=rate, phase=phase, payload=DEFAULT_PAYLOAD)


async def _read(child: MeasuringChild, seconds: float) -> NDArray[np.void]:
    """Take in what the process says for a while; the records of packets sent."""
    parts: list[NDArray[np.void]] = [np.zeros(0, dtype=SENT)]
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while message := await child.receive():
                if message[:1] == SENT_TAG:
                    parts.append(np.frombuffer(message[1:], dtype=SENT))
    return np.concatenate(parts)


def _cpu_s(pid: int | None) -> float:
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


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
