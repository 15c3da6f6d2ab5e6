"""The quality models: what binds them together, and what they do at and beyond the ends of their ranges."""

from __future__ import annotations

from dataclasses import fields
from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.quality import mos, teams
from analytics.quality.assumed import endpoints_of
from analytics.quality.change_scores import change_weights, window_score
from analytics.quality.circuit import Circuit
from analytics.quality.codecs import CODECS, codec
from analytics.quality.cusum import cusum_upper
from analytics.quality.daily_swing import SwingClass, daily_swing
from analytics.quality.impairments import LOW, VERY_LOW, Sensitivity, delay_impairment
from analytics.quality.multimedia import multimedia_quality
from analytics.quality.narrowband import EchoMode, narrowband
from analytics.quality.network_classes import classes_met
from analytics.quality.ranges import QualityRangeError
from analytics.quality.rating import Scale
from analytics.quality.video import COEFFICIENTS, video_quality
from analytics.quality.wider_bands import fullband, wideband
from config.settings import CodecName, Quality

NAN = float("nan")


def test_a_whole_fleet_is_rated_as_each_line_alone() -> None:
    """Arrays (S, P, W) give, figure by figure, what scalars give."""
    rng = np.random.default_rng(3)
    delay, loss, bursts = rng.uniform(0, 500, (3, 2, 5)), rng.uniform(0, 20, (3, 2, 5)), 1 + rng.random(5)
    for rate in (
        lambda d, p, b: narrowband(d, p, bpl=25.1, burst_ratio=b, echo=EchoMode.FULL),
        lambda d, p, b: wideband(d, p, ie=10, bpl=4.9, burst_ratio=b),
        lambda d, p, b: fullband(d, p, ie=10.2, bpl=9.6, burst_ratio=b),
    ):
        whole = rate(delay, loss, bursts)
        assert whole.r.shape == delay.shape
        for at in np.ndindex(delay.shape):
            one = rate(delay[at], loss[at], bursts[at[-1]])
            assert whole.r[at] == pytest.approx(float(one.r), abs=1e-12)
            assert whole.mos[at] == pytest.approx(float(one.mos), abs=1e-12)
        assert not whole.outside.any()


@given(st.floats(0, 500), st.floats(0, 20), st.floats(0.1, 100), st.floats(0.01, 5))
def test_more_delay_and_more_loss_never_make_it_better(delay: float, loss: float, d: float, p: float) -> None:
    """R falls, or stays, with either, in every band."""
    for one in CODECS.values():
        if np.isfinite(one.bpl):
            r = one.rate([delay, delay + d, delay], [loss, loss, loss + p]).r
            assert r[1] <= r[0] + 1e-9
            assert r[2] <= r[0] + 1e-9


@pytest.mark.parametrize(
    ("delay", "loss", "bursts", "number"),
    [
        (150, 1, 1, True),
        (500, 20, 8, True),
        (501, 1, 1, True),
        (100, 100, 1, True),
        (100, 1, 0.9, True),
        (-1, 1, 1, False),
        (100, -0.1, 1, False),
        (100, 100.1, 1, False),
        (100, 1, 0, False),
        (NAN, 1, 1, False),
        (100, NAN, 1, False),
        (np.inf, 1, 1, False),
        (100, np.inf, 1, False),
    ],
)
def test_what_lies_outside_is_marked_and_nonsense_has_no_value(
    delay: float, loss: float, bursts: float, number: bool
) -> None:
    """Inside: a number, no mark. Beyond the range: a number and a mark. No possible value: none, and a mark."""
    inside = 0 <= delay <= 500 and 0 <= loss <= 20 and 1 <= bursts <= 8
    for found in (
        narrowband(delay, loss, burst_ratio=bursts),
        narrowband(delay, loss, burst_ratio=bursts, echo=EchoMode.FULL),
        wideband(delay, loss, ie=10, bpl=4.9, burst_ratio=bursts),
        fullband(delay, loss, ie=10.2, bpl=9.6, burst_ratio=bursts),
    ):
        assert bool(found.outside) is not inside
        assert np.isfinite(found.r) == number
        assert np.isfinite(found.mos) == number


@pytest.mark.parametrize(
    ("delay", "loss", "whole"), [((3,), (2, 1), (2, 3)), ((), (4,), (4,)), ((2, 0), (1,), (2, 0))]
)
def test_every_part_of_a_rating_has_the_shape_of_all_its_inputs(
    delay: tuple[int, ...], loss: tuple[int, ...], whole: tuple[int, ...]
) -> None:
    """Also what delay alone, or loss alone, took away: they are laid beside R, window by window."""
    for one in CODECS.values():
        found = one.rate(np.zeros(delay), np.zeros(loss))
        parts = [getattr(found, each.name) for each in fields(found) if each.name != "scale"]
        assert {each.shape for each in parts} == {whole}


