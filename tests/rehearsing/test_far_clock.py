"""What only the far clock explains is left out; what the line did is not."""

from __future__ import annotations

import numpy as np
import pytest

from probes.rehearsing.arrivals import Came
from probes.rehearsing.far_clock import Delays
from probes.rehearsing.growth import DelayGrowth
from probes.rehearsing.verdict import Way, breaches
from telemetry.rehearsing import RungWanted
from telemetry.windows import MS_NS

RTT = 20 * MS_NS
HOUR = 3_600_000 * MS_NS


def delays(
    up_more: np.ndarray, down_more: np.ndarray, seed: int = 1, wander_ms: float = 1.0
) -> list[tuple[int, int]]:
    rng = np.random.default_rng(seed)
    wander = rng.integers(0, round(wander_ms * MS_NS), (2, len(up_more)))
    up, down = (RTT // 2 + more + some for more, some in zip((up_more, down_more), wander, strict=True))
    return list(zip(up.tolist(), down.tolist(), strict=True))


def stepped(looks: list[tuple[int, int]]) -> tuple[int, int] | None:
    seen = Delays()
    for up, down in looks:
        seen.add(up, down)
    return seen.stepped()


def jump(size_ns: int, at: int, n: int = 70) -> np.ndarray:
    return np.where(np.arange(n) >= at, size_ns, 0)


@pytest.mark.parametrize("size_ns", [20 * MS_NS, -20 * MS_NS, 300 * MS_NS, HOUR, -HOUR])
@pytest.mark.parametrize("later", [0, 1, -1])
def test_a_step_is_seen_although_the_two_ends_look_at_different_times(size_ns: int, later: int) -> None:
    """The way up may tell of it an interval before or after the way down; what follows is the new least."""
    looks = delays(jump(size_ns, 30), -jump(size_ns, 30 + later))
    found = stepped(looks)
    assert found is not None
    assert abs(found[0] - RTT // 2 - size_ns) < 2 * MS_NS
    assert abs(found[1] - RTT // 2 + size_ns) < 2 * MS_NS


def test_at_the_very_end_of_a_rung_a_large_one_is_seen() -> None:
    """Three intervals are enough where no line could do it."""
    assert stepped(delays(jump(HOUR, 67), -jump(HOUR, 67))) is not None


def test_queues_routes_and_wander_are_no_step() -> None:
    """A queue that fills and drains, on one way or both; a new route; random wander, over many rungs."""
    n = np.arange(70)
    queue = np.clip((n - 20) * 10 * MS_NS, 0, 300 * MS_NS)
    assert stepped(delays(queue, 0 * n)) is None
    assert stepped(delays(queue, queue)) is None
    assert stepped(delays(queue[::-1], queue[::-1])) is None
    assert stepped(delays(jump(30 * MS_NS, 35), 0 * n)) is None
    assert sum(stepped(delays(0 * n, 0 * n, seed, 10.0)) is not None for seed in range(100)) == 0


@pytest.mark.parametrize("size_ns", [HOUR, -HOUR, 200 * MS_NS, -200 * MS_NS])
def test_no_interval_is_above_its_floor_by_more_than_the_round_trip_grew(size_ns: int) -> None:
    """So the early leave (90 ms three times running) is not taken for a step; and it is for a queue."""
    growth = DelayGrowth()
    above = [growth.interval(*look) for look in delays(jump(size_ns, 30), -jump(size_ns, 30))]
    assert all(one is not None and one < 5 * MS_NS for pair in above for one in pair)
    growth = DelayGrowth()
    queued = [growth.interval(*look) for look in delays(jump(150 * MS_NS, 30), jump(0, 30))]
    assert all(up is not None and up > 100 * MS_NS for up, _ in queued[30:])


def came(p95_ns: int, least_ns: int, span_us: int) -> Came:
    return Came(100, 125_000, span_us, 500_000, 0, 0, p95_ns, least_ns)


@pytest.mark.parametrize(("queue_ms", "found"), [(0, ("", "")), (400, ("delay", "delay"))])
def test_the_round_trip_stands_in(queue_ms: int, found: tuple[str, str]) -> None:
    """Neither jitter, span nor growth of that rung is judged; a round trip beyond the profile's limit is."""
    growth = DelayGrowth()
    for look in delays(jump(HOUR, 40), -jump(HOUR, 40)):
        growth.interval(look[0] + queue_ms * MS_NS, look[1])
    grown = growth.rung(came(HOUR, 0, HOUR // 1000), came(0, -HOUR, 990_000))
    assert grown.growth_ms == (None, None)
    assert grown.far_clock_ms == pytest.approx(20 + queue_ms, abs=2)
    wanted = RungWanted(name="x", up_bps=1e6, down_bps=1e6, frames_per_s=30, jitter_ms=30.0, rtt_ms=300.0)
    ways = [Way(100, one, 1.0, 1e6, None) for one in grown.came]
    assert breaches(wanted, ways[0], ways[1], 20.0, grown.far_clock_ms) == found
