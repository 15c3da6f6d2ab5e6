"""iperf3 -u, a flow each way: J of RFC 1889 after its last packet, and packets lost; it knows nothing of round trips.

Its two ends do not agree to the packet on where the flow ended. Where that leaves a doubt (which packet is the last that it
counted) the truth that lies nearest to what it said is taken, to its advantage.
"""

from __future__ import annotations

import json
from subprocess import DEVNULL
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from bench._accuracy.plan import (
    IP_OCTETS,
    IPERF_DOWN_PORT,
    IPERF_UP_PORT,
    JITTER_DOWN,
    JITTER_UP,
    LOST_DOWN,
    LOST_UP,
    PAYLOAD,
    RATE_PPS,
    SECONDS,
    Seen,
    whole_span,
)

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

    from numpy.typing import NDArray

    from lab.tun.flow import Packets
    from lab.tun.link import TunLink
    from lab.tun.truth import TunTruth

_LAST: Final = 3
_WAYS: Final = (
    ("up", IPERF_UP_PORT, JITTER_UP, LOST_UP),
    ("down", IPERF_DOWN_PORT, JITTER_DOWN, LOST_DOWN),
)


class Iperf3:
    """A client and a server each way."""

    name = "iperf3"

    def __init__(self, link: TunLink, folder: Path) -> None:
        self._link = link
        self._folder = folder
        self._processes: list[subprocess.Popen[Any]] = []
        self._seen: Seen = {}

    def start(self) -> None:
        """Start both servers."""
        for _, port, _, _ in _WAYS:
            words = ["iperf3", "-s", "-p", str(port)]
            self._link.begin(words, side="hub", stdout=DEVNULL, stderr=DEVNULL)

    def begin(self) -> None:
        """Start measuring, both ways at once."""
        hub, rate = self._link.address("hub"), str(RATE_PPS * PAYLOAD * 8)
        for way, port, _, _ in _WAYS:
            words = ["iperf3", "-u", "-J", "-c", hub, "-p", str(port), "-l", str(PAYLOAD), "-b", rate]
            words += ["-t", str(SECONDS), *(["-R"] if way == "down" else [])]
            with (self._folder / f"iperf3-{way}.json").open("wb") as out:
                self._processes.append(self._link.begin(words, side="office", stdout=out, stderr=DEVNULL))

    def end(self) -> None:
        """Wait until they are done."""
        for process in self._processes:
            process.wait(60)
        self._processes.clear()

    def seen(self, start_ns: int) -> Seen:  # noqa: ARG002 - it has its own span
        """What they say; a way whose control connection failed is left out."""
        self._seen = {}
        for way, _, jitter, lost in _WAYS:
            said = json.loads((self._folder / f"iperf3-{way}.json").read_bytes())
            if "error" not in said and "sum" in said["end"]:
                self._seen[jitter] = said["end"]["sum"]["jitter_ms"] * 1e3
                self._seen[lost] = float(said["end"]["sum"]["lost_packets"])
        return self._seen

    def truth(self, truth: TunTruth, start_ns: int) -> Seen:
        """The same figures of the same packets from the link's log."""
        out: Seen = {}
        for way, port, jitter, lost in _WAYS:
            flow = truth.udp(hub_port=port).sent_between(*whole_span(start_ns))
            packets = flow.up if way == "up" else flow.down
            packets = packets.part(packets.records["size"] == IP_OCTETS)
            if jitter not in self._seen or packets.sent == 0:
                continue
            _, series = packets.jitter()
            out[jitter] = _nearest(list(series[-_LAST:] * 1e3), self._seen[jitter])
            out[lost] = _nearest([packets.lost, _lost_between(packets)], self._seen[lost])
        return out

    def line_ns(self, truth: TunTruth, start_ns: int) -> NDArray[np.int64]:  # noqa: ARG002 - as every tool
        """None: it makes no round trips."""
        return np.zeros(0, dtype=np.int64)


def _lost_between(packets: Packets) -> int:
    """Packets lost before the last that came: what a receiver can know by numbers alone."""
    last = packets.delivered()["in_ns"].max()
    return packets.part(packets.records["in_ns"] <= last).lost


def _nearest(candidates: list[float] | list[int], said: float) -> float:
    values = np.asarray(candidates, dtype=np.float64)
    return float(values[np.abs(values - said).argmin()])
