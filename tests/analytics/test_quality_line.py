"""The estimate of a call's sound from a line's figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from analytics.quality.assumed import endpoints_of
from analytics.quality.late import late_share
from analytics.quality.line import (
    COLUMNS,
    SLOT_COLUMNS,
    SLOT_WINDOW_VALUES,
    Endpoints,
    audio_quality,
    least_burst_ratio,
    rollup_windows,
)
from analytics.quality.mos import opinion
from analytics.quality.rating import Scale
from config.settings import Quality
from telemetry.metrics.loss_pattern import burst_ratio, loss_runs
from telemetry.store.columns import COUNT_COLUMNS, FLOAT_COLUMNS, WINDOW_VALUE_COLUMNS

if TYPE_CHECKING:
    from numpy.typing import NDArray

NAN = float("nan")
ENDS = endpoints_of(Quality())


def windows(shape: tuple[int, ...] = (), **changed: object) -> dict[str, NDArray[np.float64]]:
    """Windows of 150 packets on a quiet line with a round trip of 40 ms."""
    values = {name: np.zeros(shape) for name in COLUMNS}
    values["sent"][...] = values["down_sent"][...] = 150
    values["rtt_p50_ms"][...] = 40
    for way in ("up", "down"):
        for name, value in (("p50", 1.0), ("p99", 4.0), ("p999", 6.0)):
            values[f"{way}_pdv_{name}_ms"][...] = value
    for name, value in changed.items():
        values[name] = np.broadcast_to(np.asarray(value, dtype=np.float64), shape).copy()
    return values


def test_it_reads_columns_that_the_store_has() -> None:
    """Windows and roll-ups alike carry every column."""
    assert {*COLUMNS, *SLOT_COLUMNS} <= {*COUNT_COLUMNS, *FLOAT_COLUMNS}
    assert set(SLOT_WINDOW_VALUES) <= set(WINDOW_VALUE_COLUMNS)


def test_a_quiet_line_sounds_as_the_codec_does() -> None:
    """40 ms there and back are 20 + 60 + 20 = 100 ms mouth to ear: nothing is taken away but the codec's own."""
    found = audio_quality(windows(), ENDS)
    assert found.scale is Scale.FULLBAND
    assert found.proxy
    assert float(found.up.delay_ms) == 100
    assert float(found.up.mos) == pytest.approx(float(opinion((148 - 10.2) / 1.48)))
    assert float(found.worse) == float(found.down.mos)
    assert not found.up.at_most


def test_each_direction_has_its_own_sound() -> None:
    """5 % lost upwards is heard by the others alone; what is lost nobody knows where counts for both."""
    up = audio_quality(windows(up_lost=7.5, up_longest_loss_run=1), ENDS)
    assert up.up.mos < 3.6 < up.down.mos
    assert float(up.up.loss_ratio) == pytest.approx(0.05)
    either = audio_quality(windows(lost_unattributed=7.5, down_sent=142.5), ENDS)
    assert float(either.up.mos) == pytest.approx(float(either.down.mos)) == pytest.approx(float(up.up.mos))


def test_what_comes_too_late_is_lost() -> None:
    """A hundredth of the packets lie 60 ms above the fastest: the jitter buffer of 60 ms discards that hundredth."""
    found = audio_quality(windows(down_pdv_p99_ms=60.0, down_pdv_p999_ms=80.0), ENDS)
    assert float(found.down.late_ratio) == pytest.approx(0.01)
    assert float(found.up.late_ratio) == 0
    assert found.down.mos < found.up.mos
    deeper = Endpoints(ENDS.codec, 80, 20)
    assert (
        float(audio_quality(windows(down_pdv_p99_ms=60.0, down_pdv_p999_ms=80.0), deeper).down.late_ratio)
        == 0
    )


def test_late_share_follows_the_percentiles() -> None:
    """Exact at each percentile, falling between them, against the true share of an exponential law."""
    scale = np.array([10.0, 20.0, 60.0])
    p50, p99, p999 = (scale * np.log(1 / q) for q in (0.5, 0.01, 0.001))
    np.testing.assert_allclose(late_share(60, [p50, p99, p999]), np.exp(-60 / scale) * [0.0, 1, 1], atol=3e-3)
    wait = late_share(25.0, [np.array([25.0, 10.0, 5.0, NAN])] + 2 * [np.array([25.0, 25.0, 10.0, NAN])])
    np.testing.assert_allclose(wait, [0, 0, 0, NAN])
    assert float(late_share(10, [np.array(1.0), np.array(10.0), np.array(NAN)])) == 0
    assert float(late_share(0, [np.array(1.0), np.array(2.0), np.array(3.0)])) == 1


def test_without_delay_variation_nothing_is_taken_for_late() -> None:
    """An old report without PDV is rated on loss and delay; that the late share is unknown stays visible."""
    found = audio_quality(windows(**{f"up_pdv_{p}_ms": NAN for p in ("p50", "p99", "p999")}), ENDS)
    assert np.isnan(found.up.late_ratio)
    assert float(found.up.mos) == pytest.approx(float(audio_quality(windows(), ENDS).up.mos))


