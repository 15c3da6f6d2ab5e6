"""A path with known truth, simulated packet by packet into the records that the measuring process would hand over."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pytest

from probes.measuring.records import REPLY, SENT, STAMPED
from probes.metering.exchanges import FrameRecords
from probes.metering.meter import Meter
from probes.stamp.stamp_tlv import Mode
from probes.stamp.timestamp_arrays import ntp64_array
from telemetry.messages import StampSource
from telemetry.windows import LATE_NS, SECOND_NS, WINDOW_NS

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from telemetry.messages import Stream

MS = 1_000_000
START = 1_700_000_010 * SECOND_NS  # on the grid of 15 s
SSID = 7


@dataclass(frozen=True)
class Fate:
    """What the path does with one packet in one direction: arrival delays of each copy; empty: lost."""

    delays_ns: tuple[int, ...] = (10 * MS,)


@dataclass
class Path:
    """A path, a reflector and two clocks, all deterministic."""

    pps: float = 50.0
    windows: int = 2
    up: Callable[[int], Fate] = field(default=lambda _: Fate())
    down: Callable[[int, int], Fate] = field(default=lambda _seq, _copy: Fate())
    """Fate of the reply to a packet, by its number and which copy of it was answered."""
    mode: Mode = Mode.STATEFUL
    tells: bool = True
    """Our own reflector, that tells its mode, its stamps' source and its instance."""
    restart_at: tuple[int, ...] = ()
    """Packets at whose first arrival the reflector has just been restarted."""
    far_offset_ns: Callable[[int], int] = field(default=lambda _true_ns: 0)
    own_offset_ns: Callable[[int], int] = field(default=lambda _true_ns: 0)
    generation: Callable[[int], int] = field(default=lambda _true_ns: 0)
    first_sequence: int = 0
    residence_ns: int = 50_000


@dataclass
class Measured:
    """What the meter said of each window, and the truth."""

    streams: list[Stream]
    up_lost: list[int]
    down_lost: list[int]
    moved_unseen: int
    """Packets whose place in the order at the reflector changed and whose reply was lost: nobody can see that."""


def run(path: Path) -> Measured:
    """Send, lose, reflect, receive; then close the windows one after another as the assembly does."""
    per_window = round(path.pps * 15)
    n = per_window * path.windows
    interval = round(SECOND_NS / path.pps)
    true_t1 = START + np.arange(n, dtype=np.int64) * interval
    arrivals = [  # (true time at the reflector, packet, copy)
        (int(true_t1[i]) + delay, i, copy)
        for i in range(n)
        for copy, delay in enumerate(path.up(i).delays_ns)
    ]
    arrivals.sort()
    replies: list[tuple[int, int, int, int, int, int]] = []  # true t4, packet, number, t2, t3, instance
    number, instance, restarts = 0, 1000, set(path.restart_at)
    reflected: set[int] = set()
    for at, packet, copy in arrivals:
        if packet in restarts:
            restarts.discard(packet)
            number, instance = 0, instance + 1
        reflected.add(packet)
        leaves = at + path.residence_ns
        given = number if path.mode is Mode.STATEFUL else path.first_sequence + packet
        number += 1
        t2, t3 = at + path.far_offset_ns(at), leaves + path.far_offset_ns(leaves)
        replies.extend(
            (leaves + delay, packet, given & 0xFFFF_FFFF, t2, t3, instance)
            for delay in path.down(packet, copy).delays_ns
        )
    replies.sort()
    answered = {packet for t4, packet, *_ in replies if t4 - int(true_t1[packet]) <= LATE_NS}
    streams = _close(path, true_t1, replies, per_window)
    windows = [range(w * per_window, (w + 1) * per_window) for w in range(path.windows)]
    return Measured(
        streams,
        [sum(p not in reflected for p in window) for window in windows],
        [sum(p in reflected and p not in answered for p in window) for window in windows],
        _moved_unseen([packet for _, packet, _ in arrivals], answered),
    )


def _moved_unseen(order: list[int], answered: set[int]) -> int:
    greatest_before, moved = -1, set()
    for packet in order:
        if packet < greatest_before:
            moved.add(packet)
        greatest_before = max(greatest_before, packet)
    least_behind = 1 << 62
    for packet in reversed(order):
        if packet > least_behind:
            moved.add(packet)
        least_behind = min(least_behind, packet)
    return len(moved - answered)


def _close(
    path: Path,
    true_t1: NDArray[np.int64],
    replies: list[tuple[int, int, int, int, int, int]],
    per_window: int,
) -> list[Stream]:
    sent = np.zeros(len(true_t1), dtype=SENT)
    sent["sequence"] = path.first_sequence + np.arange(len(true_t1))
    sent["t1_ns"] = [int(t) + path.own_offset_ns(int(t)) for t in true_t1]
    sent["interval_us"] = round(1e6 / path.pps)
    sent["generation"] = [path.generation(int(t)) for t in true_t1]
    stamped = np.zeros(len(sent), dtype=STAMPED)
    stamped["t1_ns"] = sent["t1_ns"]
    stamped["sequence"] = sent["sequence"] & 0xFFFF_FFFF
    rows = np.zeros(len(replies), dtype=REPLY)
    t4, of_packet, number, t2, t3, instance = np.array(replies, dtype=np.int64).reshape(-1, 6).T
    rows["t1"] = ntp64_array(sent["t1_ns"])[of_packet]
    rows["t2"], rows["t3"] = ntp64_array(t2), ntp64_array(t3)
    rows["t4_ns"] = [int(t) + path.own_offset_ns(int(t)) for t in t4]
    rows["sequence"], rows["number"] = (path.first_sequence + of_packet) & 0xFFFF_FFFF, number
    rows["ssid"], rows["octets"] = SSID, 172
    rows["generation"] = [path.generation(int(t)) for t in t4]
    if path.tells:
        rows["mode"], rows["instance"] = path.mode, instance
        rows["t2_by"], rows["t3_by"] = StampSource.KERNEL, StampSource.USER
    meter = Meter("main.state", overhead=28, payload=172)
    streams = []
    for w in range(path.windows):
        closes = START + (w + 1) * WINDOW_NS + LATE_NS
        first, stop = w * per_window, (w + 1) * per_window
        ahead = sent[stop:][true_t1[stop:] <= closes]
        known = rows[(t4 <= closes) & (of_packet >= first)]
        streams.append(meter.close(FrameRecords(sent[first:stop], ahead, stamped, known, SSID)))
    return streams


@pytest.fixture
def simulate() -> Callable[[Path], Measured]:
    """Run a simulated path through a meter."""
    return run


@pytest.fixture
def path_type() -> type[Path]:
    """The simulated path (test modules cannot import a conftest by name here)."""
    return Path


@pytest.fixture
def fate_type() -> type[Fate]:
    """What happens to one packet."""
    return Fate
