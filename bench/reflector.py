"""Reflected packets per second of one core: ours, and irtt's server where it is installed, under the same flood.

The figure that counts is packets answered per second of the server's own CPU time, which other work on the machine
disturbs least. Two loads on loopback: a flood (a fixed number of requests in flight), and single packets evenly paced
at whatever rate irtt's clients reached; one packet a wake-up is the dearest way to be asked, and the usual one.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import statistics
import subprocess
import time
from typing import TYPE_CHECKING, Final

import psutil

from probes.reflecting.reflector_process import ReflectorProcess
from probes.stamp.packets import SenderPacket
from probes.stamp.stamp_tlv import trailer
from probes.stamp.timestamps import ntp64

if TYPE_CHECKING:
    from collections.abc import Callable

SECONDS: Final = 4.0
ROUNDS: Final = 3
IN_FLIGHT: Final = 64
_IRTT_CLIENTS: Final = 8
_IRTT_INTERVAL: Final = "1ms"


def run(progress: Callable[[str], None]) -> dict[str, object]:
    """Load both servers for a few seconds each, in turn, three times; medians."""
    has_irtt = shutil.which("irtt") is not None
    rounds = []
    for number in range(ROUNDS):
        progress(f"round {number + 1} of {ROUNDS}: {SECONDS:.0f} s each")
        rounds.append(_round() | (_beside_irtt() if has_irtt else {}))
    figures: dict[str, object] = {"payload_octets": 172, "load_average": os.getloadavg()[0]}
    for name in rounds[0]:
        values = [one[name] for one in rounds if name in one]
        figures[name] = statistics.median(values)
    if not has_irtt:
        figures["missing"] = "apt-get install irtt"
    elif "irtt_packets_per_s" not in figures:
        figures["irtt"] = "did not answer"
    return figures


def _round() -> dict[str, float]:
    wall, cpu = _ours(_flood)
    return {
        "flood_packets_per_cpu_s": cpu,
        "flood_us_per_packet": 1e6 / cpu,
        "flood_packets_per_s": wall,
    }


def _beside_irtt() -> dict[str, float]:
    irtt = _irtt()
    if irtt is None:
        return {}
    irtt_wall, irtt_cpu = irtt
    paced_wall, paced_cpu = _ours(lambda sock, packet, until: _paced(sock, packet, until, irtt_wall))
    return {
        "paced_packets_per_s": paced_wall,
        "paced_packets_per_cpu_s": paced_cpu,
        "irtt_packets_per_s": irtt_wall,
        "irtt_packets_per_cpu_s": irtt_cpu,
        "paced_ratio_to_irtt": paced_cpu / irtt_cpu,
    }


def _ours(load: Callable[[socket.socket, bytes, float], int]) -> tuple[float, float]:
    """Packets per second, and per second of CPU time."""
    with (
        ReflectorProcess([("127.0.0.1", 0)]) as reflector,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock,
    ):
        sock.connect(reflector.addresses[0])
        sock.settimeout(0.5)
        packet = SenderPacket(1, ntp64(time.time_ns()), 1, 9).pack(trailer())
        server = psutil.Process(reflector.process_id)
        before, begun = _cpu_s(server), time.perf_counter()
        answered = load(sock, packet, begun + SECONDS)
        return answered / (time.perf_counter() - begun), answered / (_cpu_s(server) - before)


def _paced(sock: socket.socket, packet: bytes, until: float, rate: float) -> int:
    """One packet at a time, evenly; when this process was held up it catches up, or the rate would not be that of irtt."""
    due, answered = time.perf_counter(), 0
    sock.setblocking(False)
    while (now := time.perf_counter()) < until:
        if now < due:
            continue
        due += 1 / rate
        sock.send(packet)
        with contextlib.suppress(BlockingIOError):
            while True:
                sock.recv(2048)
                answered += 1
    return answered


def _flood(sock: socket.socket, packet: bytes, until: float) -> int:
    for _ in range(IN_FLIGHT):
        sock.send(packet)
    answered = 0
    while time.perf_counter() < until:
        try:
            for _ in range(IN_FLIGHT):
                sock.recv(2048)
                sock.send(packet)
                answered += 1
        except TimeoutError:  # a whole flight was lost: start another
            for _ in range(IN_FLIGHT):
                sock.send(packet)
    return answered


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _irtt() -> tuple[float, float] | None:
    """The same of irtt's server, loaded by irtt's own clients (its protocol is its own)."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        at = f"127.0.0.1:{free.getsockname()[1]}"
    server = subprocess.Popen(
        ["irtt", "server", "-i", "0", "-b", at], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        time.sleep(0.5)
        process = psutil.Process(server.pid)
        before = _cpu_s(process)
        arguments = ["irtt", "client", "-q", "-i", _IRTT_INTERVAL, "-d", f"{SECONDS:.0f}s", "-l", "172", at]
        clients = [
            subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
            for _ in range(_IRTT_CLIENTS)
        ]
        answered = sum(_irtt_received(c.communicate(timeout=SECONDS + 15)[0]) for c in clients)
        return (answered / SECONDS, answered / (_cpu_s(process) - before)) if answered else None
    finally:
        server.terminate()
        server.wait()


def _irtt_received(output: str) -> int:
    for line in output.splitlines():
        if "packets sent/received" in line:
            return int(line.split(":")[1].split("(")[0].split("/")[1])
    return 0