def test_worse_than_the_model_reaches_is_an_upper_bound() -> None:
    """Total loss, 40 % loss and a second of delay are rated at the ranges' ends and say so; nothing is extrapolated."""
    dead = audio_quality(windows(lost_unattributed=150, down_sent=0, rtt_p50_ms=NAN), ENDS)
    lossy = audio_quality(windows(up_lost=60, up_longest_loss_run=1), ENDS)
    edge = audio_quality(windows(up_lost=30, up_longest_loss_run=1), ENDS)
    assert dead.up.at_most
    assert dead.down.at_most
    assert lossy.up.at_most
    assert not edge.up.at_most
    assert float(lossy.up.mos) == pytest.approx(float(edge.up.mos))
    assert 1 < float(dead.worse) < 2
    slow = audio_quality(windows(rtt_p50_ms=[1000.0, 840.0], shape=(2,)), ENDS)
    assert slow.up.at_most.tolist() == [True, False]
    assert slow.up.mos[0] == pytest.approx(slow.up.mos[1])


def test_what_is_not_known_has_no_figure() -> None:
    """A window without data has none; an outage upwards leaves nothing to say of the way down."""
    absent = audio_quality(windows(**dict.fromkeys(COLUMNS, NAN)), ENDS)
    assert np.isnan(absent.worse)
    assert not absent.up.at_most
    cut = audio_quality(windows(up_lost=150, up_longest_loss_run=150, down_sent=0, rtt_p50_ms=NAN), ENDS)
    assert np.isnan(cut.down.mos)
    assert float(cut.worse) == float(cut.up.mos)
    half = audio_quality(windows(rtt_p50_ms=NAN, up_lost=1), ENDS)
    assert np.isnan(half.up.mos)


def test_a_run_of_losses_makes_it_worse_and_is_never_overstated() -> None:
    """Eight lost in a row sound worse than eight one by one; the least burst ratio is at most the true one."""
    runs = audio_quality(windows(up_lost=8.0, up_longest_loss_run=[1.0, 8.0], shape=(2,)), ENDS)
    assert runs.up.mos[1] < runs.up.mos[0]
    rng = np.random.default_rng(11)
    for share in (0.01, 0.05, 0.2):
        for _ in range(40):
            lost = np.repeat(rng.random(50) < share, rng.integers(1, 5, 50))
            if not lost.any():
                continue
            first, last = loss_runs(lost)
            bound = least_burst_ratio(
                np.array(float(lost.sum())), np.array(float((last - first + 1).max())), lost.mean()
            )
            assert float(bound) <= max(burst_ratio(lost), 1) + 1e-9


def test_a_run_longer_than_the_models_bursts_is_marked() -> None:
    """Losses in one run are rated as a burst ratio of 8 from there on, and the figure is an upper bound; single ones are not."""
    runs = [1.0, 6.0, 20.0, 10.0]
    found = audio_quality(
        windows(shape=(4,), up_lost=[20.0, 6.0, 20.0, 10.0], up_longest_loss_run=runs), ENDS
    )
    assert found.up.at_most.tolist() == [False, False, True, True]
    assert found.up.mos[2] < found.up.mos[0]


def test_a_grid_is_rated_as_its_windows_are() -> None:
    """(S, P, W) at once gives what each window gives alone."""
    rng = np.random.default_rng(5)
    shape = (3, 2, 4)
    grid = windows(shape, up_lost=rng.integers(0, 40, shape), rtt_p50_ms=rng.uniform(5, 900, shape))
    whole = audio_quality(grid, ENDS)
    for at in np.ndindex(shape):
        one = audio_quality({name: column[at] for name, column in grid.items()}, ENDS)
        assert whole.up.mos[at] == pytest.approx(float(one.up.mos), nan_ok=True)
        assert bool(whole.up.at_most[at]) is bool(one.up.at_most)


def test_a_rollup_is_rated_window_by_window() -> None:
    """One dead window of twenty is one bad window, not five per cent for five minutes; losses keep their direction."""
    slots = {name: np.array([column]) for name, column in windows().items() if name in SLOT_COLUMNS}
    lost = {name: np.zeros((1, 20)) for name in SLOT_WINDOW_VALUES}
    lost["sent"][...] = 150
    lost["lost"][0, 3] = 150
    lost["lost"][0, 7] = lost["up_lost"][0, 7] = 9
    lost["sent"][0, 9] = lost["lost"][0, 9] = lost["up_lost"][0, 9] = lost["down_lost"][0, 9] = NAN
    found = audio_quality(rollup_windows(slots, lost), ENDS)
    assert np.flatnonzero(found.up.mos[0] < 3.6).tolist() == [3, 7]
    assert np.flatnonzero(found.down.mos[0] < 3.6).tolist() == [3]
    assert np.flatnonzero(np.isnan(found.worse[0])).tolist() == [9]
    one = audio_quality(windows(up_lost=9.0, up_longest_loss_run=1.0, down_sent=141.0), ENDS)
    assert found.up.mos[0, 7] == pytest.approx(float(one.up.mos))
