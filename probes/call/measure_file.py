"""A whole capture through the meter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from probes.call.call_meter import CallMeter
from probes.call.capture_file import read_capture
from probes.call.packets import datagrams

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from probes.call.call_meter import CallRule
    from probes.call.figures import FlowWindow
    from probes.call.flow_total import FlowTotal


@dataclass(frozen=True, slots=True)
class Measured:
    """What a capture holds of calls."""

    flows: tuple[FlowTotal, ...]
    """In order of their first packets."""
    windows: tuple[FlowWindow, ...]
    """In order of time."""
    packets: int
    """UDP datagrams in the file."""
    flows_refused: int


def measure_file(path: Path, rule: CallRule, progress: Callable[[float], None] | None = None) -> Measured:
    """Measure the calls of a pcap or pcapng file; `progress` is told how much of it is read, 0..1.

    Raises:
        CaptureError: the file is no capture.
        OSError: it cannot be read.
    """
    meter = CallMeter(rule, keep_totals=True)
    windows: list[FlowWindow] = []
    count = 0
    for batch in read_capture(path):
        order = np.argsort(
            batch.time_ns, kind="stable"
        )  # a capture of several interfaces may be out of order
        packets = datagrams(batch.octets, batch.ip_at[order], batch.captured[order], batch.time_ns[order])
        count += len(packets)
        if len(packets):
            meter.add(batch.octets, packets)
            windows += meter.close_until(int(packets.time_ns[-1]))
        if progress is not None:
            progress(batch.done_ratio)
    windows += meter.finish()
    flows = sorted(meter.totals.values(), key=lambda total: total.first_ns)
    return Measured(tuple(flows), tuple(windows), count, meter.flows_refused)
