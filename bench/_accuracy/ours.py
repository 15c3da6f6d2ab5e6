"""Our probe against our reflector: what the window says, and what the link's log says of the packets of that window.

Jitter is the mean over the window of RFC 3550 J, of packets whose round trip was completed; losses whose direction the
probe does not claim to know are missing from both directions, and so count as its error there.
"""

from __future__ import annotations

import sys
import time
from subprocess import DEVNULL
from typing import TYPE_CHECKING, Any, Final

import msgspec
import numpy as np

from bench._accuracy.plan import (
    JITTER_DOWN,
    JITTER_UP,
    LOST,
    LOST_DOWN,
    LOST_UP,
    RTT_P50,
    RTT_P99,
    SECONDS,
    STAMP_PORT,
    Seen,
)
from lab.tun.flow import STAMP
from telemetry.messages import Stream
from telemetry.metrics.jitter import smoothed
from telemetry.metrics.percentile import nearest_rank

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

    from numpy.typing import NDArray

    from lab.tun.flow import Packets, RoundTrips
    from lab.tun.link import TunLink
    from lab.tun.truth import TunTruth

NAME: Final = "ours"
_T1_SECONDS_AT: Final = 12
_T1_FRACTION_AT: Final = 16
_NTP_UNIX_S: Final = 2_208_988_800
_CLOSED_AFTER_S: Final = 60.0


class Ours:
    """Measures all the time, as a probe does; each scenario has a window of it."""

    name = NAME

    def __init__(self, link: TunLink, folder: Path) -> None:
        self._link = link
        self._said = folder / "ours.jsonl"
        self._process: subprocess.Popen[Any] | None = None

    def start(self) -> None:
        """Start reflector and probe."""
        hub = self._link.address("hub")
        reflect = [sys.executable, "-m", "tatpar", "reflect", "--bind", f"{hub}:{STAMP_PORT}"]
        self._link.begin(reflect, side="hub", stdout=DEVNULL, stderr=DEVNULL)
        with self._said.open("wb") as out:
            words = [sys.executable, "-m", "bench._accuracy.probe", hub, str(STAMP_PORT)]
            self._process = self._link.begin(words, side="office", stdout=out)

    def begin(self) -> None:
        """Nothing: it measures already."""

    def end(self) -> None:
        """Nothing: the window closes by itself."""

    def seen(self, start_ns: int) -> Seen:
        """What the window that began then says.

        Raises:
            RuntimeError: it does not come.
        """
        stream = self._window(start_ns)
        if stream.rtt is None:
            raise RuntimeError("our probe measured no round trip in the window")
        told = {
            RTT_P50: stream.rtt.p50_ms * 1e3,
            RTT_P99: stream.rtt.p99_ms * 1e3,
            LOST_UP: float(stream.up.lost or 0),
            LOST_DOWN: float(stream.down.lost or 0),
            LOST: float(stream.lost),
        }
        if stream.up.jitter_ms is not None and stream.down.jitter_ms is not None:
            told |= {JITTER_UP: stream.up.jitter_ms * 1e3, JITTER_DOWN: stream.down.jitter_ms * 1e3}
        return told

    def _window(self, start_ns: int) -> Stream:
        until = time.monotonic() + _CLOSED_AFTER_S
        while time.monotonic() < until:
            for line in self._said.read_bytes().splitlines(keepends=True):
                if line.endswith(b"\n"):
                    window = msgspec.json.decode(line)
                    if window["start_ns"] == start_ns:
                        return msgspec.convert(window["stream"], Stream)
            if self._process is not None and self._process.poll() is not None:
                raise RuntimeError(f"our probe ended with status {self._process.returncode}")
            time.sleep(0.2)
        raise RuntimeError("our probe closed no such window")

    def truth(self, truth: TunTruth, start_ns: int) -> Seen:
        """The same figures of the same packets from the link's log."""
        trips, mine, sent = _exchanges(truth, start_ns)
        numbers = np.unique(sent.numbers(STAMP.up_at, STAMP.octets))
        arrived, _ = sent.first_out(STAMP.up_at, STAMP.octets)
        p50, p99 = nearest_rank(trips.line_ns[mine], (0.50, 0.99)).tolist()
        up, down = _jitter_us(trips, mine)
        return {
            RTT_P50: p50 / 1e3,
            RTT_P99: p99 / 1e3,
            JITTER_UP: up,
            JITTER_DOWN: down,
            LOST_UP: float(len(numbers) - len(arrived)),
            LOST_DOWN: float(len(arrived) - np.count_nonzero(mine)),
            LOST: float(len(numbers) - np.count_nonzero(mine)),
        }

    def line_ns(self, truth: TunTruth, start_ns: int) -> NDArray[np.int64]:
        """Round trips of its packets, time on the line."""
        trips, mine, _ = _exchanges(truth, start_ns)
        return trips.line_ns[mine]


def _exchanges(truth: TunTruth, start_ns: int) -> tuple[RoundTrips, NDArray[np.bool_], Packets]:
    """All round trips, which of them belong to the window, and the packets sent in it."""
    flow = truth.udp(hub_port=STAMP_PORT)
    times = _t1_ns(flow.up)
    sent = flow.up.part((times >= start_ns) & (times < start_ns + SECONDS * 1_000_000_000))
    trips = flow.round_trips(STAMP)
    return trips, np.isin(trips.number, sent.numbers(STAMP.up_at, STAMP.octets)), sent


def _t1_ns(packets: Packets) -> NDArray[np.int64]:
    """When the sender says that it sent each packet: a packet belongs to the window of that time."""
    seconds = packets.numbers(_T1_SECONDS_AT, 4) - _NTP_UNIX_S
    return np.asarray(seconds * 1_000_000_000 + (packets.numbers(_T1_FRACTION_AT, 4) * 1_000_000_000 >> 32))


def _jitter_us(trips: RoundTrips, mine: NDArray[np.bool_]) -> tuple[float, float]:
    """Mean of J over the chosen packets, up and down; J runs on from before them."""
    out = []
    for came_in, came_out in ((trips.up_in_ns, trips.up_out_ns), (trips.down_in_ns, trips.down_out_ns)):
        order = np.argsort(came_out, kind="stable")
        transit = (came_out - came_in)[order].astype(np.float64)
        out.append(float(smoothed(np.diff(transit))[mine[order][1:]].mean()) / 1e3)
    return out[0], out[1]