def test_a_codec_without_bpl_is_rated_only_without_loss() -> None:
    """Where no Bpl is published a line without loss has a rating, one with loss has none."""
    found = codec("amr-wb-12.65k-monotic").rate([0, 0], [0, 1])
    assert found.r[0] == 116
    assert np.isnan(found.r[1])
    assert found.outside.tolist() == [False, True]


def test_opinion_never_falls_below_one() -> None:
    """The printed polynomial dips between R 0 and 6.5; what people see does not."""
    r = np.linspace(-20, 120, 1401)
    assert mos.mos_of_r(r).min() < 1
    assert mos.opinion(r).min() == 1
    assert mos.opinion(r).max() == 4.5
    assert np.isnan(mos.opinion(NAN))
    assert mos.opinion([-np.inf, np.inf]).tolist() == [1, 4.5]


def test_rating_and_opinion_are_inverse() -> None:
    """From R 6.6 to 100 there and back; outside 1 to 4.5 no R belongs to a MOS."""
    r = np.linspace(6.6, 100, 300)
    np.testing.assert_allclose(mos.r_of_mos(mos.mos_of_r(r)), r, atol=1e-6)
    assert np.isnan(mos.r_of_mos([0.9, 4.51, NAN])).all()


def test_less_sensitive_talk_suffers_later() -> None:
    """The three classes of sensitivity, and constants that are none."""
    usual, low, very_low = (float(delay_impairment(300, kind)) for kind in (Sensitivity(), LOW, VERY_LOW))
    assert usual > low > very_low > 0
    with pytest.raises(QualityRangeError, match=r"sT = 0 is outside 0\.01 to 1"):
        Sensitivity(s_t=0)


def test_a_constant_outside_its_range_is_refused_by_name() -> None:
    """The text names parameter, value and range."""
    with pytest.raises(QualityRangeError, match="telr_db = 80 is outside 5 to 65 dB"):
        Circuit(telr_db=80)
    with pytest.raises(QualityRangeError, match="bpl = 0 is outside 1 to 100"):
        codec("opus").with_constants(None, 0)
    for band in (narrowband, wideband, fullband):
        with pytest.raises(QualityRangeError, match="ie = -50 is outside 0 to 95"):
            band(50.0, 0.0, ie=-50.0, bpl=9.0)
        with pytest.raises(QualityRangeError, match="bpl = -3 is outside 1 to 100"):
            band([50.0, 60.0], 5.0, ie=8.0, bpl=[9.0, -3.0])
        with pytest.raises(QualityRangeError, match="ie = inf is outside 0 to 95"):
            band(50.0, 5.0, ie=float("inf"), bpl=9.0)
    assert narrowband(
        50.0, 0.0, ie=60.0, bpl=9.0
    ).outside  # more than table 2 has, no more than a codec may have
    with pytest.raises(KeyError, match="no codec 'speex'; there are g711"):
        codec("speex")


def test_settings_offer_every_codec_that_can_rate_loss() -> None:
    """The names that an operator may write are those of the table; the default figures are the codec's own."""
    assert set(get_args(CodecName)) == {name for name, one in CODECS.items() if np.isfinite(one.bpl)}
    chosen = endpoints_of(Quality()).codec
    assert (chosen.ie, chosen.bpl) == (Quality().ie, Quality().bpl)
    assert chosen.proxy
    assert chosen.scale is Scale.FULLBAND
    own = endpoints_of(Quality(codec="g711", own_constants=True, ie=3, bpl=20)).codec
    assert (own.ie, own.bpl, own.scale) == (3, 20, Scale.NARROWBAND)


def test_video_is_marked_beyond_its_coefficients() -> None:
    """2 Mbit/s, 30 frames and 3 % are the ends; a frame rate of 0 has no quality."""
    vga = COEFFICIENTS["h264_vga_9.2in#5"]
    found = video_quality([800, 4000, 800, 800, 800], [15, 15, 60, 15, 0], [1, 1, 1, 5, 1], vga)
    assert found.outside.tolist() == [False, True, True, True, True]
    assert np.isfinite(found.vq).tolist() == [True, True, True, True, False]
    assert found.vq[3] < found.vq[0]
    slides = video_quality(2000, [0.02, 0.1, 0.2, 0.5], [[3.0], [100.0]], vga)
    assert slides.outside.all()
    np.testing.assert_array_equal(np.isfinite(slides.vq), [[False, False, False, True]] * 2)
    for one in COEFFICIENTS.values():
        vq = video_quality([[0], [900], [5e4]], np.geomspace(0.01, 240, 99), [[[0]], [[3]], [[100]]], one).vq
        assert ((vq >= 1) & (vq <= 5) | np.isnan(vq)).all()


