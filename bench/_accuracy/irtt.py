"""irtt: round trips less the server's own time; jitter is the mean of |IPDV|; losses by direction from the server's count."""

from __future__ import annotations

import json
from subprocess import DEVNULL
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from bench._accuracy.plan import (
    INTERVAL_MS,
    IP_OCTETS,
    IRTT_PORT,
    JITTER_DOWN,
    JITTER_UP,
    LOST,
    LOST_DOWN,
    LOST_UP,
    PAYLOAD,
    RTT_P50,
    RTT_P99,
    SECONDS,
    Seen,
    whole_span,
)
from lab.tun.flow import Flow, Number
from telemetry.metrics.percentile import nearest_rank

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

    from numpy.typing import NDArray

    from lab.tun.flow import Packets, RoundTrips
    from lab.tun.link import TunLink
    from lab.tun.truth import TunTruth

_NUMBER: Final = Number(20, 20, 4)
"""seqno, behind magic, flags and token (irtt's packet.go); little-endian there, which does not matter for matching."""
_MAGIC_AT: Final = 8
_TEST_PACKETS: Final = {0x14A75B00, 0x14A75B02}
"""Magic and flags: a request, a reply; opening and closing have other flags."""


class Irtt:
    """irtt's client at the office, its server at the hub."""

    name = "irtt"

    def __init__(self, link: TunLink, folder: Path) -> None:
        self._link = link
        self._said = folder / "irtt.json"
        self._process: subprocess.Popen[Any] | None = None

    def start(self) -> None:
        """Start the server."""
        words = ["irtt", "server", "-b", f"{self._link.address('hub')}:{IRTT_PORT}"]
        self._link.begin(words, side="hub", stdout=DEVNULL, stderr=DEVNULL)

    def begin(self) -> None:
        """Start measuring."""
        at = f"{self._link.address('hub')}:{IRTT_PORT}"
        words = ["irtt", "client", "-Q", "-i", f"{INTERVAL_MS}ms", "-d", f"{SECONDS}s", "-l", str(PAYLOAD)]
        with self._said.open("wb") as out:
            self._process = self._link.begin([*words, "-o", "-", at], side="office", stdout=out)

    def end(self) -> None:
        """Wait until it is done."""
        assert self._process is not None
        self._process.wait(60)

    def seen(self, start_ns: int) -> Seen:  # noqa: ARG002 - it has its own span
        """What it says."""
        said = json.loads(self._said.read_bytes())
        stats = said["stats"]
        trips = [r["delay"]["rtt"] for r in said["round_trips"] if r["lost"] == "false"]
        p50, p99 = nearest_rank(trips, (0.50, 0.99)).tolist()
        sent, there, back = (
            stats[key] for key in ("packets_sent", "server_packets_received", "packets_received")
        )
        return {
            RTT_P50: p50 / 1e3,
            RTT_P99: p99 / 1e3,
            JITTER_UP: stats["ipdv_send"]["mean"] / 1e3,
            JITTER_DOWN: stats["ipdv_receive"]["mean"] / 1e3,
            LOST_UP: float(sent - there),
            LOST_DOWN: float(there - back),
            LOST: float(sent - back),
        }

    def truth(self, truth: TunTruth, start_ns: int) -> Seen:
        """The same figures of the same packets from the link's log."""
        flow = _flow(truth, start_ns)
        up, down, trips = flow.up, flow.down, flow.round_trips(_NUMBER)
        p50, p99 = nearest_rank(trips.line_ns, (0.50, 0.99)).tolist()
        return {
            RTT_P50: p50 / 1e3,
            RTT_P99: p99 / 1e3,
            JITTER_UP: _mean_ipdv_us(trips, trips.up_out_ns - trips.up_in_ns, up),
            JITTER_DOWN: _mean_ipdv_us(trips, trips.down_out_ns - trips.down_in_ns, up),
            LOST_UP: float(up.lost),
            LOST_DOWN: float(down.lost),
            LOST: float(up.sent - len(trips.number)),
        }

    def line_ns(self, truth: TunTruth, start_ns: int) -> NDArray[np.int64]:
        """Round trips of its packets, time on the line."""
        return _flow(truth, start_ns).round_trips(_NUMBER).line_ns


def _flow(truth: TunTruth, start_ns: int) -> Flow:
    """Its test packets of this scenario."""
    flow = truth.udp(hub_port=IRTT_PORT).sent_between(*whole_span(start_ns))
    return Flow(_tests(flow.up), _tests(flow.down))


def _tests(packets: Packets) -> Packets:
    kind = packets.numbers(_MAGIC_AT, 4)
    return packets.part(np.isin(kind, list(_TEST_PACKETS)) & (packets.records["size"] == IP_OCTETS))


def _mean_ipdv_us(trips: RoundTrips, delay_ns: NDArray[np.int64], up: Packets) -> float:
    """Mean |difference| between packets sent one after the other whose round trips were both completed."""
    sent = np.sort(up.records["in_ns"][up.records["copy"] == 0])
    neighbours = np.diff(np.searchsorted(sent, trips.up_in_ns)) == 1
    return float(np.abs(np.diff(delay_ns)[neighbours]).mean()) / 1e3
