"""When what the windows remember in part began, as it was told; and whether anybody saw it begin."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from analytics.breaches import JOINED_NS, last_breach
from analytics.causes import Cause
from analytics.flags import Present, degraded
from analytics.told_flags import ToldFlags
from telemetry.decisions import Flag, Reason, ReasonCode
from telemetry.windows import MINUTE_NS, SECOND_NS

if TYPE_CHECKING:
    from conftest import Bench

LINE = (0, 0)
UP, ANY_WAY = ReasonCode.LOSS_UP, ReasonCode.LOSS


def told(code: ReasonCode, *spells: tuple[float, float]) -> ToldFlags:
    """Flags of one line that began and were seen last at such minutes."""
    flags = [
        Flag(
            site="s00",
            path="main.state",
            reason=Reason(code=code, unseen=nth == 0),
            since_ns=round(since * MINUTE_NS),
            seen_ns=round(seen * MINUTE_NS),
        )
        for nth, (since, seen) in enumerate(spells)
    ]
    return ToldFlags({(*LINE, code): tuple(flags)})


@pytest.mark.parametrize(
    ("at_min", "began_min"),
    [(5, 1), (9.5, 1), (12, 1), (25, 20), (18, None), (0.5, None), (31, None)],
    ids=["within", "in the pause", "joined", "another spell", "between", "before", "after"],
)
def test_spells_less_than_a_minute_apart_are_one(at_min: float, began_min: float | None) -> None:
    """The first began at minute 1 and the second 45 s after its end; a third is another."""
    flags = told(UP, (1, 9), (9.75, 15), (20, 30))
    found = flags.began(LINE, (UP,), round(at_min * MINUTE_NS), JOINED_NS)
    assert (found and found.since_ns) == (None if began_min is None else began_min * MINUTE_NS)


def test_what_was_told_under_another_name_counts_where_its_own_says_nothing() -> None:
    """Loss of a direction that was not known at first; no other line's."""
    flags = told(ANY_WAY, (1, 9))
    found = flags.began(LINE, (UP, ANY_WAY), 5 * MINUTE_NS)
    assert found is not None
    assert found.since_ns == MINUTE_NS
    assert flags.began((0, 1), (UP, ANY_WAY), 5 * MINUTE_NS) is None
    assert flags.unseen(LINE, (UP, ANY_WAY), MINUTE_NS)
    assert not flags.unseen(LINE, (UP, ANY_WAY), 2 * MINUTE_NS)


@pytest.mark.parametrize(
    ("first", "gone", "unseen"),
    [
        (0, (), True),
        (3, (), True),
        (4, (), False),
        (60, (), False),
        (60, (59,), True),
        (60, (58,), False),
    ],
    ids=["at the edge", "within a minute of it", "later", "long after", "after a gap", "a gap before"],
)
def test_whether_anybody_saw_it_begin(
    made: Bench, first: int, gone: tuple[int, ...], *, unseen: bool
) -> None:
    """Where windows of the same spell may be forgotten, or the one before never came, it may have begun earlier; the flag says the same while it is new."""
    values = made.values((1, 1, 120), 10)
    made.lose(values, "up", 60, at=(..., slice(first, 110)))
    for name in values:
        values[name][..., list(gone)] = np.nan
    recent = made.recent(values, ("main.state",))
    breach = last_breach(recent, LINE, Cause.LOSS_UP, 0.01, 120)
    assert breach is not None
    assert (breach.first, breach.unseen) == (first, unseen)
    young = made.recent({name: value[..., : first + 3] for name, value in values.items()}, ("main.state",))
    present = Present(made.t0 + 5 * SECOND_NS, 120 * SECOND_NS)
    (flag,) = degraded(young, [made.limits], np.zeros(1, dtype=np.int64), present)
    assert (flag.reason.code, flag.reason.unseen) == (UP, unseen)


def test_after_an_outage_it_was_seen_to_begin(made: Bench) -> None:
    """What is there when the line is back began with that, though nothing was measured of it before."""
    values = made.values((1, 1, 120), 10)
    made.lose(values, "up", 150, at=(..., slice(0, 117)))
    made.lose(values, "up", 60, at=(..., slice(117, 120)))
    recent = made.recent(values, ("main.state",))
    breach = last_breach(recent, LINE, Cause.LOSS_UP, 0.01, 120)
    assert breach is not None
    assert (breach.first, breach.unseen) == (117, False)
    present = Present(made.t0 + 5 * SECOND_NS, 120 * SECOND_NS)
    flags = degraded(recent, [made.limits], np.zeros(1, dtype=np.int64), present)
    assert {flag.reason.code: flag.reason.unseen for flag in flags} == {UP: False}
