"""Judging windows: what breaks, what holds, what is not proved."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta

from analytics.causes import Cause
from analytics.judge import WindowVerdict, judge
from analytics.proof import LEVEL, least_proof, proves_above, proves_within
from config.profiles import Limits

if TYPE_CHECKING:
    from conftest import Bench


@given(
    sent=st.integers(1, 6000),
    share=st.floats(0, 1),
    limit=st.sampled_from([0.001, 0.005, 0.01, 0.02, 0.1]),
)
def test_proofs_are_clopper_pearson(sent: int, share: float, limit: float) -> None:
    """The tables say what the Clopper-Pearson bounds say, computed another way (by the Beta quantile)."""
    lost = max(2, round(share * min(sent, 8 * limit * sent + 4)))
    if lost > sent:
        return
    lower = beta.ppf(1 - LEVEL, lost, sent - lost + 1)
    upper = beta.ppf(LEVEL, lost + 1, sent - lost) if lost < sent else 1.0
    counts = np.array([lost]), np.array([sent])
    if abs(lower - limit) > 1e-9:
        assert proves_above(*counts, limit)[0] == (lower > limit)
    if abs(upper - limit) > 1e-9:
        assert proves_within(*counts, limit)[0] == (upper <= limit)


@pytest.mark.parametrize(("sent", "least"), [(150, 5), (300, 7), (600, 11), (750, 13), (3000, 40)])
def test_how_many_lost_prove_one_per_cent(sent: int, least: int) -> None:
    """The counts that decision 050 states."""
    assert least_proof(sent, 0.01) == least


def test_nothing_sent_and_one_packet_prove_nothing(made: Bench) -> None:
    """A window without packets is absent; a single lost packet never breaks one, however few were sent."""
    values = made.values((3,))
    values["sent"][:] = (0, 1, 5)
    made.lose(values, "up", np.array([0, 1, 1]))
    verdict = judge(values, made.limits).verdict
    assert verdict[0] == WindowVerdict.ABSENT
    assert WindowVerdict.BREAKS not in verdict[1:]


@pytest.mark.parametrize(
    ("way", "cause"), [("up", Cause.LOSS_UP), ("down", Cause.LOSS_DOWN), ("any", Cause.LOSS)]
)
def test_loss_breaks_by_direction(made: Bench, way: str, cause: Cause) -> None:
    """Five of 150 break the window in their direction, or without one when it is not known; four do not."""
    values = made.values((2,))
    made.lose(values, way, np.array([5, 4]))
    judged = judge(values, made.limits)
    assert judged.causes.tolist() == [cause, 0]
    assert judged.verdict.tolist() == [WindowVerdict.BREAKS, WindowVerdict.UNDETERMINED]


def test_loss_that_can_be_attributed_is_never_told_without_direction(made: Bench) -> None:
    """Three up and three down are six in all, yet neither direction has proved anything."""
    values = made.values((1,))
    made.lose(values, "up", 3)
    made.lose(values, "down", 3)
    assert judge(values, made.limits).causes[0] == 0
    values["lost"][0] = 8  # two more, of unknown direction: one way may have lost five
    assert judge(values, made.limits).causes[0] == Cause.LOSS


def test_windows_before_help_to_prove(made: Bench) -> None:
    """Three of 150 in every window prove nothing alone, but from the third on together; a clean window after them holds nothing against it."""
    values = made.values((1, 1, 6))
    made.lose(values, "up", np.array([3, 3, 3, 3, 3, 0]))
    assert judge(values, made.limits).breaks.sum() == 0
    pooled = judge(values, made.limits, pool_windows=4)
    assert pooled.breaks[0, 0].tolist() == [False, False, True, True, True, False]


def test_holds_is_proved_too(made: Bench) -> None:
    """At 10 packets/s a clean window alone is undetermined for 1 %, two in a row hold; at 50 one is enough."""
    slow, fast = made.values((1, 2)), made.values((1, 2), pps=50)
    assert judge(slow, made.limits, pool_windows=4).verdict[0].tolist() == [
        WindowVerdict.UNDETERMINED,
        WindowVerdict.HOLDS,
    ]
    assert judge(fast, made.limits).verdict[0].tolist() == [WindowVerdict.HOLDS] * 2


def test_bursts_are_judged_from_fifty_a_second(made: Bench) -> None:
    """Two of ten within 200 ms break; one of two at 10 packets/s, or one of ten, do not."""
    values = made.values((3,), pps=50)
    values["up_worst_200ms_lost"][:] = (2, 1, 1)
    values["up_worst_200ms_sent"][2] = 2
    made.lose(values, "up", np.array([2, 1, 1]))
    assert judge(values, made.limits).causes.tolist() == [Cause.BURST_UP, 0, 0]


def test_delay_limits(made: Bench) -> None:
    """Jitter per direction and the round trip's p95 break when past the limit, not at it."""
    values = made.values((4,))
    values["up_jitter_ms"][1] = 30.5
    values["down_jitter_ms"][2] = 31.0
    values["rtt_p95_ms"][3] = 301.0
    values["rtt_p95_ms"][0] = 300.0
    assert judge(values, made.limits).causes.tolist() == [0, Cause.JITTER_UP, Cause.JITTER_DOWN, Cause.RTT]


