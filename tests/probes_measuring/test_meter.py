from __future__ import annotations

import math
import random
from itertools import pairwise
from typing import Any

import pytest

from telemetry.messages import StampSource

MS = 1_000_000


def plain_jitter(transits: list[int]) -> tuple[float, float]:
    """RFC 3550 6.4.1 as it is written: mean and maximum of J in ms."""
    jitter, series = 0.0, []
    for before, now in pairwise(transits):
        jitter += (abs(now - before) - jitter) / 16
        series.append(jitter)
    return sum(series) / len(series) / MS, max(series) / MS


def nearest_rank(values: list[int], p: float) -> float:
    return sorted(values)[max(math.ceil(p * len(values)), 1) - 1] / MS


def delays(seed: int, n: int) -> list[int]:
    rng = random.Random(seed)
    return [rng.randint(5 * MS, 15 * MS) for _ in range(n)]


def test_figures_agree_with_the_plain_formulas(simulate: Any, path_type: Any, fate_type: Any) -> None:
    """Jitter, IPDV, PDV and round trip of a window are what the RFCs' formulas give, packet by packet."""
    up, down = delays(1, 750), delays(2, 750)
    stream = simulate(
        path_type(
            pps=50,
            windows=1,
            up=lambda i: fate_type((up[i],)),
            down=lambda i, _: fate_type((down[i],)),
            far_offset_ns=lambda _: -7_000_000_000,
        )
    ).streams[0]
    for direction, series in ((stream.up, up), (stream.down, down)):
        ipdv = [abs(b - a) for a, b in pairwise(series)]
        pdv = [d - min(series) for d in series]
        mean, most = plain_jitter(series)
        assert direction.jitter_ms == pytest.approx(mean, abs=1e-6)  # NTP64 stamps round to a quarter of a ns
        assert direction.jitter_max_ms == pytest.approx(most, abs=1e-6)
        assert direction.ipdv_p50_ms == pytest.approx(nearest_rank(ipdv, 0.5), abs=1e-5)
        assert direction.ipdv_p99_ms == pytest.approx(nearest_rank(ipdv, 0.99), abs=1e-5)
        assert direction.pdv_p50_ms == pytest.approx(nearest_rank(pdv, 0.5), abs=1e-5)
        assert direction.pdv_p99_ms == pytest.approx(nearest_rank(pdv, 0.99), abs=1e-5)
        assert direction.pdv_p999_ms == pytest.approx(nearest_rank(pdv, 0.999), abs=1e-5)
        assert sum(direction.pdv_hist[1::2]) == 750
        assert sum(direction.ipdv_hist[1::2]) == 749
    rtt = [a + b for a, b in zip(up, down, strict=True)]
    assert stream.rtt is not None
    assert stream.rtt.p95_ms == pytest.approx(nearest_rank(rtt, 0.95), abs=1e-5)
    assert stream.rtt.mean_ms == pytest.approx(sum(rtt) / 750 / MS, abs=1e-5)
    assert stream.rtt.max_ms == pytest.approx(max(rtt) / MS, abs=1e-5)
    assert (stream.stamps.t1, stream.stamps.t2) == (StampSource.KERNEL, StampSource.KERNEL)
    assert stream.rate_pps == pytest.approx(50.0)
    assert stream.up.bitrate_bps == pytest.approx(50 * 200 * 8)
    assert stream.down.bitrate_bps == pytest.approx(50 * 200 * 8)


def test_jitter_runs_on_across_windows(simulate: Any, path_type: Any, fate_type: Any) -> None:
    """The second window's J goes on from the first one's, over the pair at the edge."""
    up = delays(3, 300)
    streams = simulate(path_type(pps=10, windows=2, up=lambda i: fate_type((up[i],)))).streams
    jitter, means = 0.0, []
    series: list[float] = []
    for i in range(1, 300):
        jitter += (abs(up[i] - up[i - 1]) - jitter) / 16
        series.append(jitter)
    means = [sum(series[:149]) / 149 / MS, sum(series[149:]) / 150 / MS]
    assert [s.up.jitter_ms for s in streams] == [pytest.approx(m, abs=1e-6) for m in means]


def test_jitter_begins_again_after_silence(simulate: Any, path_type: Any, fate_type: Any) -> None:
    """After 15 s without an arrival J starts from nothing."""
    up = {i: (30 if i % 2 else 5) * MS for i in range(600)}
    streams = simulate(
        path_type(
            pps=10,
            windows=4,
            up=lambda i: fate_type(() if 150 <= i < 450 else (10 * MS if i >= 450 else up[i],)),
        )
    ).streams
    assert streams[0].up.jitter_ms > 5
    assert streams[1].up.jitter_ms is None
    assert streams[3].up.jitter_ms == pytest.approx(0.0, abs=1e-6)