def test_lips_and_voice_apart_take_away_whichever_comes_first() -> None:
    """Sound behind the picture, and ahead of it, both cost; equal delays cost nothing."""
    found = multimedia_quality(4, 4, [300, 100, 100], [100, 300, 100], "4.2in")
    assert found.media_sync[0] < 0
    assert found.media_sync[1] < 0
    assert found.media_sync[2] == 0
    assert not found.outside.any()
    assert multimedia_quality([0.5, 4], [4, 4], 0, [0, 2000], "2.1in").outside.tolist() == [True, True]


def test_an_absent_figure_meets_only_what_is_unspecified() -> None:
    """Without IPDV the classes that ask for it are not met, the others are."""
    met = classes_met([80, 80], [NAN, 40], [1e-4, NAN])
    assert met.tolist() == [
        [False, False, True, True, True, True, False, False],
        [False, False, False, False, False, True, False, False],
    ]


def test_streams_are_judged_by_what_is_there() -> None:
    """At the target a network fails, at the limit a stream is still good, without any figure it is unclassified."""
    missed = teams.violations({"latency_rtt": [99.9, 100], "jitter": [NAN, 30], "loss": [0.01, 0.0]})
    assert {name: mask.tolist() for name, mask in missed.items()} == {
        "latency_rtt": [False, True],
        "loss": [True, False],
        "jitter": [False, True],
    }
    found = teams.audio_class({"rtt_ms": [500, 501, NAN, NAN], "loss_ratio": [0.1, 0, 0.11, NAN]})
    assert [teams.StreamClass(one).name for one in found] == ["GOOD", "POOR", "POOR", "UNCLASSIFIED"]
    video = teams.video_class([0.6, NAN, NAN, NAN, 0.1], [30, 6, NAN, NAN, 1], [0, 0, 0.2, NAN, 1])
    assert [teams.StreamClass(one).name for one in video] == ["POOR", "POOR", "POOR", "UNCLASSIFIED", "GOOD"]


def test_cusum_runs_over_many_lines_and_leaves_gaps_out() -> None:
    """Each line as if alone; a gap moves nothing."""
    x = np.array([[20, 26, 26, 26, 20, 20], [20, 26, NAN, 26, 26, 20], [20, 20, 20, 20, 20, 20.0]])
    found = cusum_upper(x, mu=20, k=[2, 2, 2], h=[10, 10, 10])
    assert found.level.tolist() == [[0, 4, 8, 12, 0, 0], [0, 4, 4, 8, 12, 0], [0] * 6]
    assert [np.flatnonzero(row).tolist() for row in found.alarm] == [[3], [4], []]


def test_daily_swing_tells_a_day_from_noise_and_from_nothing() -> None:
    """A daily wave is graded, with a few gaps too; noise, a short series and one full of gaps are unknown."""
    t = np.arange(14 * 48) / 2
    wave = 2 * np.sin(2 * np.pi * t / 24)
    gappy, ragged = wave.copy(), wave.copy()
    gappy[100:130] = NAN
    ragged[:300] = NAN
    noise = np.random.default_rng(1).standard_normal(len(t))
    found = daily_swing(np.stack([wave, gappy, ragged, noise]))
    assert [SwingClass(one).name for one in found.grade] == ["SEVERE", "SEVERE", "UNKNOWN", "UNKNOWN"]
    assert np.isnan(found.swing_ms).tolist() == [False, False, True, False]
    assert np.isnan(daily_swing(wave[:143]).swing_ms)


def test_changes_are_paired_as_often_as_can_be_before_as_near_as_can_be() -> None:
    """Two pairs at a distance are better than one that is near; nothing found and nothing to find are told apart."""
    found = window_score([10, 13], [12, 15], 3)
    assert (found.matched, found.distance) == (2, 2.0)
    nothing = window_score([5], [], 3)
    assert (nothing.missed, nothing.recall) == (1, 0.0)
    assert np.isnan(nothing.precision)
    assert np.isnan(window_score([], [3], 3).recall)
    with pytest.raises(ValueError, match="do not rise between 0 and 4"):
        change_weights([1, 2, 3, 4], [3, 2])
