"""fping: ICMP round trips, the far kernel's own time included, to three digits; losses of both ways together; no jitter."""

from __future__ import annotations

from subprocess import DEVNULL
from typing import TYPE_CHECKING, Any

import numpy as np

from bench._accuracy.plan import INTERVAL_MS, LOST, PACKETS, PAYLOAD, RTT_P50, RTT_P99, Seen, whole_span
from lab.tun.flow import ICMP_ECHO
from telemetry.metrics.percentile import nearest_rank

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

    from numpy.typing import NDArray

    from lab.tun.link import TunLink
    from lab.tun.truth import TunTruth


class Fping:
    """fping at the office, the hub's kernel answers."""

    name = "fping"

    def __init__(self, link: TunLink, folder: Path) -> None:
        self._link = link
        self._said = folder / "fping.txt"
        self._process: subprocess.Popen[Any] | None = None

    def start(self) -> None:
        """Nothing: the kernel answers."""

    def begin(self) -> None:
        """Start measuring."""
        words = ["fping", "-C", str(PACKETS), "-q", "-p", str(INTERVAL_MS), "-t", "3000", "-b", str(PAYLOAD)]
        with self._said.open("wb") as out:
            hub = self._link.address("hub")
            self._process = self._link.begin([*words, hub], side="office", stdout=DEVNULL, stderr=out)

    def end(self) -> None:
        """Wait until it is done."""
        assert self._process is not None
        self._process.wait(60)

    def seen(self, start_ns: int) -> Seen:  # noqa: ARG002 - it has its own span
        """What it says."""
        told = self._said.read_text(encoding="ascii").rpartition(":")[2].split()
        trips = [float(one) for one in told if one != "-"]
        p50, p99 = nearest_rank(trips, (0.50, 0.99)).tolist()
        return {RTT_P50: p50 * 1e3, RTT_P99: p99 * 1e3, LOST: float(len(told) - len(trips))}

    def truth(self, truth: TunTruth, start_ns: int) -> Seen:
        """The same figures of the same packets from the link's log."""
        flow = truth.icmp().sent_between(*whole_span(start_ns))
        trips = flow.round_trips(ICMP_ECHO)
        p50, p99 = nearest_rank(trips.whole_ns, (0.50, 0.99)).tolist()
        sent = len(np.unique(flow.up.numbers(ICMP_ECHO.up_at, ICMP_ECHO.octets)))
        return {RTT_P50: p50 / 1e3, RTT_P99: p99 / 1e3, LOST: float(sent - len(trips.number))}

    def line_ns(self, truth: TunTruth, start_ns: int) -> NDArray[np.int64]:
        """Round trips of its packets, time on the line."""
        return truth.icmp().sent_between(*whole_span(start_ns)).round_trips(ICMP_ECHO).line_ns
