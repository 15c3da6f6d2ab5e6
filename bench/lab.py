"""The lab: seconds to give 56 offices four weeks of past; what a relayed packet costs, and how late it leaves."""

from __future__ import annotations

import asyncio
import os
import select
import socket
import struct
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from config.load import load_config
from lab.past.history import give_past, past_of
from lab.running.fleet import Fleet
from probes.reflecting.reflector_process import ReflectorProcess

if TYPE_CHECKING:
    from collections.abc import Callable

    from config.config import Config
    from lab.line.wire import LinesStatus
    from lab.past.history import Written

WEEKS: Final = 4.0
SECONDS: Final = 8.0
STEADY_PPS: Final = 10.0
MEETING_PPS: Final = 50.0
_NTP_UNIX_S: Final = 2_208_988_800


def run(progress: Callable[[str], None]) -> dict[str, object]:
    """Figures by name; `load_average` says how busy the machine was with others' work."""
    config = load_config(None)
    figures: dict[str, object] = {"load_average": os.getloadavg()[0], "cores": os.cpu_count() or 1}
    with tempfile.TemporaryDirectory(prefix="bench-lab-") as folder:
        figures |= _history(config, Path(folder), progress)
    for name, pps in (("steady", STEADY_PPS), ("meeting", MEETING_PPS)):
        progress(f"relay: every line at {pps:g} packets/s each way")
        figures |= {f"{name}_{key}": value for key, value in asyncio.run(_relay(config, pps)).items()}
    return figures


def _history(config: Config, folder: Path, progress: Callable[[str], None]) -> dict[str, object]:
    begun, used = time.perf_counter(), os.times()
    rollups = windows = offices = 0
    plan = past_of(config, weeks=WEEKS)

    def note(written: Written) -> None:
        nonlocal rollups, windows, offices
        rollups, windows, offices = rollups + written.rollups, windows + written.windows, offices + 1
        if offices % 14 == 0:
            progress(f"history: {offices} offices")

    give_past(plan, config.settings.store, folder, note)
    now = os.times()
    return {
        "history_s": time.perf_counter() - begun,
        "history_cpu_s": sum(now[:4]) - sum(used[:4]),
        "history_rollups": rollups,
        "history_windows": windows,
        "history_mb": sum(path.stat().st_size for path in folder.rglob("*.db")) / 1e6,
    }


async def _relay(config: Config, pps: float) -> dict[str, float]:
    """Every line of the default fleet, with its default script, under an even load."""
    reflector = ReflectorProcess([("127.0.0.1", 0)])
    (address,) = await asyncio.to_thread(reflector.start)
    try:
        with tempfile.TemporaryDirectory(prefix="bench-lab-") as folder:
            ends = dict.fromkeys(config.headquarters, address)
            async with Fleet(config, Path(folder), ("127.0.0.1", 9), ends, agents=False) as fleet:
                ports = [fleet.relay_port(site.id, end) for site in fleet.places.sites for end in ends]
                await asyncio.to_thread(_load, ports, pps, 1.0)  # warm: sockets made, caches filled
                before = await fleet.status()
                await asyncio.to_thread(_load, ports, pps, SECONDS)
                return _costs(before, await fleet.status())
    finally:
        await asyncio.to_thread(reflector.stop)


def _costs(before: LinesStatus, after: LinesStatus) -> dict[str, float]:
    packets = sum(one.arrived for one in after.counts) - sum(one.arrived for one in before.counts)
    cpu_s = after.cpu_s - before.cpu_s
    return {
        "relayed_per_s": packets / SECONDS,
        "relay_us_per_packet": cpu_s / packets * 1e6,
        "relay_core_share": cpu_s / SECONDS,
        "relay_dropped_itself": sum(one.unsent for one in after.counts),
        **{f"late_{name}_us": value for name, value in after.late_us.items()},
    }


def _load(ports: list[int], pps: float, seconds: float) -> None:
    """Send on every line at an even pace, one line after the other, and throw the replies away."""
    socks = []
    for port in ports:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.connect(("127.0.0.1", port))
        sock.setblocking(False)
        socks.append(sock)
    poll = select.epoll()
    by_fd = {sock.fileno(): sock for sock in socks}
    for fd in by_fd:
        poll.register(fd, select.EPOLLIN)
    gap_s = 1.0 / (pps * len(socks))
    begun = time.monotonic()
    for n in range(round(seconds / gap_s)):
        while (left := begun + n * gap_s - time.monotonic()) > 0:
            select.select([poll], [], [], left)
            for fd, _ in poll.poll(0):
                by_fd[fd].recv(2048)
        socks[n % len(socks)].send(_packet(n // len(socks)))
    poll.close()
    for sock in socks:
        sock.close()


def _packet(seq: int) -> bytes:
    """A session-sender packet of a probe's usual size; error estimate 1 (RFC 8762 forbids a multiplier of 0)."""
    return struct.pack("!IQH", seq, int(time.time() + _NTP_UNIX_S) << 32, 1) + bytes(158)
