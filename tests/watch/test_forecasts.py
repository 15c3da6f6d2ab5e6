"""Forecasts for keeps: each horizon once, on time or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telemetry.decisions import Horizon, State
from telemetry.windows import HOUR_NS, SECOND_NS

if TYPE_CHECKING:
    from conftest import Town

    from telemetry.decisions import Forecast


def said(town: Town) -> dict[tuple[str, Horizon], list[Forecast]]:
    out: dict[tuple[str, Horizon], list[Forecast]] = {}
    for each in town.state.forecasts(0, 2**62):
        out.setdefault((each.verdict.meeting, each.horizon), []).append(each)
    return out


def skip(town: Town, to_ns: int) -> None:
    """Nobody looks for a while."""
    town.now_ns = to_ns


def test_each_horizon_is_issued_once(town: Town) -> None:
    """At 30 and 10 minutes before, every linked office gets one forecast, stamped with its time; a restart adds none."""
    town.play(60)
    town.watch.refresh_past(town.now_ns)
    skip(town, town.t0 + 30 * 60 * SECOND_NS - 90 * SECOND_NS)
    town.play(120)
    first = said(town)["review", Horizon.T30M]
    assert sorted(each.verdict.site for each in first) == ["agra", "ballia", "meerut", "unnao"]
    due_ns = town.t0 + 30 * 60 * SECOND_NS
    assert all(0 <= each.verdict.issued_ns - due_ns <= 5 * SECOND_NS for each in first)
    town.restart()
    town.watch.step(town.now_ns)
    town.watch.refresh_past(town.now_ns)
    town.play(30)
    skip(town, town.t0 + 50 * 60 * SECOND_NS - 10 * SECOND_NS)
    town.play(30)
    found = said(town)
    assert found["review", Horizon.T30M] == first
    assert len(found["review", Horizon.T10M]) == 4


def test_a_forecast_is_never_changed(town: Town) -> None:
    """What was issued stays as issued when the line breaks a minute later."""
    town.play(60)
    town.watch.refresh_past(town.now_ns)
    skip(town, town.t0 + 30 * 60 * SECOND_NS - 90 * SECOND_NS)
    town.play(100)
    first = said(town)["review", Horizon.T30M]
    town.break_line("agra", up=0.3)
    town.play(60)
    assert town.verdict("agra").state is State.NOT_READY
    assert said(town)["review", Horizon.T30M] == first


def test_a_watch_that_was_down_issues_late_but_not_too_late(town: Town) -> None:
    """Two minutes after T-30 min the forecast is still made, with the true time; after four it is missed and counted."""
    for late_s, issued in ((120, 4), (240, 0)):
        town.meet(town.meeting(f"late{late_s}", 1.0))
        town.restart()
        skip(town, max(town.now_ns + 60 * SECOND_NS, town.t0 + (1800 + late_s) * SECOND_NS))
        town.watch.step(town.now_ns)
        town.watch.refresh_past(town.now_ns)
        town.watch.step(town.now_ns + 6 * SECOND_NS)
        found = said(town).get((f"late{late_s}", Horizon.T30M), [])
        assert len(found) == issued
        assert all(each.verdict.issued_ns >= town.t0 + (1800 + late_s) * SECOND_NS for each in found)
    assert town.watch._book.missed >= 1


def test_no_forecast_without_the_past(town: Town) -> None:
    """Until the past is loaded nothing is issued for keeps; it is made up for within the tolerance."""
    skip(town, town.t0 + 30 * 60 * SECOND_NS)
    town.play(20)
    assert said(town) == {}
    town.watch.refresh_past(town.now_ns)
    town.play(10)
    assert len(said(town)["review", Horizon.T30M]) == 4


def test_a_moved_meeting_gets_new_forecasts(town: Town) -> None:
    """The forecasts of a moved occurrence are void, and its new time has its own."""
    town.play(30)
    town.watch.refresh_past(town.now_ns)
    skip(town, town.t0 + 30 * 60 * SECOND_NS)
    town.play(10)
    assert len(said(town)["review", Horizon.T30M]) == 4
    town.meet(town.meeting("review", 1.5))
    town.play(10)
    assert ("review", Horizon.T30M) not in said(town)
    assert len(town.state.forecasts(0, 2**62, voided=True)) >= 4
    town.watch.refresh_past(town.now_ns)
    skip(town, town.t0 + 60 * 60 * SECOND_NS)
    town.play(10)
    found = said(town)["review", Horizon.T30M]
    assert {each.verdict.starts_ns for each in found} == {town.t0 + 3 * HOUR_NS // 2}
