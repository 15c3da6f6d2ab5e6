"""A meeting whose profile asks for the round trip alone, above each line's own floor."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from telemetry.decisions import OutcomeState, ReasonCode
from telemetry.windows import HOUR_NS, SECOND_NS, WINDOW_NS
from telemetry.words.speak import say_reason

if TYPE_CHECKING:
    from conftest import Town

PROFILE = """[[profile]]
id = "round-trip"
name_en = "Round trip"
name_hi = "आना-जाना"
rank = 1
source = "tests"
[profile.target]
[profile.alarm]
rtt_above_floor_ms = 15.0
"""


@pytest.fixture
def floors(town: Town) -> Town:
    """Six hours in which agra needed 400 ms and the others 40; a meeting is on, and agra is as ever."""
    (town.folder / "profiles.toml").write_text(PROFILE, encoding="utf-8")
    (town.folder / "tatpar.toml").write_text(
        '[files]\nmeetings = "meetings"\nprofiles = "profiles.toml"\n[watch]\nhistory_weeks = 1\n',
        encoding="utf-8",
    )
    town.meet(town.meeting("review", 0.0, minutes=5, profile="round-trip"))
    town.live.refresh()
    town.break_line("agra", rtt_ms=400.0)
    town.remember(town.t0 - 3 * HOUR_NS, town.t0, ("agra", "meerut"))
    town.play(1)
    town.watch.refresh_past(town.now_ns)
    return town


def test_a_slow_line_is_sound_and_a_slower_one_is_flagged(floors: Town) -> None:
    """400 ms as ever is nothing; 60 ms where 40 were usual is told with how much it is above, and the outcome fails."""
    floors.break_line("meerut", rtt_ms=60.0)
    took = floors.play(60, until=lambda: ("meerut", "rtt_floor") in floors.flags())
    assert took < 60
    flags = floors.flags()
    assert set(flags) == {("meerut", "rtt_floor")}
    reason = flags["meerut", "rtt_floor"].reason
    assert reason.code is ReasonCode.RTT_FLOOR
    assert reason.value == pytest.approx(20.0, rel=0.03)  # the floor is a histogram's, within 1 %
    assert (reason.limit, reason.unit) == (15.0, "ms")
    assert "20" in say_reason("en", reason)
    for window in range(1, 20):
        start_ns = floors.t0 + window * WINDOW_NS
        if start_ns > floors.now_ns - WINDOW_NS:
            floors.report(start_ns, start_ns + 20 * SECOND_NS, ("agra", "meerut"))
    floors.now_ns = floors.t0 + 420 * SECOND_NS
    floors.watch.step(floors.now_ns)
    floors.watch.settle(floors.now_ns)
    found = {each.site: each.state for each in floors.state.outcomes(0, 2**62)}
    assert (found["agra"], found["meerut"]) == (OutcomeState.HELD, OutcomeState.FAILED)


def test_the_past_knows_what_broke_above_the_floor(floors: Town) -> None:
    """A load of the past judges old windows by the floors of their own hours: nothing of a slow line broke, a rise did."""
    floors.break_line("agra", rtt_ms=430.0)
    floors.remember(floors.t0 - 4 * HOUR_NS, floors.t0 - 3 * HOUR_NS, ("meerut",))
    for window in range(1, 21):
        start_ns = floors.t0 + window * WINDOW_NS
        floors.report(start_ns, start_ns + 20 * SECOND_NS, ("agra", "meerut"))
    floors.now_ns = floors.t0 + HOUR_NS // 2
    while floors.store.maintain(floors.now_ns):
        pass
    past = floors.watch._hindsight.pasts.load(floors.watch._current.shape(), floors.now_ns)
    agra, meerut = (past.shape.lines.site_index[name] for name in ("agra", "meerut"))
    (index,) = {past.shape.sets.of_profile["round-trip"]}
    broken = past.history.broken[index]
    assert broken[agra].sum(axis=-1).tolist() == [20, 20]
    assert broken[meerut].sum() == 0
    assert past.slots.broken[index, agra].sum() == 40
    assert past.slots.strain[index, agra][past.slots.broken[index, agra] > 0] == pytest.approx(2.0, rel=0.2)
    assert past.floor_ms is not None
    assert past.floor_ms[agra] == pytest.approx(400.0, rel=0.011)