def test_total_loss_is_an_outage_and_nothing_else(made: Bench) -> None:
    """When all is lost, the other causes say nothing."""
    values = made.values((1,))
    made.lose(values, "any", 150)
    values["up_jitter_ms"][0] = values["rtt_p95_ms"][0] = np.nan
    judged = judge(values, made.limits)
    assert judged.causes[0] == Cause.OUTAGE
    assert judged.breaks[0]


def test_absent_figures_are_not_judged(made: Bench) -> None:
    """A window without delay figures cannot hold, but does not break; an absent window is absent."""
    values = made.values((2,), pps=50)
    values["up_jitter_ms"][0] = np.nan
    for column in values.values():
        column[1] = np.nan
    assert judge(values, made.limits).verdict.tolist() == [WindowVerdict.UNDETERMINED, WindowVerdict.ABSENT]


def test_a_limit_that_is_absent_is_not_judged(made: Bench) -> None:
    """A profile without limits breaks nothing but by outage."""
    values = made.values((2,))
    made.lose(values, "up", np.array([100, 150]))
    assert judge(values, Limits()).causes.tolist() == [0, Cause.OUTAGE]


@given(seed=st.integers(0, 10_000))
def test_shape_does_not_matter(made: Bench, seed: int) -> None:
    """A grid, its rows, and roll-up values are judged alike window by window."""
    rng = np.random.default_rng(seed)
    values = made.values((3, 2, 20), pps=int(rng.choice([10, 50])))
    made.lose(values, "up", rng.integers(0, 20, (3, 2, 20)))
    values["rtt_p95_ms"][...] = rng.uniform(100, 500, (3, 2, 20))
    values["sent"][rng.random((3, 2, 20)) < 0.2] = np.nan
    grid = judge(values, made.limits)
    flat = judge({name: column.ravel() for name, column in values.items()}, made.limits)
    rows = judge({name: column.reshape(-1, 20) for name, column in values.items()}, made.limits)
    assert (grid.causes.ravel() == flat.causes).all()
    assert (rows.verdict.ravel() == flat.verdict).all()


@given(seed=st.integers(0, 10_000), more=st.integers(1, 50))
def test_more_loss_never_mends_a_window(made: Bench, seed: int, more: int) -> None:
    """A window that breaks still breaks when more is lost."""
    rng = np.random.default_rng(seed)
    values, worse = made.values((50,)), made.values((50,))
    lost = rng.integers(0, 10, 50)
    made.lose(values, "up", lost)
    made.lose(worse, "up", lost + more)
    assert (judge(worse, made.limits).breaks >= judge(values, made.limits).breaks).all()