def test_copies_are_counted_where_they_were_made(simulate: Any, path_type: Any, fate_type: Any) -> None:
    """A request that arrives twice is a copy on the way up, a reply that arrives twice one on the way down."""
    stream = simulate(
        path_type(
            pps=10,
            windows=1,
            up=lambda i: fate_type((MS, 2 * MS) if i in {5, 9} else (MS,)),
            down=lambda i, _: fate_type((MS, 3 * MS, 4 * MS) if i == 20 else (MS,)),
        )
    ).streams[0]
    assert (stream.up.duplicated, stream.down.duplicated) == (2, 2)
    assert (stream.lost, stream.received) == (0, 150)


def test_overtaking_is_counted_in_its_direction(simulate: Any, path_type: Any, fate_type: Any) -> None:
    """RFC 4737: each packet that comes behind a later one is reordered, in the direction where that happened."""
    stream = simulate(
        path_type(
            pps=10,
            windows=2,
            up=lambda i: fate_type((250 * MS,) if i in {30, 60, 149} else (MS,)),
            down=lambda i, _: fate_type((150 * MS,) if i == 90 else (MS,)),
        )
    ).streams[0]
    assert (stream.up.reordered, stream.down.reordered) == (3, 1)
    assert stream.lost == 0


def test_reply_after_three_seconds_is_lost_and_no_copy_of_anything(
    simulate: Any, path_type: Any, fate_type: Any
) -> None:
    """A reply that is over 3 s late leaves its packet lost, and disturbs no later window."""
    streams = simulate(
        path_type(pps=10, windows=3, down=lambda i, _: fate_type((3_200 * MS,) if i in {50, 140} else (MS,)))
    ).streams
    assert [s.lost for s in streams] == [2, 0, 0]
    assert [s.down.duplicated + s.up.duplicated for s in streams] == [0, 0, 0]
    assert [s.received for s in streams] == [148, 150, 150]


def test_reply_within_three_seconds_counts_for_the_window_of_sending(
    simulate: Any, path_type: Any, fate_type: Any
) -> None:
    """The last packets of a window are resolved by replies that come in the next."""
    streams = simulate(
        path_type(
            pps=10, windows=2, down=lambda i, _: fate_type((2_900 * MS,) if i >= 120 and i < 150 else (MS,))
        )
    ).streams
    assert [s.lost for s in streams] == [0, 0]
    assert streams[0].rtt.max_ms == pytest.approx(2_910, abs=0.01)


def test_worst_200_ms_is_the_densest_stretch_of_loss(simulate: Any, path_type: Any, fate_type: Any) -> None:
    """At 50 packets/s ten packets fit into 200 ms; the worst stretch has the most of them lost."""
    gone = {100, 200, 201, 202, 205, 206, 400, 749}
    stream = simulate(
        path_type(pps=50, windows=2, up=lambda i: fate_type(() if i in gone else (MS,)))
    ).streams[0]
    assert (stream.worst_200ms_lost, stream.worst_200ms_sent) == (5, 10)
    assert (stream.up.worst_200ms_lost, stream.up.worst_200ms_sent) == (5, 10)
    assert stream.down.worst_200ms_lost == 0
    assert stream.longest_loss_run == stream.up.longest_loss_run == 3


def test_one_loss_at_the_very_end_is_not_one_of_one(simulate: Any, path_type: Any, fate_type: Any) -> None:
    """An interval that would reach past the last packet is moved back, so it is judged by all that 200 ms hold."""
    stream = simulate(
        path_type(pps=50, windows=2, up=lambda i: fate_type(() if i == 749 else (MS,)))
    ).streams[0]
    assert (stream.worst_200ms_lost, stream.worst_200ms_sent) == (1, 10)


def test_mixed_gap_gives_counts_but_no_single_packets(simulate: Any, path_type: Any, fate_type: Any) -> None:
    """Within a gap with both kinds the counts are right, and the worst 200 ms counts the gap as a whole."""
    stream = simulate(
        path_type(
            pps=50,
            windows=1,
            up=lambda i: fate_type(() if i in {300, 302} else (MS,)),
            down=lambda i, _: fate_type(() if i in {301, 303} else (MS,)),
        )
    ).streams[0]
    assert (stream.up.lost, stream.down.lost) == (2, 2)
    assert (stream.up.worst_200ms_lost, stream.down.worst_200ms_lost) == (2, 2)
    assert stream.down.longest_loss_run == 2  # numbers missing in a row
    assert stream.up.longest_loss_run == 1  # at least


def test_foreign_reflector_is_not_trusted_beyond_user_space(
    simulate: Any, path_type: Any, fate_type: Any
) -> None:
    """Of a reflector that says nothing of its stamps, T2 and T3 are taken for user-space stamps."""
    stream = simulate(path_type(pps=10, windows=1, tells=False, up=lambda _: fate_type((MS,)))).streams[0]
    assert (stream.stamps.t2, stream.stamps.t3) == (StampSource.USER, StampSource.USER)


def test_one_stamp_written_twice_is_said(simulate: Any, path_type: Any) -> None:
    """Where T3 always equals T2 the reply's leaving was not stamped."""
    stream = simulate(path_type(pps=10, windows=1, tells=False, residence_ns=0)).streams[0]
    assert (stream.stamps.t2, stream.stamps.t3) == (StampSource.USER, StampSource.NONE)
