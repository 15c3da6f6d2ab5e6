"""Since when: a silence or a fault began when it did, whoever is started again meanwhile, and every page says the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from telemetry.decisions import ReasonCode
from telemetry.windows import DAY_NS, HOUR_NS, MINUTE_NS, SECOND_NS, WINDOW_NS
from telemetry.words import say_reason
from tests.watch.conftest import Meeting

if TYPE_CHECKING:
    from tests.watch.conftest import Town

WARM_S = 60


def away(town: Town, minutes: float) -> None:
    """The hub is not there for so long, and then it is started again."""
    town.now_ns += round(minutes * MINUTE_NS)
    town.clock.advance(round(minutes * MINUTE_NS))
    town.meet(Meeting("review", town.now_ns + HOUR_NS))
    town.live.refresh()
    town.restart()
    town.watch.step(town.now_ns)  # before anybody is heard


def last_stored_ns(town: Town) -> int:
    """End of the newest window of Agra that is stored."""
    table = town.reader.latest()
    ours = [table.sites[number] == "agra" for number in table.columns["site"]]
    return int(table.columns["start_ns"][ours].max()) + WINDOW_NS


def told_since(town: Town, code: ReasonCode) -> set[int | None]:
    """What the flag and the verdict say of Agra."""
    flags = [one for one in town.state.open_flags() if one.site == "agra" and one.reason.code is code]
    verdicts = [one for one in town.state.verdicts(0, 2**62) if one.site == "agra"]
    newest = max(verdicts, key=lambda one: one.issued_ns)
    said = [one for one in newest.reasons if one.code is code]
    assert flags
    assert said
    return {one.since_ns for one in (*flags, *said)} | {one.reason.since_ns for one in flags}


@pytest.mark.parametrize("silent_s", [30, 60, 200], ids=["not-yet-told", "at-risk", "dark"])
@pytest.mark.parametrize("minutes", [3, 20, 50, 700])
def test_a_silence_begins_with_the_last_window_whoever_was_away(
    town: Town, silent_s: float, minutes: float
) -> None:
    """Three restarts, the hub away for minutes or a night: the office is dark since its last stored window, on its flag as in its verdict."""
    town.play(WARM_S)
    town.offline.add("agra")
    last_ns = last_stored_ns(town)
    town.play(silent_s)
    for _ in range(3):
        away(town, minutes)
        town.play(150, step_s=5)
        assert told_since(town, ReasonCode.DARK) == {last_ns}
    town.offline.clear()
    town.play(60, step_s=5)
    assert not town.flags()


def test_a_fault_goes_on_while_the_hub_is_away(town: Town) -> None:
    """Four minutes without anybody who looks, then ten: one spell, since it began; the flag is not cleared and raised anew."""
    town.play(WARM_S)
    town.break_line("agra", up=0.2)
    town.play(90)
    (began_ns,) = told_since(town, ReasonCode.LOSS_UP)
    for minutes in (4, 10):
        away(town, minutes)
        town.play(90, step_s=5)
        assert told_since(town, ReasonCode.LOSS_UP) == {began_ns}
    spells = town.state.flag_history(town.t0, town.now_ns)
    assert [(one.flag.site, one.cleared_ns) for one in spells if one.flag.path == "main.state"] == [
        ("agra", None)
    ]


def test_a_fault_that_ended_while_the_hub_was_away_is_over(town: Town) -> None:
    """Nothing is held against a line whose first windows are good again."""
    town.play(WARM_S)
    town.break_line("agra", up=0.2)
    town.play(90)
    town.heal("agra")
    away(town, 4)
    town.play(60, step_s=5)
    assert not town.flags()


def test_what_came_late_moves_no_beginning(town: Town) -> None:
    """A quarter of an hour that the office had kept for itself arrives after the night: it is silent since it was told to be."""
    town.play(WARM_S)
    town.offline.add("agra")
    last_ns = last_stored_ns(town)
    town.play(1200, step_s=5)
    town.offline.clear()
    for start_ns in range(last_ns, last_ns + 900 * SECOND_NS, WINDOW_NS):
        town.report(start_ns, town.now_ns, ("agra",))
    town.offline.add("agra")
    town.play(10)
    away(town, 50)
    town.play(30, step_s=5)
    assert told_since(town, ReasonCode.DARK) == {last_ns}


def test_who_measured_for_minutes_yesterday_has_measured(town: Town) -> None:
    """Too little for any hour's record, and yet not nothing: it is never told that no measurement ever came."""
    yesterday = town.now_ns - DAY_NS
    for start_ns in range(yesterday, yesterday + 20 * MINUTE_NS, WINDOW_NS):
        town.report(start_ns, start_ns + 20 * SECOND_NS, ("agra",))
    town.offline.add("agra")
    town.restart()
    for _ in range(4):
        town.play(30, step_s=2)
        reasons = town.verdict("agra").reasons
        assert reasons
        assert not any(say_reason("en", each) == "No measurements so far" for each in reasons)


def test_what_joins_a_fault_began_when_it_did(town: Town) -> None:
    """Loss on the way up, and minutes later on the way down too: each since its own time, on its flag as in its verdict."""
    town.remember(town.t0 - 2 * DAY_NS, town.t0 - 2 * DAY_NS + 26 * HOUR_NS, town.linked)
    town.play(WARM_S)
    town.watch.refresh_past(town.now_ns)
    town.break_line("agra", up=0.2)
    town.play(180)
    (up_ns,) = told_since(town, ReasonCode.LOSS_UP)
    assert up_ns is not None
    town.break_line("agra", up=0.2, down=0.2)
    joined_ns = town.now_ns
    town.play(90)
    assert told_since(town, ReasonCode.LOSS_UP) == {up_ns}
    (down_ns,) = told_since(town, ReasonCode.LOSS_DOWN)
    assert down_ns is not None
    assert abs(down_ns - joined_ns) <= WINDOW_NS
    assert down_ns - up_ns >= 180 * SECOND_NS - WINDOW_NS


def test_an_outage_lasted_from_its_beginning_though_nobody_remembers_it(town: Town) -> None:
    """Three quarters of an hour, of which half an hour is looked at: its length is that between its times, while it lasts and once it is over."""
    town.meet(Meeting("review", town.now_ns + 3 * HOUR_NS))
    town.live.refresh()
    town.play(WARM_S)
    town.break_line("agra", up=1.0, down=1.0)
    town.play(45 * 60, step_s=5)
    lasts = town.flags()["agra", "outage"].reason
    assert lasts.since_ns is not None
    assert lasts.value == pytest.approx((town.now_ns - lasts.since_ns) / SECOND_NS, abs=30)
    town.heal("agra")
    town.play(60, lambda: town.flags()["agra", "outage"].reason.until_ns is not None)
    over = town.flags()["agra", "outage"].reason
    assert over.since_ns == lasts.since_ns
    assert over.until_ns is not None
    assert over.value == (over.until_ns - over.since_ns) / SECOND_NS == 45 * 60
