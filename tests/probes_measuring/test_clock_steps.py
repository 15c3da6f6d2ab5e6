from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

from probes.measuring.clock_watch import ClockWatch
from probes.metering.clock_jumps import clock_jumps
from telemetry.clock import ManualClock
from telemetry.windows import SECOND_NS

MS = 1_000_000
START = 1_700_000_010 * SECOND_NS
MIDDLE = START + 7 * SECOND_NS + 50 * MS


def jittered(seed: int, spread_ms: int) -> list[int]:
    rng = random.Random(seed)
    return [10 * MS + rng.randint(0, spread_ms * MS) for _ in range(2000)]


@pytest.mark.parametrize("step_ms", [-3_600_000, -500, -20, 20, 500, 86_400_000])
def test_step_of_the_far_clock_changes_no_figure(
    simulate: Any, path_type: Any, fate_type: Any, step_ms: int
) -> None:
    """With the far clock stepped in mid-window, delay variation is what it would have been, but for the one pair."""
    up, down = jittered(1, 2), jittered(2, 2)
    shape: dict[str, Any] = {
        "pps": 50,
        "windows": 2,
        "up": lambda i: fate_type((up[i],)),
        "down": lambda i, _: fate_type((down[i],)),
    }
    calm = simulate(path_type(**shape)).streams
    stepped = simulate(path_type(**shape, far_offset_ns=lambda t: step_ms * MS if t >= MIDDLE else 0)).streams
    assert stepped[0].straddled >= 1
    assert stepped[1].straddled == 0
    for a, b in zip(calm, stepped, strict=True):
        assert b.lost == b.up.lost == 0
        assert b.up.reordered == b.down.reordered == 0
        assert b.rtt.max_ms == pytest.approx(a.rtt.max_ms, abs=0.2)
        for direction in ("up", "down"):
            x, y = getattr(a, direction), getattr(b, direction)
            assert y.pdv_p999_ms == pytest.approx(x.pdv_p999_ms, abs=0.3)
            assert y.ipdv_p99_ms == pytest.approx(x.ipdv_p99_ms, abs=0.1)
            assert y.jitter_max_ms == pytest.approx(x.jitter_max_ms, abs=0.2)


@pytest.mark.parametrize("step_ms", [-3_600_000, -40, 40, 3_600_000])
def test_step_of_the_own_clock_drops_only_what_straddles(
    simulate: Any, path_type: Any, fate_type: Any, step_ms: int
) -> None:
    """Packets in flight at our own clock's step give no delay; all others give theirs."""
    up = jittered(3, 2)
    calm = simulate(path_type(pps=50, windows=1, up=lambda i: fate_type((up[i],)))).streams[0]
    stepped = simulate(
        path_type(
            pps=50,
            windows=1,
            up=lambda i: fate_type((up[i],)),
            own_offset_ns=lambda t: step_ms * MS if t >= MIDDLE else 0,
            generation=lambda t: int(t >= MIDDLE),
        )
    ).streams[0]
    assert stepped.lost == 0
    assert 1 <= stepped.straddled <= 4
    assert stepped.rtt.max_ms == pytest.approx(calm.rtt.max_ms, abs=0.2)
    assert stepped.up.pdv_p999_ms == pytest.approx(calm.up.pdv_p999_ms, abs=0.3)
    assert stepped.up.jitter_max_ms == pytest.approx(calm.up.jitter_max_ms, abs=0.2)
    assert stepped.up.ipdv_p99_ms == pytest.approx(calm.up.ipdv_p99_ms, abs=0.1)


def test_step_at_the_edge_of_windows_is_seen(simulate: Any, path_type: Any, fate_type: Any) -> None:
    """A far clock stepped between two windows puts no jump into the second one's jitter."""
    up = jittered(4, 1)
    edge = START + 15 * SECOND_NS
    stream = simulate(
        path_type(
            pps=50,
            windows=2,
            up=lambda i: fate_type((up[i],)),
            far_offset_ns=lambda t: 400 * MS if t >= edge else 0,
        )
    ).streams[1]
    assert stream.up.jitter_max_ms < 2
    assert stream.straddled == 1


@pytest.mark.parametrize("spread_ms", [1, 10, 60])
def test_wander_of_the_network_is_not_taken_for_a_step(spread_ms: int) -> None:
    """Independent random delays both ways, over many windows, show no step."""
    rng = np.random.default_rng(5)
    seen = 0
    for _ in range(200):
        up = rng.integers(10 * MS, (10 + spread_ms) * MS, 750)
        down = rng.integers(10 * MS, (10 + spread_ms) * MS, 750)
        seen += len(clock_jumps(up, down))
    assert seen == 0


def test_new_route_is_not_taken_for_a_step() -> None:
    """A lasting change of one direction, or of both alike, is the network's."""
    calm = np.full(300, 20 * MS)
    longer = calm + np.where(np.arange(300) >= 150, 30 * MS, 0)
    assert not len(clock_jumps(longer, calm))
    assert not len(clock_jumps(longer, longer))


def test_small_step_of_a_calm_path_is_seen() -> None:
    """Three milliseconds stand out where delays wander by tenths."""
    rng = np.random.default_rng(6)
    step = np.where(np.arange(400) >= 200, 3 * MS, 0)
    up = 20 * MS + rng.integers(0, MS // 5, 400) + step
    down = 20 * MS + rng.integers(0, MS // 5, 400) - step
    assert clock_jumps(up, down).tolist() == [200]


def test_own_step_is_noticed_and_the_flow_of_time_is_not() -> None:
    """Only a change of real against monotonic time is a step, either way."""
    clock = ManualClock(START, 5 * SECOND_NS)
    watch = ClockWatch(clock)
    clock.advance(3600 * SECOND_NS)
    assert not watch.suspects(clock.now_ns(), clock.monotonic_ns())
    assert not watch.stepped()
    clock.step(-2 * MS)
    assert watch.suspects(clock.now_ns(), clock.monotonic_ns())
    assert watch.stepped()
    assert not watch.stepped()
    clock.step(3600 * SECOND_NS)
    assert watch.stepped()
    assert watch.generation == 2
