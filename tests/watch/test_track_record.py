"""The track record, reckoned by hand: which forecasts count, and what is said of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tatpar.verdicts.track_record import LEAST, SPAN_NS, in_words, track_record
from telemetry.decisions import Forecast, Horizon, Outcome, OutcomeState, State, Verdict
from telemetry.state.db import StateDb
from telemetry.windows import DAY_NS, HOUR_NS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOW_NS = 1_795_392_000 * 10**9


@pytest.fixture
def state(tmp_path: Path) -> Iterator[StateDb]:
    made = StateDb(tmp_path / "state.db")
    yield made
    made.close()


def meet(
    state: StateDb,
    number: int,
    said: State,
    chance: float | None,
    came: OutcomeState | None,
    *,
    horizon: Horizon = Horizon.T30M,
    starts_ns: int = NOW_NS - DAY_NS,
) -> None:
    """One office at one meeting: what was said beforehand, and what came true."""
    verdict = Verdict(
        site=f"s{number}", meeting="m", occurrence_ns=starts_ns, starts_ns=starts_ns, ends_ns=starts_ns + HOUR_NS,
        profile="video-720p", issued_ns=starts_ns - HOUR_NS, state=said, probability=chance,
    )  # fmt: skip
    state.issue_forecasts([Forecast(horizon=horizon, verdict=verdict)])
    if came is not None:
        state.put_outcomes([
            Outcome(site=verdict.site, meeting="m", occurrence_ns=starts_ns, state=came, windows=240, broken=0, missing=0, settled_ns=NOW_NS)
        ])  # fmt: skip


def test_the_record_of_seven_forecasts(state: StateDb) -> None:
    """Ready 0.9 held and 0.95 failed, at risk 0.7 held, not ready 0.2 and dark failed; excused and open ones have no part."""
    meet(state, 1, State.READY, 0.9, OutcomeState.HELD)
    meet(state, 2, State.READY, 0.95, OutcomeState.FAILED)
    meet(state, 3, State.AT_RISK, 0.7, OutcomeState.HELD)
    meet(state, 4, State.NOT_READY, 0.2, OutcomeState.FAILED)
    meet(state, 5, State.NOT_READY, None, OutcomeState.FAILED)
    meet(state, 6, State.READY, 0.99, OutcomeState.EXCUSED)
    meet(state, 7, State.READY, 0.99, OutcomeState.UNSETTLED)
    meet(state, 8, State.READY, 0.99, None)
    record = track_record(state, NOW_NS)["T-30m"]
    assert (record.forecasts, record.failed, record.numbered) == (5, 3, 4)
    assert (record.ready, record.ready_held) == (2, 1)
    assert (record.flagged, record.flagged_failed) == (3, 2)
    assert record.brier == pytest.approx((0.1**2 + 0.95**2 + 0.3**2 + 0.2**2) / 4)


def test_an_unknown_office_is_neither_ready_nor_flagged(state: StateDb) -> None:
    """It counts as a forecast without a number."""
    meet(state, 1, State.UNKNOWN, None, OutcomeState.HELD)
    record = track_record(state, NOW_NS)["T-30m"]
    assert (record.forecasts, record.ready, record.flagged, record.numbered, record.brier) == (
        1,
        0,
        0,
        0,
        None,
    )


def test_horizons_and_weeks_are_kept_apart(state: StateDb) -> None:
    """A forecast stands under its own horizon; meetings of more than four weeks ago, and those to come, under none."""
    meet(state, 1, State.READY, 0.9, OutcomeState.HELD, horizon=Horizon.T24H)
    meet(state, 1, State.AT_RISK, 0.8, None, horizon=Horizon.T10M)
    meet(state, 2, State.READY, 0.9, OutcomeState.FAILED, starts_ns=NOW_NS - SPAN_NS - HOUR_NS)
    meet(state, 3, State.READY, 0.9, None, starts_ns=NOW_NS + HOUR_NS)
    records = track_record(state, NOW_NS)
    assert {name: each.forecasts for name, each in records.items()} == {
        "T-24h": 1,
        "T-2h": 0,
        "T-30m": 0,
        "T-10m": 1,
    }
    assert records["T-10m"].flagged_failed == 0
    assert records["T-24h"].brier == pytest.approx(0.01)


def test_a_meeting_that_was_moved_has_no_part(state: StateDb) -> None:
    """What was said of its old time is void, whatever came true."""
    meet(state, 1, State.READY, 0.9, OutcomeState.HELD)
    state.void("m", NOW_NS - DAY_NS, NOW_NS - 2 * DAY_NS)
    assert track_record(state, NOW_NS)["T-30m"].forecasts == 0


def test_people_are_told_from_enough_on(state: StateDb) -> None:
    """With one fewer it says how many there are; then the counts and the score."""
    for number in range(LEAST - 1):
        meet(state, number, State.READY, 0.9, OutcomeState.HELD)
    assert str(LEAST - 1) in in_words(track_record(state, NOW_NS), "en")
    assert "0.010" not in in_words(track_record(state, NOW_NS), "en")
    meet(state, 99, State.AT_RISK, 0.9, OutcomeState.HELD)
    said = in_words(track_record(state, NOW_NS), "en")
    assert "0.010" in said
    assert str(LEAST - 1) in said
    assert in_words(track_record(state, NOW_NS), "hi") != said
