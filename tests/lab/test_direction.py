"""What a direction does to packets, by its laws; bounds are central 1 - 1e-6 intervals of those laws."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest

from lab.line.direction import COPY_GAP_NS, IP_UDP_BYTES, Direction, Fate
from lab.line.impairment import Impairment

if TYPE_CHECKING:
    from conftest import Helpers
    from numpy.typing import NDArray

    from lab.line.direction import Decision


MS = 1_000_000
GAP = 100 * MS
N = 40_000


def _delays(decisions: list[Decision], gap_ns: int = GAP) -> NDArray[np.int64]:
    return np.array(
        [one.deliver_ns - n * gap_ns for n, one in enumerate(decisions) if one.deliver_ns is not None]
    )


def test_clear_line_delivers_at_once(helpers: type[Helpers]) -> None:
    """A line in the clear state delivers every packet when it arrives."""
    decisions = helpers.fates(Direction("a"), 100, GAP)
    assert [one.deliver_ns for one in decisions] == [n * GAP for n in range(100)]
    assert {one.fate for one in decisions} == {Fate.DELIVERED}


def test_same_seed_same_fates(helpers: type[Helpers]) -> None:
    """Two directions of one seed decide alike; another seed decides otherwise."""
    state = Impairment(loss_ratio=0.2, jitter_ms=5, duplicate_ratio=0.1, reorder_ratio=0.1)
    first, second, other = (helpers.fates(Direction(seed, state), 500, GAP) for seed in ("a", "a", "b"))
    assert first == second
    assert first != other


def test_loss_does_not_disturb_jitter(helpers: type[Helpers]) -> None:
    """Putting duplicates on a line leaves the delays of its first copies as they were: each cause has its own lot."""
    plain = helpers.fates(Direction("a", Impairment(jitter_ms=5)), 500, GAP)
    doubled = helpers.fates(Direction("a", Impairment(jitter_ms=5, duplicate_ratio=0.5)), 500, GAP)
    assert [one.deliver_ns for one in plain] == [one.deliver_ns for one in doubled]


def test_delay_is_exact(helpers: type[Helpers]) -> None:
    """A fixed delay holds every packet for exactly so long."""
    assert set(_delays(helpers.fates(Direction("a", Impairment(delay_ms=12.5)), 100, GAP))) == {12_500_000}


@pytest.mark.parametrize("ratio", [0.0005, 0.01, 0.05, 0.5])
def test_independent_loss_ratio(helpers: type[Helpers], ratio: float) -> None:
    """Independent losses number as a binomial law says."""
    decisions = helpers.fates(Direction("a", Impairment(loss_ratio=ratio)), N, GAP)
    assert helpers.within_binomial(helpers.lost(decisions), N, ratio)


def test_independent_losses_have_no_memory(helpers: type[Helpers]) -> None:
    """After a lost packet the next is lost no more often than any other."""
    decisions = helpers.fates(Direction("a", Impairment(loss_ratio=0.1)), N, GAP)
    gone = np.array([one.fate is Fate.LOST for one in decisions])
    after = gone[1:][gone[:-1]]
    assert helpers.within_binomial(int(after.sum()), len(after), 0.1)


def test_total_and_no_loss(helpers: type[Helpers]) -> None:
    """A ratio of 1 loses everything, a ratio of 0 nothing."""
    assert helpers.lost(helpers.fates(Direction("a", Impairment(loss_ratio=1.0)), 500, GAP)) == 500
    assert (
        helpers.lost(helpers.fates(Direction("a", Impairment(loss_ratio=1.0, loss_burst_ms=50)), 500, GAP))
        == 500
    )
    assert (
        helpers.lost(helpers.fates(Direction("a", Impairment(loss_ratio=0.0, loss_burst_ms=50)), 500, GAP))
        == 0
    )


@pytest.mark.parametrize("gap_ms", [5, 20, 100])
def test_gilbert_transitions(helpers: type[Helpers], gap_ms: int) -> None:
    """Bursts follow the two-state Markov chain of their mean length, whatever the packet rate."""
    ratio, burst_ms = 0.1, 60.0
    decisions = helpers.fates(
        Direction("a", Impairment(loss_ratio=ratio, loss_burst_ms=burst_ms)), N, gap_ms * MS
    )
    gone = np.array([one.fate is Fate.LOST for one in decisions])
    memory = math.exp(-gap_ms / (burst_ms * (1 - ratio)))
    stay_bad, turn_bad = ratio + (1 - ratio) * memory, ratio - ratio * memory
    after_loss, after_arrival = gone[1:][gone[:-1]], gone[1:][~gone[:-1]]
    assert helpers.within_binomial(int(after_loss.sum()), len(after_loss), stay_bad)
    assert helpers.within_binomial(int(after_arrival.sum()), len(after_arrival), turn_bad)


@pytest.mark.parametrize("gap_ms", [5, 20, 100])
def test_gilbert_keeps_its_ratio_at_any_rate(helpers: type[Helpers], gap_ms: int) -> None:
    """The long-run loss of a bursty line is its ratio at every packet rate."""
    ratio, burst_ms = 0.1, 60.0
    state = Impairment(loss_ratio=ratio, loss_burst_ms=burst_ms)
    got = helpers.lost(helpers.fates(Direction("a", state), N, gap_ms * MS)) / N
    memory = math.exp(-gap_ms / (burst_ms * (1 - ratio)))
    # Variance of the mean of a two-state chain: p(1-p)/n (1+m)/(1-m); 4.9 sigma are 1e-6.
    sigma = math.sqrt(ratio * (1 - ratio) / N * (1 + memory) / (1 - memory))
    assert abs(got - ratio) < 4.9 * sigma


def test_gilbert_density(helpers: type[Helpers]) -> None:
    """In a burst only the stated share is lost, and the long-run ratio still holds."""
    state = Impairment(loss_ratio=0.05, loss_burst_ms=400, loss_density=0.5)
    decisions = helpers.fates(Direction("a", state), N, 20 * MS)
    gone = np.array([one.fate is Fate.LOST for one in decisions])
    after = gone[1:][gone[:-1]]
    share = 0.1
    stay = share + (1 - share) * math.exp(-20 / (400 * (1 - share)))
    assert helpers.within_binomial(int(after.sum()), len(after), stay * 0.5)


def test_jitter_is_exponential(helpers: type[Helpers]) -> None:
    """Delays above the least are exponential with the stated mean: mean, deviation and quantiles."""
    delays = _delays(helpers.fates(Direction("a", Impairment(delay_ms=10, jitter_ms=2)), N, GAP)) / MS - 10
    assert delays.min() >= 0
    assert abs(delays.mean() - 2) < 4.9 * 2 / math.sqrt(N)
    for p in (0.5, 0.9, 0.99):
        below = int((delays <= -2 * math.log(1 - p)).sum())
        assert helpers.within_binomial(below, N, p)


def test_jitter_is_the_jitter_of_rfc_3550(helpers: type[Helpers]) -> None:
    """The mean difference of consecutive delays, to which RFC 3550 J tends, is the stated jitter."""
    delays = _delays(helpers.fates(Direction("a", Impairment(jitter_ms=3)), N, GAP)) / MS
    # |difference| of two exponential delays is exponential itself; neighbours are correlated, hence the factor 2.
    assert abs(np.abs(np.diff(delays)).mean() - 3) < 4.9 * 3 * math.sqrt(2 / N)


def test_order_is_kept_under_heavy_jitter(helpers: type[Helpers]) -> None:
    """Jitter far above the spacing of packets never reorders them."""
    decisions = helpers.fates(Direction("a", Impairment(jitter_ms=50)), 5000, 5 * MS)
    assert (np.diff([one.deliver_ns for one in decisions]) >= 0).all()


@pytest.mark.parametrize("gap_ms", [5, 20, 100])
def test_reordered_share(helpers: type[Helpers], gap_ms: int) -> None:
    """The stated share of packets is overtaken by the next one, at every packet rate."""
    decisions = helpers.fates(Direction("a", Impairment(delay_ms=5, reorder_ratio=0.03)), N, gap_ms * MS)
    times = np.array([one.deliver_ns for one in decisions])
    overtaken = int((times[:-1] > times[1:]).sum())
    assert helpers.within_binomial(overtaken, N - 1, 0.03 * 0.97)  # the next one must not be held back itself


def test_duplicated_share(helpers: type[Helpers]) -> None:
    """The stated share of packets is copied once, each copy a stated time after the first."""
    decisions = helpers.fates(Direction("a", Impairment(delay_ms=5, duplicate_ratio=0.2)), N, GAP)
    copies = [one for one in decisions if one.copy_ns is not None]
    assert helpers.within_binomial(len(copies), N, 0.2)
    assert {one.copy_ns - one.deliver_ns for one in copies} == {COPY_GAP_NS}


def test_outage_loses_everything(helpers: type[Helpers]) -> None:
    """An outage loses every packet, and the line is itself again at once when it ends."""
    core = Direction("a", Impairment(outage=True))
    assert {one.fate for one in helpers.fates(core, 10, GAP)} == {Fate.OUTAGE}
    core.state = Impairment(delay_ms=1)
    assert core.decide(11 * GAP, 44).deliver_ns == 11 * GAP + MS


def test_bottleneck_below_its_rate_adds_only_the_packet(helpers: type[Helpers]) -> None:
    """Packets slower than the bottleneck are delayed by their own length on the line, headers included."""
    core = Direction("a", Impairment(rate_bps=1_000_000))
    on_line_ns = (972 + IP_UDP_BYTES) * 8 * 1000  # 1,000 bytes at 1 Mbit/s: 8 ms
    assert set(_delays(helpers.fates(core, 100, 10 * MS, size=972), 10 * MS)) == {on_line_ns}


def test_bottleneck_queue_grows_by_the_excess(helpers: type[Helpers]) -> None:
    """At twice the rate each packet waits one packet length longer than the one before."""
    core = Direction("a", Impairment(rate_bps=1_000_000, queue_ms=10_000))
    delays = _delays(helpers.fates(core, 50, 4 * MS, size=972), 4 * MS)
    assert delays.tolist() == [8 * MS + n * 4 * MS for n in range(50)]


def test_bottleneck_tail_drop(helpers: type[Helpers]) -> None:
    """A full queue drops what comes: at twice the rate half is lost, and no packet waits longer than queue and itself."""
    core = Direction("a", Impairment(rate_bps=1_000_000, queue_ms=100))
    decisions = helpers.fates(core, 2000, 4 * MS, size=972)
    full = sum(one.fate is Fate.QUEUE_FULL for one in decisions)
    queued = 100 // 8 + 1
    assert abs(full - (1000 - queued)) <= 1
    waits = [one.deliver_ns - n * 4 * MS for n, one in enumerate(decisions) if one.deliver_ns is not None]
    assert max(waits) <= (100 + 8) * MS
    assert max(waits) > 100 * MS


def test_bottleneck_drains(helpers: type[Helpers]) -> None:
    """A queue that has had time to drain delays nothing."""
    core = Direction("a", Impairment(rate_bps=1_000_000, queue_ms=1000))
    helpers.fates(core, 100, 1 * MS, size=972)
    assert core.decide(10_000 * MS, 972).deliver_ns == 10_008 * MS


def test_live_change_takes_effect_with_the_next_packet() -> None:
    """A changed state holds from the next packet on."""
    core = Direction("a", Impairment(delay_ms=50))
    assert core.decide(0, 44).deliver_ns == 50 * MS
    core.state = Impairment(delay_ms=60)
    assert core.decide(GAP, 44).deliver_ns == GAP + 60 * MS


def test_shortened_delay_keeps_order() -> None:
    """When the delay shrinks, packets on the way are not overtaken."""
    core = Direction("a", Impairment(delay_ms=500))
    core.decide(0, 44)
    core.state = Impairment(delay_ms=1)
    assert core.decide(GAP, 44).deliver_ns == 500 * MS
