"""Packets per second of one core through the live-call meter, and what a live call costs.

Two loads: a capture file of sound and picture both ways, read from disk to figures; and the same packets as ten looks a second
at a ring would bring them, which is what a probe does during a call (share of a core for one call of ours).
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from probes.call.call_meter import CallMeter, CallRule
from probes.call.capture_file import read_capture
from probes.call.measure_file import measure_file
from probes.call.packets import datagrams

if TYPE_CHECKING:
    from collections.abc import Callable

SECONDS: Final = 120
LOOK_NS: Final = 100_000_000


def run(progress: Callable[[str], None]) -> dict[str, object]:
    """Write the capture, then run it through both ways."""
    from tests.probes_call.rtp_traffic import in_order, jittered, picture, sound, write_pcap  # noqa: PLC0415

    rng = np.random.default_rng(1)
    back = {"source": ("203.0.113.9", 6004), "destination": ("10.1.2.3", 5004)}
    progress(f"making {SECONDS} s of a call")
    sent = in_order(*(
        jittered(stream.packets(round(SECONDS * stream.per_s)), rng, 2)
        for stream in (sound(), sound(0x3333, **back), picture(), picture(0x4444, seed=9, **back))
    ))  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        file = write_pcap(Path(folder) / "call.pcap", sent)
        progress("file to figures")
        begun = time.process_time()
        measured = measure_file(file, CallRule())
        file_s = time.process_time() - begun
        progress("ten looks a second")
        live_s, looks = _live(file)
    return {
        "packets": measured.packets,
        "flows": len(measured.flows),
        "file_packets_per_cpu_s": measured.packets / file_s,
        "live_packets_per_s": measured.packets / SECONDS,
        "live_us_per_look": live_s * 1e6 / looks,
        "live_core_share_pct": 100 * live_s / SECONDS,
    }


def _live(file: Path) -> tuple[float, int]:
    """CPU seconds of the whole call in small batches, and how many there were."""
    octets, ip_at, captured, time_ns = _whole(file)
    meter = CallMeter(CallRule())
    cuts = np.searchsorted(time_ns, np.arange(time_ns[0], time_ns[-1], LOOK_NS))
    begun = time.process_time()
    for first, last in zip(cuts[:-1].tolist(), cuts[1:].tolist(), strict=True):
        which = slice(first, last)
        packets = datagrams(octets, ip_at[which], captured[which], time_ns[which])
        meter.add(octets, packets)
        meter.close_until(int(time_ns[last - 1]))
    return time.process_time() - begun, len(cuts) - 1


def _whole(file: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Every packet of a capture in one piece."""
    batches = list(read_capture(file))
    offsets = np.cumsum([0, *(len(batch.octets) for batch in batches[:-1])])
    return (
        np.concatenate([batch.octets for batch in batches]),
        np.concatenate([batch.ip_at + offset for batch, offset in zip(batches, offsets, strict=True)]),
        np.concatenate([batch.captured for batch in batches]),
        np.concatenate([batch.time_ns for batch in batches]),
    )
