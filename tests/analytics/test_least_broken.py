"""What is certain of a meeting whose windows have not all come: what breaks and what may break whatever comes, and which line may hold it yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.judge import POOL_WINDOWS, judge
from analytics.least_broken import least_broken
from analytics.most_broken import most_broken
from analytics.outcome import holds_anyhow, may_hold
from analytics.own_trouble import MOST_WINDOWS, TROUBLE_COLUMNS, without_own_trouble
from analytics.proof import least_proof
from config.profiles import Limits
from telemetry.store.columns import WINDOW_VALUE_COLUMNS

if TYPE_CHECKING:
    from analytics.losses import Values

WINDOWS = 12
LIMITS = Limits(loss_ratio=0.01, burst_loss_ratio=0.1, jitter_ms=30.0, rtt_ms=300.0)


def windows(
    lost: list[int], missing: tuple[int, ...] = (), sent: int = 150, jitter_ms: float = 2.0
) -> dict[str, np.ndarray]:
    """One line whose windows lost so many packets on the way up; (1, 1, W)."""
    values = {name: np.full((1, 1, len(lost)), np.nan) for name in WINDOW_VALUE_COLUMNS}
    for name, given_ in (("sent", sent), ("lost", lost), ("up_lost", lost), ("down_lost", 0)):
        values[name][0, 0] = given_
    for name in ("up_jitter_ms", "down_jitter_ms"):
        values[name][0, 0] = jitter_ms
    values["rtt_p95_ms"][0, 0] = 40.0
    for column in values.values():
        column[..., list(missing)] = np.nan
    return values


def least(values: Values, cleared: Values | None = None, room: int = MOST_WINDOWS) -> list[int]:
    """Of each line of the one office; without `cleared` of a probe that had no trouble."""
    return least_broken(values, values if cleared is None else cleared, LIMITS, room)[0].tolist()


def test_what_only_a_pool_proves_waits_for_the_whole_pool() -> None:
    """Three of 150 prove nothing alone, nine of 450 do; where one of the three before is missing it is not certain, with all there it is."""
    assert least(windows([3] * 8)) == [6]
    gap = windows([3] * 8, missing=(3,))
    pooled = judge(gap, LIMITS, pool_windows=POOL_WINDOWS).breaks[0, 0]
    assert pooled.tolist() == [False, False, True, False, True, True, True, True]
    assert least(gap) == [2]


@pytest.mark.parametrize(("lost", "jitter_ms"), [(30, 2.0), (0, 40.0), (150, 2.0)])
def test_what_a_window_proves_itself_is_certain(lost: int, jitter_ms: float) -> None:
    """A fifth of its packets, jitter past the limit, or nothing at all that came through, whatever the windows before were like."""
    assert least(windows([lost] * 8, missing=(0, 2, 4), jitter_ms=jitter_ms)) == [5]


@pytest.mark.parametrize(("room", "certain"), [(8, 0), (3, 5), (0, 8)])
def test_a_probe_in_trouble_hides_no_more_than_is_believed(room: int, certain: int) -> None:
    """Eight windows could be the probe's own; of its other line, which had no trouble, two are certain as ever."""
    lines = [windows([3] * 8, missing=(3,)), windows([30] * 8)]
    both = {name: np.concatenate([each[name] for each in lines], axis=1) for name in WINDOW_VALUE_COLUMNS}
    both["up_lost"][0, 1] = 0
    trouble = {name: np.zeros((1, 2, 8)) for name in TROUBLE_COLUMNS}
    trouble["rx_drops"][0, 1] = 30
    assert least(both, without_own_trouble(both, trouble, 8), room) == [2, certain]


