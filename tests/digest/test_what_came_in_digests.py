"""What the digest after a meeting claims: no success that nobody foretold, of the offices that were there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from telemetry.decisions import Forecast, Horizon, OutcomeState, State
from tests.digest.desk import SITES

if TYPE_CHECKING:
    from tests.digest.desk import Desk

HELD, FAILED, OPEN = OutcomeState.HELD, OutcomeState.FAILED, OutcomeState.UNSETTLED


def test_nothing_came_as_said_where_nothing_was_said(desk: Desk) -> None:
    """All held: "as we had said" is claimed only where of every office something was said, and it came true."""
    desk.says()
    desk.came_out(agra=HELD, etah=HELD, mathura=HELD, hathras=HELD)
    desk.look("13:00")
    text = desk.body("john@hq.example", "after")
    assert "There is no forecast with a result to compare yet." in text
    assert "Every office held the meeting." in text
    assert "as we had said" not in text


@pytest.mark.parametrize(("hathras", "said"), [(State.READY, True), (State.UNKNOWN, False), (None, False)])
def test_all_that_held_came_as_said_when_all_of_it_was(desk: Desk, hathras: State | None, said: bool) -> None:
    """One office of which nothing was known is enough to claim no more than that all held."""
    foreseen = dict.fromkeys(("agra", "etah", "mathura"), State.READY) | (
        {"hathras": hathras} if hathras else {}
    )
    desk.state.issue_forecasts(
        [Forecast(horizon=Horizon.T30M, verdict=desk.verdict(*each)) for each in foreseen.items()]
    )
    desk.came_out(agra=HELD, etah=HELD, mathura=HELD, hathras=HELD)
    desk.look("13:00")
    assert ("Every office held the meeting, as we had said." in desk.body("john@hq.example", "after")) is said
    assert ("हर कार्यालय में मीटिंग चली, जैसा अनुमान था।" in desk.body("meena@hq.example", "after")) is said
    assert ("हर कार्यालय में मीटिंग चली।" in desk.body("meena@hq.example", "after")) is not said


def test_an_office_that_is_open_has_not_held(desk: Desk) -> None:
    """Nobody failed, and one is open: "every office held" would be a guess."""
    desk.forecasts()
    desk.came_out(agra=HELD, etah=HELD, hathras=OPEN)
    desk.look("13:00")
    assert "Every office held" not in desk.body("john@hq.example", "after")


def test_what_came_of_a_meeting_outlives_the_list_of_offices(desk: Desk) -> None:
    """One office was linked since and one taken out of the list: the past is told of those that were there, each by name or plainly."""
    desk.forecasts()
    desk.came_out(agra=HELD, etah=FAILED, mathura=HELD, hathras=HELD)
    lines = SITES.replace("79.92,planned", "79.92,linked").splitlines()
    kept = [line for line in lines if not line.startswith("etah,")]
    (desk.folder / "sites.csv").write_text("\n".join(kept) + "\n", encoding="utf-8")
    desk.look("13:00")
    text = desk.body("john@hq.example", "after").replace("\u00a0", " ")
    assert "3 of 4 invited offices held the meeting, 1 did not." in text
    assert "still open" not in text
    assert "• etah (no longer in the list of offices): failed" in text
    assert "etah (अब कार्यालयों की सूची में नहीं)" in desk.body("meena@hq.example", "after")
