"""What counts as broken in a past of samples: a window of which nothing came back, though live it would prove nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from analytics.broken import broken_windows
from analytics.rhythm import MOST_SPARSE
from analytics.samples import broken_in_past
from config.profiles import Limits
from telemetry.store.columns import WINDOW_VALUE_COLUMNS

if TYPE_CHECKING:
    from numpy.typing import NDArray

VIDEO = Limits(loss_ratio=0.02, jitter_ms=30.0, rtt_ms=300.0)
ROUND_TRIP = Limits(rtt_ms=150.0)
JITTER = Limits(jitter_ms=30.0)
LIMITS = [VIDEO, ROUND_TRIP, JITTER]


def rollup(sent: dict[int, int], lost: dict[int, int]) -> dict[str, NDArray[np.float32]]:
    """One slot, of which these windows were measured; what came back took 40 ms."""
    values = {name: np.full((1, 20), np.nan, dtype=np.float32) for name in WINDOW_VALUE_COLUMNS}
    for at, count in sent.items():
        gone = lost.get(at, 0)
        values["sent"][0, at], values["lost"][0, at] = count, gone
        if gone < count:
            values["rtt_p95_ms"][0, at] = 40.0
    return values


def counted(values: dict[str, NDArray[np.float32]], limits: list[Limits] = LIMITS) -> list[list[int]]:
    return broken_in_past(values, (values["sent"] > 0).sum(axis=-1), limits).tolist()


def every_minute(lost: int, packets: int = 1) -> dict[str, NDArray[np.float32]]:
    """Five samples; of the first ones all packets are lost."""
    return rollup(dict.fromkeys(range(0, 20, 4), packets), dict.fromkeys(range(0, 4 * lost, 4), packets))


@pytest.mark.parametrize("lost", [0, 1, 3, 5])
@pytest.mark.parametrize("packets", [1, 2, 9])
def test_a_sample_of_which_nothing_came_back_is_a_bad_one_under_any_limits(lost: int, packets: int) -> None:
    """Also where neither loss nor the round trip is limited, as an outage is one under any limits."""
    assert counted(every_minute(lost, packets)) == [[lost]] * 3


def test_the_judge_of_windows_still_takes_one_lost_packet_for_no_proof() -> None:
    """What is live goes by this: it stays undetermined there."""
    assert broken_windows(every_minute(5), LIMITS).tolist() == [[0]] * 3


def test_a_thin_window_of_which_some_came_back_stays_as_the_proof_leaves_it() -> None:
    """One of four lost proves nothing, two of four prove 2 % of loss; by the round trip what came back was good."""
    values = rollup({0: 4, 4: 4, 8: 4}, {0: 1, 4: 2})
    assert counted(values) == broken_windows(values, LIMITS).tolist() == [[1], [0], [0]]


def test_what_is_slow_and_what_is_lost_count_once_each() -> None:
    """Of five samples one is slow, two are lost."""
    values = every_minute(2)
    values["rtt_p95_ms"][0, 8] = 400.0
    assert counted(values) == [[3], [3], [2]]


def test_the_thin_window_at_the_edge_of_our_own_probes_time_is_not_a_sample() -> None:
    """A probe that stops early in a slot: eleven full windows, or one, and the few packets of its last tenths of a second are lost."""
    for full in (1, 10, 19):
        values = rollup({**dict.fromkeys(range(full), 150), full: 3}, {full: 3})
        assert counted(values, [JITTER, ROUND_TRIP]) == broken_windows(values, [JITTER, ROUND_TRIP]).tolist()
        assert counted(values, [JITTER, ROUND_TRIP]) == [[0], [0]]


def test_single_packets_every_15_s_are_judged_as_a_grid_but_by_the_round_trip_alone_no_reply_is_slow() -> (
    None
):
    """Where loss is limited its neighbours tell: one lost of twenty proves nothing, two within a minute do. The round trip has none."""
    alone = rollup(dict.fromkeys(range(20), 1), {7: 1})
    assert counted(alone) == [[0], [1], [0]]
    two = rollup(dict.fromkeys(range(20), 1), {7: 1, 9: 1})
    assert counted(two) == [*broken_windows(two, [VIDEO]).tolist(), [2], [0]]
    assert counted(two)[0] == [1]


def test_rows_keep_their_places() -> None:
    """Of a table of dense and sampled roll-ups, under several limits."""
    dense = rollup(dict.fromkeys(range(20), 150), {3: 150, 4: 150})
    rows = [dense, every_minute(0), every_minute(3), dense, every_minute(5)]
    table = {name: np.concatenate([each[name] for each in rows]) for name in WINDOW_VALUE_COLUMNS}
    assert counted(table, [VIDEO, JITTER]) == [[2, 0, 3, 2, 5]] * 2
    assert counted({name: column[:0] for name, column in table.items()}, [VIDEO]) == [[]]


def test_nothing_changes_for_what_our_own_probes_measured() -> None:
    """Roll-ups of 150 packets a window, with gaps, thin edges and losses of every size, under every kind of limits."""
    rng, rows = np.random.default_rng(3), 4000
    values = {name: np.full((rows, 20), np.nan, dtype=np.float32) for name in WINDOW_VALUE_COLUMNS}
    sent = np.where(rng.random((rows, 20)) < 0.1, rng.integers(1, 10, (rows, 20)), 150)
    sent[:, 0] = 150
    there = rng.random((rows, 20)) < rng.random((rows, 1))
    there[:, 0] = True
    lost = np.where(rng.random((rows, 20)) < 0.2, sent, rng.binomial(sent, 0.02))
    for name, counts in (("sent", sent), ("lost", lost)):
        values[name][there] = counts[there]
    values["rtt_p95_ms"][there & (lost < sent)] = 100.0
    measured = there.sum(axis=-1)
    assert (measured <= MOST_SPARSE).any()
    limits = [*LIMITS, Limits(loss_ratio=0.2)]
    np.testing.assert_array_equal(broken_in_past(values, measured, limits), broken_windows(values, limits))
