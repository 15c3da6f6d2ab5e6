from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from probes.stamp.stamp_tlv import Mode

MS = 1_000_000
HYPOTHESIS = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def exactly(measured: Any, w: int) -> None:
    stream = measured.streams[w]
    assert stream.lost == measured.up_lost[w] + measured.down_lost[w]
    assert (stream.up.lost, stream.down.lost) == (measured.up_lost[w], measured.down_lost[w])
    assert stream.lost_unattributed == 0


def never_wrong(measured: Any) -> None:
    """But for packets that moved unseen, which nobody can place."""
    for w, stream in enumerate(measured.streams):
        assert stream.lost == measured.up_lost[w] + measured.down_lost[w]
        assert stream.up.lost <= measured.up_lost[w] + measured.moved_unseen
        assert stream.down.lost <= measured.down_lost[w] + measured.moved_unseen


@given(
    st.sets(st.integers(0, 449), max_size=150),
    st.sets(st.integers(0, 449), max_size=150),
)
@HYPOTHESIS
def test_total_exact_and_attribution_never_wrong_on_an_ordered_path(
    simulate: Any, path_type: Any, fate_type: Any, up: set[int], down: set[int]
) -> None:
    """Any losses on a path that keeps order: total exact, and no loss is attributed to the wrong direction."""
    never_wrong(
        simulate(
            path_type(
                pps=10,
                windows=3,
                up=lambda i: fate_type(() if i in up else (10 * MS,)),
                down=lambda i, _: fate_type(() if i in down else (10 * MS,)),
            )
        )
    )


@given(
    st.sets(st.integers(1, 148), max_size=100),
    st.sets(st.integers(1, 148), max_size=100),
)
@HYPOTHESIS
def test_direction_exact_between_two_replies(
    simulate: Any, path_type: Any, fate_type: Any, up: set[int], down: set[int]
) -> None:
    """Losses between two replies of one window, without copies, are attributed exactly, however mixed."""
    measured = simulate(
        path_type(
            pps=10,
            windows=2,
            up=lambda i: fate_type(() if i in up else (10 * MS,)),
            down=lambda i, _: fate_type(() if i in down else (10 * MS,)),
        )
    )
    exactly(measured, 0)
    exactly(measured, 1)


@given(st.integers(0, 10_000), st.floats(0.0, 0.4), st.floats(0.0, 0.4), st.integers(0, 250))
@HYPOTHESIS
def test_never_wrong_when_packets_overtake_each_other(  # noqa: PLR0917 - hypothesis passes by position
    simulate: Any, path_type: Any, fate_type: Any, seed: int, up_p: float, down_p: float, spread: int
) -> None:
    """Random loss and reordering both ways: total exact, no loss attributed wrongly that could be known better."""
    rng = random.Random(seed)
    fates_up = [() if rng.random() < up_p else (rng.randint(1, 1 + spread) * MS,) for _ in range(600)]
    fates_down = [() if rng.random() < down_p else (rng.randint(1, 1 + spread) * MS,) for _ in range(600)]
    measured = simulate(
        path_type(
            pps=10,
            windows=4,
            up=lambda i: fate_type(fates_up[i]),
            down=lambda i, _: fate_type(fates_down[i]),
        )
    )
    never_wrong(measured)


@given(st.integers(0, 10_000), st.floats(0.0, 0.3))
@HYPOTHESIS
def test_visible_copies_stop_guessing(
    simulate: Any, path_type: Any, fate_type: Any, seed: int, p: float
) -> None:
    """With copies made on the way up, all of whose replies come, no loss is attributed to the wrong direction."""
    rng = random.Random(seed)
    up = [
        () if rng.random() < p else ((10 * MS, 11 * MS) if rng.random() < 0.2 else (10 * MS,))
        for _ in range(450)
    ]
    down = [() if len(up[i]) == 1 and rng.random() < p else (10 * MS,) for i in range(450)]
    measured = simulate(
        path_type(pps=10, windows=3, up=lambda i: fate_type(up[i]), down=lambda i, _: fate_type(down[i]))
    )
    never_wrong(measured)


def test_mixed_gap_across_the_edge_of_a_window_is_not_guessed(
    simulate: Any, path_type: Any, fate_type: Any
) -> None:
    """Four lost around a window's edge, two each way, are left unattributed in both windows."""
    up, down = {148, 150}, {149, 151}
    measured = simulate(
        path_type(
            pps=10,
            windows=2,
            up=lambda i: fate_type(() if i in up else (10 * MS,)),
            down=lambda i, _: fate_type(() if i in down else (10 * MS,)),
        )
    )
    assert [s.lost for s in measured.streams] == [2, 2]
    assert [s.lost_unattributed for s in measured.streams] == [2, 2]


