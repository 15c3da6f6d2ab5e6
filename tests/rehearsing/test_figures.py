"""The load is the call's, and its figures say what became of it."""

from __future__ import annotations

import numpy as np
import pytest

from probes.rehearsing.arrivals import Arrivals, Arrived, Came, bitrate_bps
from probes.rehearsing.early import Early
from probes.rehearsing.shape import PACKET, packets
from probes.rehearsing.verdict import Way, breaches
from telemetry.rehearsing import RungWanted
from telemetry.windows import MS_NS

LIMITS = RungWanted(
    name="x", up_bps=1e6, down_bps=1e6, frames_per_s=30, loss_ratio=0.01, burst_loss_ratio=0.1,
    jitter_ms=30.0, rtt_ms=300.0,
)  # fmt: skip


@pytest.mark.parametrize(("bps", "fps"), [(60e3, 50.0), (500e3, 30.0), (1.2e6, 30.0), (4e6, 25.0)])
def test_a_load_has_its_rate_and_comes_in_frames(bps: float, fps: float) -> None:
    """The mean rate is exact within a packet, no packet is too large, and they leave in order, frame by frame."""
    load = packets(bps, fps, 7.0)
    assert load.octets.sum() * 8 == pytest.approx(bps * 7.0, rel=0.01)
    assert load.octets.max() <= PACKET
    assert (np.diff(load.at_ns) >= 0).all()
    assert load.at_ns[-1] < 7.1e9
    if bps > 1e6:
        per_frame = np.bincount((load.at_ns * fps / 1e9).astype(int), weights=load.octets)
        assert per_frame.max() > 1.5 * np.median(per_frame), "key frames are larger"
    assert len(packets(0.0, 30.0, 7.0)) == 0


def arrived(number: np.ndarray, delay_ms: np.ndarray | float = 0.0, octets: int = 1000) -> Arrived:
    sent = number * 10 * MS_NS
    there = sent + np.round(np.broadcast_to(delay_ms, number.shape) * MS_NS).astype(np.int64)
    return Arrived(number, sent, there, np.full(len(number), octets), np.ones(len(number), dtype=np.bool_))


def test_copies_count_once_and_the_worst_stretch_is_found() -> None:
    """A hole of four in 200 ms, a copy, and delays above the least."""
    load = packets(120e3, 100.0, 2.0)
    number = np.concatenate([np.arange(40), np.arange(44, len(load)), [44]])
    some = Arrivals()
    some.add(arrived(number[:50]))
    some.add(arrived(number[50:], 20.0))
    came = some.came(load, len(load))
    assert came.received == len(load) - 4
    assert (came.worst_lost, came.worst_sent) == (4, 20)
    assert came.least_delay_ns == 0
    assert came.p95_delay_ns == 20 * MS_NS
    assert some.take_least_ns() == 0
    assert some.take_least_ns() is None
    assert bitrate_bps(came, 2.0) == pytest.approx(came.octets * 4, rel=0.02)


def test_nothing_arrived() -> None:
    """All lost, no delay known."""
    load = packets(0.8e6, 100.0, 1.0)
    came = Arrivals().came(load, len(load))
    assert (came.received, came.p95_delay_ns) == (0, None)
    assert came.worst_lost == came.worst_sent > 0


def way(
    sent: int = 1000, received: int = 1000, growth: float = 0.0, jitter_us: int = 0, early: str = ""
) -> Way:
    came = Came(received, received * 125, 1_000_000, jitter_us, 0, 0, 0, 0)
    return Way(sent, came, 1.0, 1e6, growth, early)


@pytest.mark.parametrize(
    ("up", "down", "found"),
    [
        (way(), way(), ("", "")),
        (way(received=989), way(), ("loss", "")),
        (way(received=990), way(), ("", "")),
        (way(), way(jitter_us=31_000), ("", "jitter")),
        (way(growth=100.0), way(growth=150.0), ("", "")),
        (way(growth=200.0), way(growth=150.0), ("delay", "")),
        (way(growth=100.0), way(growth=250.0), ("", "delay")),
        (way(early="dark"), None, ("dark", "")),
        (None, way(sent=800, received=800), ("", "rate")),
    ],
)
def test_the_limits_of_the_profile_break_a_rung(
    up: Way | None, down: Way | None, found: tuple[str, str]
) -> None:
    """Each way by its own figures; the round trip by the way that has grown more."""
    assert breaches(LIMITS, up, down, 20.0) == found


def feed(looks: list[tuple[int, int, float | None]]) -> str:
    early = Early()
    for received, expected, delay_ms in looks:
        if why := early.look(received, expected, None if delay_ms is None else round(delay_ms * MS_NS)):
            return why
    return ""


def test_early_thresholds() -> None:
    """Three late intervals running, more than ten lost in a second, or nothing for one and a half."""
    steady = [(10 * i, 10 * i, 5.0) for i in range(1, 60)]
    assert not feed(steady)
    assert feed([*steady, *((590 + i, 590 + i, 95.0) for i in (1, 2, 3))]) == "delay"
    assert not feed([*steady, *((590 + i, 590 + i, 95.0 if i != 2 else 40.0) for i in (1, 2, 3, 4))])
    assert not feed([*steady, (590, 600, 5.0)])
    assert feed([*steady, (591, 602, 5.0)]) == "loss"
    assert feed([(5, 5, 1.0), *((5, 5, None),) * 15]) == "dark"
