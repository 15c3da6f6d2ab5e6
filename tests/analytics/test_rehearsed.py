"""A line that broke in its last rehearsal: not ready soon after, at risk for a day, and what comes later is not seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from analytics.rehearsed import RECALLED_NS, BrokeInRehearsal, nobody_broke
from telemetry.decisions import Action, ReasonCode, State
from telemetry.windows import MINUTE_NS, SECOND_NS
from tests.analytics.one_office import verdict_of

if TYPE_CHECKING:
    from conftest import Bench

    from telemetry.decisions import Verdict

HOUR = 3600.0


def rehearsed(ended_ns: int, *, down: bool = False, got_bps: float = 330e3) -> BrokeInRehearsal:
    """The first of three offices broke on its first path."""
    broke = nobody_broke((3, 2))
    broke.ended_ns[0, 0], broke.began_ns[0, 0] = ended_ns, ended_ns - 21 * SECOND_NS
    broke.is_down[0, 0], broke.got_bps[0, 0] = down, got_bps
    return broke


def said(made: Bench, broke: dict[str, BrokeInRehearsal], lead_s: float = HOUR, site: int = 0) -> Verdict:
    """Of three sound lines."""
    ground = made.ground(made.recent(made.values((3, 2, 40))), rehearsed=broke)
    return verdict_of(ground, made.occurrence(lead_s), site)


@pytest.mark.parametrize(
    ("lead_s", "state"),
    [(0.75 * HOUR, State.NOT_READY), (10 * HOUR, State.AT_RISK), (48 * HOUR, State.AT_RISK)],
)
def test_it_lowers_the_verdict_with_its_reason(made: Bench, lead_s: float, state: State) -> None:
    """What was carried, since when; a lower profile is offered where it held that one; other offices are left alone."""
    broke = rehearsed(made.t0 - 5 * MINUTE_NS)
    found = said(made, {"video": broke}, lead_s)
    assert found.state is state
    assert found.probability == pytest.approx(1 - (900 / (1200 + lead_s)) ** 0.4, abs=1e-4)
    (why,) = found.reasons
    assert (why.code, why.value, why.unit) == (ReasonCode.REHEARSAL_UP, 330e3, "bps")
    assert why.since_ns == made.t0 - 5 * MINUTE_NS - 21 * SECOND_NS
    assert (found.best_profile, found.action) == ("audio", Action.LOWER_PROFILE)
    assert said(made, {"video": broke}, lead_s, site=1) == said(made, {}, lead_s, site=1)


def test_the_way_that_broke_and_the_rungs_that_did(made: Bench) -> None:
    """Down; and where the lowest rung broke too nothing is offered, but the provider is to be called."""
    broke = rehearsed(made.t0 - MINUTE_NS, down=True, got_bps=float("nan"))
    found = said(made, {"video": broke, "audio": broke})
    assert (found.reasons[0].code, found.reasons[0].value) == (ReasonCode.REHEARSAL_DOWN, None)
    assert (found.best_profile, found.action) == ("", Action.CALL_PROVIDER)


def test_neither_the_future_nor_long_ago_counts(made: Bench) -> None:
    """A rehearsal that ended after now, and one of more than a day ago, change no bit."""
    nothing = said(made, {})
    assert nothing.state is State.READY
    for ended_ns in (made.t0 + 1, made.t0 - RECALLED_NS - 1):
        assert said(made, {"video": rehearsed(ended_ns)}) == nothing
    assert said(made, {"video": rehearsed(made.t0 - RECALLED_NS)}) != nothing


def test_another_line_of_the_office_is_not_blamed() -> None:
    """Only the path that was loaded."""
    broke = nobody_broke((1, 2))
    broke.ended_ns[0, 0] = 1
    both = broke.breaks_again(np.array([0, 1]), SECOND_NS, SECOND_NS)
    assert (both > 0).tolist() == [[True, False]]