def test_what_would_not_break_as_it_was_reported_is_not_certain() -> None:
    """Two replies of the probe's own left out of 138 make four lost ones a proof; should nobody believe the probe in the end, they are none."""
    assert [least_proof(sent, 0.01) for sent in (136, 138)] == [4, 5]
    reported = windows([6], sent=138)
    reported["up_lost"][0, 0], reported["down_lost"][0, 0] = 4, 2
    trouble = {name: np.zeros((1, 1, 1)) for name in TROUBLE_COLUMNS} | {"rx_drops": np.full((1, 1, 1), 2.0)}
    cleared = without_own_trouble(reported, trouble)
    assert judge(cleared, LIMITS).breaks.all()
    assert least(reported, cleared) == [0]


def _of_each(values: list[object]) -> st.SearchStrategy[list[object]]:
    return st.lists(st.sampled_from(values), min_size=WINDOWS, max_size=WINDOWS)


FIGURES = st.fixed_dictionaries(
    {
        "up_lost": _of_each([0, 0, 1, 2, 3, 4, 5, 6, 40, 150]),
        "down_lost": _of_each([0, 1, 2, 3, 4, 5, 90]),
        "up_jitter_ms": _of_each([2.0, 29.0, 31.0]),
    }
)
CLAIMS = st.fixed_dictionaries(
    {
        "late_sends": _of_each([0, 0, 0, 0, 0, 20]),
        "rx_drops": _of_each([0, 0, 0, 0, 2, 90]),
        "straddled": _of_each([0, 0, 0, 0, 0, 100]),
    }
)
NO_CLAIMS = st.just({name: [0.0] * WINDOWS for name in TROUBLE_COLUMNS})


@given(
    figures=FIGURES,
    claims=NO_CLAIMS | CLAIMS,
    missing=st.sets(st.integers(0, WINDOWS - 1)),
    room=st.integers(0, WINDOWS),
)
def test_whatever_comes_no_fewer_break_and_no_more(
    figures: dict[str, list[float]], claims: dict[str, list[float]], missing: set[int], room: int
) -> None:
    """Any figures of the missing windows, any claims of the probe's own trouble, and however much of those is believed in the end."""
    whole = windows([0] * WINDOWS)
    for name, column in figures.items():
        whole[name][0, 0] = column
    whole["down_lost"] = np.minimum(whole["down_lost"], whole["sent"] - whole["up_lost"])
    whole["lost"] = whole["up_lost"] + whole["down_lost"]
    trouble = {name: np.array(claims[name], dtype=float)[None, None] for name in TROUBLE_COLUMNS}
    known, claimed = ({name: column.copy() for name, column in each.items()} for each in (whole, trouble))
    for column in (*known.values(), *claimed.values()):
        column[..., list(missing)] = np.nan
    cleared = without_own_trouble(known, claimed, WINDOWS)
    certain, possible = least(known, cleared, room)[0], int(most_broken(known, cleared, LIMITS)[0, 0])
    in_the_end = judge(without_own_trouble(whole, trouble, room), LIMITS, pool_windows=POOL_WINDOWS).breaks
    reported = judge(whole, LIMITS, pool_windows=POOL_WINDOWS).breaks
    assert certain <= in_the_end.sum()
    assert (
        in_the_end | reported
    ).sum() <= possible  # what only the probe's trouble breaks does not count as held


@pytest.mark.parametrize(("lost", "possible"), [(1, 1), (2, 4), (30, 8)])
def test_what_a_pool_with_a_missing_window_may_prove_is_possible(lost: int, possible: int) -> None:
    """The missing one; of those after it the three that lie above the limit and prove nothing yet; what breaks already."""
    gap = windows([lost] * 8, missing=(3,))
    assert most_broken(gap, gap, LIMITS)[0].tolist() == [possible]


def test_a_line_may_hold_while_five_per_cent_are_not_passed() -> None:
    """Of forty windows two may break; each line is asked for itself."""
    assert may_hold(np.array([[0, 2, 3]]), 40).tolist() == [[True, True, False]]
    assert holds_anyhow(np.array([[0, 2, 3]]), 40).tolist() == [[True, True, False]]