def test_pure_gap_across_the_edge_is_attributed_in_both_windows(
    simulate: Any, path_type: Any, fate_type: Any
) -> None:
    """An outage of one direction that lasts over the window's edge is that direction's in both windows."""
    for which in ("up", "down"):
        gone = range(140, 160)
        measured = simulate(
            path_type(
                pps=10,
                windows=2,
                up=lambda i, w=which, g=gone: fate_type(() if w == "up" and i in g else (10 * MS,)),
                down=lambda i, _, w=which, g=gone: fate_type(() if w == "down" and i in g else (10 * MS,)),
            )
        )
        exactly(measured, 0)
        exactly(measured, 1)
        stream = measured.streams[0]
        assert getattr(stream, which).longest_loss_run == 10
        assert getattr(stream, which).worst_200ms_lost == 2


@pytest.mark.parametrize("tells", [True, False])
def test_stateless_reflector_gives_no_direction(
    simulate: Any, path_type: Any, fate_type: Any, tells: bool
) -> None:
    """A reflector that repeats the sender's numbers leaves every loss unattributed."""
    measured = simulate(
        path_type(
            pps=10, mode=Mode.STATELESS, tells=tells, up=lambda i: fate_type(() if i % 7 == 3 else (MS,))
        )
    )
    for stream in measured.streams:
        assert not stream.stateful
        assert stream.lost == stream.lost_unattributed > 0
        assert stream.up.received == stream.received


def test_foreign_stateful_reflector_is_recognised_by_its_numbers(
    simulate: Any, path_type: Any, fate_type: Any
) -> None:
    """A counter that differs from the sender's proves itself, and from then on losses have a direction."""
    measured = simulate(
        path_type(
            pps=10,
            windows=3,
            tells=False,
            up=lambda i: fate_type(() if i == 160 else (MS,)),
            down=lambda i, _: fate_type(() if i in {20, 170, 320} else (MS,)),
        )
    )
    assert [s.stateful for s in measured.streams] == [False, True, True]
    assert measured.streams[0].lost_unattributed == 1
    exactly(measured, 1)
    exactly(measured, 2)


@pytest.mark.parametrize("tells", [True, False])
def test_restart_of_the_reflector_is_noticed(
    simulate: Any, path_type: Any, fate_type: Any, tells: bool
) -> None:
    """Numbers that begin again count as a restart, with losses on both sides of it still attributed."""
    measured = simulate(
        path_type(
            pps=10,
            windows=2,
            tells=tells,
            restart_at=(75,),
            up=lambda i: fate_type(() if i in {10, 120} else (MS,)),
            down=lambda i, _: fate_type(() if i in {40, 130} else (MS,)),
        )
    )
    assert [s.reflector_restarts for s in measured.streams] == [1, 0]
    exactly(measured, 0)


def test_losses_across_a_restart_are_left_open(simulate: Any, path_type: Any, fate_type: Any) -> None:
    """What was lost while the reflector restarted has no known direction, but for numbers missing since."""
    measured = simulate(
        path_type(
            pps=10,
            restart_at=(80,),
            up=lambda i: fate_type(() if 70 <= i < 80 else (MS,)),
            down=lambda i, _: fate_type(() if i in {80, 81} else (MS,)),
        )
    )
    stream = measured.streams[0]
    assert (stream.up.lost, stream.down.lost, stream.lost_unattributed) == (0, 2, 10)


def test_sequence_numbers_wrap(simulate: Any, path_type: Any, fate_type: Any) -> None:
    """A session that passes 2^32 packets goes on as if nothing were."""
    first = 2**32 - 150 - 75
    measured = simulate(
        path_type(
            pps=10,
            windows=3,
            first_sequence=first,
            up=lambda i: fate_type(() if i in {224, 226} else (MS,)),
            down=lambda i, _: fate_type(() if i in {225, 300} else (MS,)),
        )
    )
    for w in range(3):
        exactly(measured, w)
    assert [s.up.reordered + s.down.reordered for s in measured.streams] == [0, 0, 0]


def test_losses_before_the_first_reply_of_a_session_have_a_direction(
    simulate: Any, path_type: Any, fate_type: Any
) -> None:
    """A new session's counter begins at 0, so even the packets before its first reply are placed."""
    measured = simulate(
        path_type(
            pps=10,
            up=lambda i: fate_type(() if i < 3 else (MS,)),
            down=lambda i, _: fate_type(() if i in {3, 4} else (MS,)),
        )
    )
    exactly(measured, 0)


def test_silence_has_no_direction(simulate: Any, path_type: Any, fate_type: Any) -> None:
    """When nothing comes back at all, nothing is known of the direction."""
    measured = simulate(path_type(pps=10, up=lambda i: fate_type(() if i >= 100 else (MS,))))
    assert measured.streams[0].lost == 50
    assert measured.streams[0].lost_unattributed == 50
    assert measured.streams[1].received == 0
    assert measured.streams[1].lost_unattributed == 150
    assert measured.streams[1].rtt is None
